"""Scripts: what else happens to a client, as a user writes it in TOML. docs/test-clients.md has all keys.

[[meet]]
command = "query-block"                 # when the client sends this command,
times = 1                               # only the first time,
delay = 2.5                             # wait so many seconds,
error = { desc = "Device is busy" }     # and answer with this error
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from qmpcheck import toml_positions
from qmpcheck.generating.stream import Generation
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.text import quoted, safe
from qmpcheck.wording import did_you_mean


class Error(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}):
    """An error reply."""

    desc: str
    kind: str = "GenericError"


class ScriptEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event to send: with this data, or with all that the release `spec` can send in it."""

    event: str
    data: dict[str, Any] = {}
    spec: str = ""


class ScriptStep(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"hang_up": "hang-up", "returns": "return"},
):
    """One `[[meet]]`: when something happens, and what.

    Attributes:
        command: when a client sends this command.
        after: when so many events of the stream were sent; 0 is right after negotiation.
        connect: when a client connects, before the greeting.
        times: how often, over all connections; None for every time.
        delay: seconds to wait first.
        error, returns: the answer to the command.
        send: events to send; for a command, after its reply.
        hang_up: whether the connection is closed then, and where in a line.
        restart: close all connections, and listen again after so many seconds; None for no restart.
    """

    command: str = ""
    after: int | None = None
    connect: bool = False
    times: int | None = None
    delay: float = 0
    error: Error | None = None
    returns: Any = msgspec.UNSET
    send: tuple[ScriptEvent, ...] = ()
    hang_up: Literal["", "between-lines", "in-a-line"] = ""
    restart: float | None = None


class Script:
    """The steps of a script, and how often each of them was taken, over all connections.

    Args:
        steps: the steps, in the order of the file.
    """

    def __init__(self, steps: tuple[ScriptStep, ...] = ()) -> None:
        self._steps = steps
        self._taken = [0] * len(steps)

    def on_command(self, name: str) -> list[ScriptStep]:
        """Take the steps for a client that sends this command."""
        return self._take([each.command == name for each in self._steps])

    def after(self, events: int) -> list[ScriptStep]:
        """Take the steps for a client that was sent so many events."""
        return self._take([each.after == events for each in self._steps])

    def on_connect(self) -> list[ScriptStep]:
        """Take the steps for a client that connects."""
        return self._take([each.connect for each in self._steps])

    def _take(self, fits: list[bool]) -> list[ScriptStep]:
        found = []
        for at, step in enumerate(self._steps):
            if fits[at] and (step.times is None or self._taken[at] < step.times):
                self._taken[at] += 1
                found.append(step)
        return found


def load(path: str) -> tuple[ScriptStep, ...]:
    """Read the steps in a file.

    Raises:
        SpecError: it cannot be read, or a step is invalid.
    """
    text, tables = toml_positions.read(path)
    written = tables.get("meet")
    if (
        tables.keys() != {"meet"}
        or not isinstance(written, list)
        or not all(isinstance(each, dict) for each in written)
    ):
        other = next((key for key in tables if key != "meet"), "meet")
        line = toml_positions.line(text, (other,))
        raise SpecError(f"{safe(path)}:{line}: expected only [[meet]] tables")
    return tuple(_step(each, path, text, at) for at, each in enumerate(written))


def _step(value: Any, path: str, text: str, at: int) -> ScriptStep:
    """Return the step that a table describes, which is number `at` in the file with this text."""
    try:
        step = msgspec.convert(value, ScriptStep)
        _check(step)
        return msgspec.structs.replace(step, send=tuple(map(_made, step.send)))
    except msgspec.ValidationError as error:
        reason, keys = _said(str(error))
    except SpecError as error:
        reason, keys = str(error), ("send",)
    line = toml_positions.line_in_item(text, "meet", at, keys)
    raise SpecError(f"{safe(path)}:{line}: {reason}")


def _check(step: ScriptStep) -> None:
    """Raise ValidationError if a step does not say when or what happens, or contradicts itself."""
    if [bool(step.command), step.after is not None, step.connect].count(True) != 1:
        raise _wrong("a step needs one of command, after and connect: when it happens")
    answers = [
        key for key, given in (("error", step.error), ("return", step.returns is not msgspec.UNSET)) if given
    ]
    if len(answers) > 1:
        raise _wrong("a step has an error or a return, not both", "error")
    if answers and not step.command:
        raise _wrong(f"{answers[0]} answers a command: the step needs a command", answers[0])
    if not (answers or step.delay or step.send or step.hang_up or step.restart is not None):
        raise _wrong(
            "a step needs at least one of error, return, delay, send, hang-up and restart: what happens"
        )
    for key, value in (("delay", step.delay), ("restart", step.restart), ("after", step.after)):
        if value is not None and not 0 <= value < _FOREVER:
            raise _wrong(_expected(key), key)
    if step.times is not None and step.times < 1:
        raise _wrong(_expected("times"), "times")


def _made(event: ScriptEvent) -> ScriptEvent:
    """Return an event with the data that its release sends in it, as much of it as possible.

    Raises:
        SpecError: there is no such release or event.
        ValidationError: it has both data and a release.
    """
    if not event.spec:
        return event
    if event.data:
        raise _wrong("an event has data, or a spec to take its data from, not both", "send")
    messages = Generation(catalogue.find(event.spec), only=(event.event,)).messages()
    found = [each.get("data", {}) for each in messages if each.get("event") == event.event]
    # The longest of the generated ones has the most optional members.
    return msgspec.structs.replace(event, data=max(found, key=lambda data: len(str(data))))


_FOREVER = 1e9
"""A bound for numbers of seconds and of events, so that infinity and nan are refused."""

_SECONDS = "a number of seconds, 0 or more"

_EXPECTED = {
    "command": "the name of a command",
    "after": "a whole number of events, 0 or more",
    "connect": "true or false",
    "times": "a whole number, 1 or more",
    "delay": _SECONDS,
    "error": 'a table with desc, and perhaps class, such as { desc = "Device is busy" }',
    "send": 'a list of events, such as [{ event = "STOP" }], each with event and perhaps data or spec',
    "hang-up": '"between-lines" or "in-a-line"',
    "restart": _SECONDS,
}
"""What each key takes."""


def _expected(key: str) -> str:
    return f"{key}: expected {_EXPECTED[key]}"


def _wrong(reason: str, *keys: str) -> msgspec.ValidationError:
    return msgspec.ValidationError(reason + "".join(f" - at `$.{key}`" for key in keys))


_PLACE = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)

_KINDS: dict[str, type[msgspec.Struct]] = {"send": ScriptEvent, "error": Error}


def _said(error: str) -> tuple[str, tuple[str, ...]]:
    """Return an error of msgspec in our words, and the keys that lead to the place that is wrong."""
    match = _PLACE.fullmatch(error)
    assert match
    reason = match[1]
    keys = tuple(re.findall(r"[\w-]+", (match[2] or "").partition("[")[0]))
    if unknown := _UNKNOWN.fullmatch(reason):
        known = _KINDS.get(keys[0] if keys else "", ScriptStep)
        hint = did_you_mean(unknown[1], [each.encode_name for each in msgspec.structs.fields(known)])
        return f"unknown key {quoted(unknown[1])}{hint}", (*keys[:1], unknown[1])
    # The messages of msgspec begin with a capital letter, and ours do not.
    is_ours = not reason[:1].isupper()
    return safe(reason if is_ours or not keys else _expected(keys[0])), keys
