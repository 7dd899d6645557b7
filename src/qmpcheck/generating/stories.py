"""Stories: sequences of events as QEMU sends them, and the events that never come alone.

The machine runs when a story begins and when it ends. It was started with -no-shutdown, so that SHUTDOWN only
stops it, and a reset and `cont` make it run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qmpcheck import rulebase
from qmpcheck.generating.choices import FALSE, TRUE
from qmpcheck.rulebase import Boolean, Enum, Object

END = "END"
"""The process ends; what comes next is from another one."""


class StoryStep(NamedTuple):
    """One event of a story, and the members whose values are not free, each with those that it may have."""

    event: str
    fixed: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Story(NamedTuple):
    """A sequence of events.

    Attributes:
        steps: the events.
        ends: whether the process ends with it.
        fills: whether it is one event of another story, which is repeated alone to show what is left to show.
    """

    steps: tuple[StoryStep, ...]
    ends: bool = False
    fills: bool = False


# A member's value follows it after `=`, several with `|` between them; `!` means all others. With `>` between
# them, they come one after the other, in an event each.
_TEXT = """
STOP, RESUME
SUSPEND, WAKEUP
RESET guest=true reason=guest-reset|guest-shutdown|guest-panic
RESET guest=false reason=!guest-reset|guest-shutdown|guest-panic
BLOCK_IO_ERROR action=stop, STOP, RESUME
BLOCK_IO_ERROR action=!stop
WATCHDOG action=pause, STOP, RESUME
WATCHDOG action=reset, RESET guest=true reason=guest-reset
WATCHDOG action=shutdown, POWERDOWN, \
SHUTDOWN guest=true reason=guest-shutdown, STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
WATCHDOG action=poweroff, END
WATCHDOG action=!pause|reset|shutdown|poweroff
GUEST_CRASHLOADED action=run
GUEST_PANICKED action=pause, STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
GUEST_PANICKED action=poweroff, SHUTDOWN guest=true reason=guest-panic, \
STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
GUEST_PANICKED action=!pause|poweroff
POWERDOWN, SHUTDOWN guest=true reason=guest-shutdown, \
STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
SUSPEND_DISK, SHUTDOWN guest=true reason=guest-shutdown, \
STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
SHUTDOWN guest=true reason=guest-shutdown|guest-reset|guest-panic, \
STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
SHUTDOWN guest=false reason=!guest-shutdown|guest-reset|guest-panic|host-qmp-quit|host-signal, \
STOP, RESET guest=false reason=host-qmp-system-reset, RESUME
STOP, SHUTDOWN guest=false reason=host-qmp-quit|host-signal, END
JOB_STATUS_CHANGE status=created>running>waiting>pending, BLOCK_JOB_PENDING, BLOCK_JOB_COMPLETED, \
JOB_STATUS_CHANGE status=concluded>null
JOB_STATUS_CHANGE status=created>running>ready, BLOCK_JOB_READY, \
JOB_STATUS_CHANGE status=standby>ready>waiting>pending, BLOCK_JOB_COMPLETED, \
JOB_STATUS_CHANGE status=concluded>null
JOB_STATUS_CHANGE status=created>running>paused>running>aborting, BLOCK_JOB_CANCELLED, \
JOB_STATUS_CHANGE status=concluded>null
JOB_STATUS_CHANGE status=created>running, BLOCK_JOB_ERROR action=report, \
JOB_STATUS_CHANGE status=aborting, BLOCK_JOB_COMPLETED, JOB_STATUS_CHANGE status=concluded>null
MIGRATION status=setup, MIGRATION_PASS, MIGRATION status=active, STOP, MIGRATION status=completed, RESUME
MIGRATION status=setup, MIGRATION_PASS, MIGRATION status=active, STOP, \
MIGRATION status=pre-switchover>device>completed, RESUME
MIGRATION status=setup>active, STOP, MIGRATION status=postcopy-active>completed, RESUME
MIGRATION status=setup>active>cancelling>cancelled
MIGRATION status=setup>active>failed
MIGRATION status=setup, UNPLUG_PRIMARY, MIGRATION status=wait-unplug>active, \
STOP, MIGRATION status=completed, RESUME
VNC_CONNECTED, VNC_INITIALIZED, VNC_DISCONNECTED
SPICE_CONNECTED, SPICE_INITIALIZED, SPICE_DISCONNECTED
NETDEV_STREAM_CONNECTED, NETDEV_STREAM_DISCONNECTED
NETDEV_VHOST_USER_CONNECTED, NETDEV_VHOST_USER_DISCONNECTED
DEVICE_TRAY_MOVED tray-open=true>false
VSERPORT_CHANGE open=true>false
PR_MANAGER_STATUS_CHANGED connected=false>true
DEVICE_UNPLUG_GUEST_ERROR, ACPI_DEVICE_OST, DEVICE_DELETED
STOP, DUMP_COMPLETED, RESUME
"""

_NOT_ALONE = {
    *("STOP", "RESUME", "SUSPEND", "WAKEUP", "SHUTDOWN", "RESET", "POWERDOWN", "SUSPEND_DISK"),
    *("WATCHDOG", "BLOCK_IO_ERROR", "GUEST_PANICKED"),
}
"""The events that come in stories only: the state of the machine depends on them."""

COMPANIONS = {"STOP": "RESUME", "RESUME": "STOP", "SUSPEND": "WAKEUP", "WAKEUP": "SUSPEND"}
"""The events that cannot come without another one."""


def stories(events: dict[str, Object]) -> list[Story]:
    """Return the stories that can be made of these events, with their data; each event is in at least one."""
    complete = [_resolved(line, events) for line in _TEXT.strip().splitlines()]
    found = [*dict.fromkeys(story for story in complete if story and story.steps)]
    in_stories = {step.event for story in found for step in story.steps}
    alone = (
        Story((StoryStep(event),), fills=event in in_stories)
        for event in events
        if event not in in_stories or event not in _NOT_ALONE
    )
    return [*found, *alone]


def _resolved(line: str, events: dict[str, Object]) -> Story | None:
    """Return the story on a line, without events that the spec lacks; None if a value is missing."""
    steps: list[StoryStep] = []
    for text in line.removesuffix(f", {END}").split(", "):
        # A story also makes sense without events that came in a later release.
        event, *conditions = text.split(" ")
        if event in events:
            in_turn = max(condition.count(">") for condition in conditions or [""])
            for turn in range(in_turn + 1):
                step = _step(event, [_of_turn(each, turn) for each in conditions], events[event])
                if step is None:
                    return None
                steps.append(step)
    return Story(tuple(steps), line.endswith(END))


def _of_turn(condition: str, turn: int) -> str:
    """Return the condition on one of several events in turn: of `a=x>y`, `a=x` for the first."""
    name, _, values = condition.partition("=")
    return f"{name}={values.split('>')[turn]}" if ">" in values else condition


def _step(event: str, conditions: Sequence[str], data: Object) -> StoryStep | None:
    """Return an event under conditions; None if it has none of the values. Unknown members are ignored."""
    fixed: list[tuple[str, tuple[str, ...]]] = []
    for condition in conditions:
        name, _, values = condition.partition("=")
        member = data.member(name)
        allowed = _allowed(member.type, values) if member else None
        if allowed == ():
            return None
        if allowed:
            fixed.append((name, allowed))
    return StoryStep(event, tuple(fixed))


def _allowed(described: rulebase.Type, text: str) -> tuple[str, ...] | None:
    """Return the values of a type that a text names, or after `!` all others; None for any value."""
    named, is_other = text.removeprefix("!").split("|"), text.startswith("!")
    match described:
        case Enum(values):
            return tuple(each for each in values if (each in named) != is_other)
        case Boolean():
            return tuple(each for each in (TRUE, FALSE) if each in named)
        case rulebase.String(known):
            return tuple(each for each in known if each not in named) or None if is_other else tuple(named)
        case _:
            return None
