"""What a scenario is, and what playing it gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from qmpcheck.gate.trouble import LACKS, Trouble

if TYPE_CHECKING:
    from qmpcheck.gate.stage import Stage

SYSTEM, STORAGE = "system", "storage"
"""Played on a system emulator only; on the storage daemon as well."""


class Expected(msgspec.Struct, frozen=True):
    """One event that must be seen: its name, and members of its data with their values."""

    event: str
    where: dict[str, Any] = {}

    def __str__(self) -> str:
        values = ", ".join(f"{member} {_shown(value)}" for member, value in self.where.items())
        return f"{self.event} ({values})" if values else self.event


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def expected(event: str, /, **where: Any) -> Expected:
    """An event that must be seen; in the names of members `_` stands for `-`."""
    return Expected(event, {member.replace("_", "-"): value for member, value in where.items()})


def with_values(one: Expected, **where: Any) -> Expected:
    """The same event with more values."""
    return Expected(one.event, one.where | where)


class _Anything:
    """Equal to every value."""

    def __eq__(self, _: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return "there"


ANYTHING = _Anything()
"""For a member that must be there, whatever its value."""

QUIT = expected("SHUTDOWN", guest=False, reason="host-qmp-quit")
"""What a system emulator says when it is asked to end."""


class Scenario(msgspec.Struct, frozen=True):
    """One scenario.

    Attributes:
        name: what `--only` and `--skip` take.
        purpose: what happens in it, in one line.
        expects: the events that must be seen, each as often as it stands here.
        play: makes them happen.
        on: the kind of binary it is for.
        assumes: the command-line options that follow-ups depend on, as `--assume` takes them.
        seconds: how long it may take at most.
    """

    name: str
    purpose: str
    expects: tuple[Expected, ...]
    play: Callable[[Stage], None]
    on: str = SYSTEM
    assumes: tuple[str, ...] = ()
    seconds: float = 25.0


class Recording(msgspec.Struct, frozen=True):
    """What one process sent.

    Attributes:
        name: of the scenario, and of the process where it has several.
        command: the process's command line.
        data: every byte as it was sent.
        ended: whether the process ended in order, so that nothing can follow.
    """

    name: str
    command: tuple[str, ...]
    data: bytes
    ended: bool

    def events(self) -> list[dict[str, Any]]:
        """The events in it that can be read; the checker tells of the others."""
        found: list[dict[str, Any]] = []
        for line in self.data.split(b"\n"):
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(message, dict) and isinstance(message.get("event"), str):
                found.append(message)
        return found


class Outcome(msgspec.Struct, frozen=True):
    """A scenario that was played.

    Attributes:
        scenario: the scenario.
        recordings: one a process.
        missing: the events that were expected, and not seen, of those that the build knows.
        trouble: what kept it from being played to its end.
        seconds: how long it took.
    """

    scenario: Scenario
    recordings: tuple[Recording, ...]
    missing: tuple[Expected, ...]
    trouble: Trouble | None
    seconds: float

    @property
    def skipped(self) -> bool:
        """Whether the build does not have what the scenario needs."""
        return self.trouble is not None and self.trouble.kind == LACKS
