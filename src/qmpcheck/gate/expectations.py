"""The events that a scenario expects, in order: some may be optional, alternative or repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from qmpcheck.text import quoted, safe, shortened

if TYPE_CHECKING:
    from qmpcheck.gate.build import Build


class Expected(msgspec.Struct, frozen=True):
    """One event that must come: its name, and members of its data with their values."""

    event: str
    where: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.event} {self.values}".rstrip()

    @property
    def values(self) -> str:
        """Its members and their values for a reader, in parentheses; "" if it has none."""
        values = ", ".join(_shown(self.where))
        return f"({values})" if values else ""

    def is_met_by(self, message: dict[str, Any]) -> bool:
        """Whether an event is the one that is expected."""
        return message["event"] == self.event and matches(message.get("data"), self.where)


class Either(msgspec.Struct, frozen=True):
    """One of several ways to go on, each a sequence of steps."""

    ways: tuple[Expectations, ...]


class Since(msgspec.Struct, frozen=True):
    """Steps that builds take since a version, and those that builds took before it."""

    version: tuple[int, ...]
    steps: Expectations
    before: Expectations


class Repeated(msgspec.Struct, frozen=True):
    """Steps that a build takes any number of times, or never."""

    steps: Expectations


Expectation = Expected | Either | Since | Repeated
Expectations = tuple[Expectation, ...]


def expected(event: str, /, **where: Any) -> Expected:
    """An event that must come; `_` in the names of members means `-`."""
    return Expected(event, {member.replace("_", "-"): value for member, value in where.items()})


def maybe(*steps: Expectation) -> Either:
    """Steps that some builds take, and others do not."""
    return Either((steps, ()))


def events_of(steps: Expectations) -> Iterator[Expected]:
    """All events that steps may include, whatever the build."""
    for step in steps:
        match step:
            case Expected():
                yield step
            case Either(ways):
                for way in ways:
                    yield from events_of(way)
            case Since(_, after, before):
                yield from events_of((*before, *after))
            case Repeated(again):
                yield from events_of(again)


def of_build(build: Build, steps: Expectations) -> Expectations:
    """The steps that a build takes, without the events and the members that it does not have."""
    return tuple(taken for step in steps for taken in _of_build(build, step))


def _of_build(build: Build, step: Expectation) -> Expectations:
    match step:
        case Expected(event, where):
            # An older release, or a build without a feature, has fewer members; what it has is expected.
            known = {member: where[member] for member in where if build.has(event, member)}
            return (Expected(event, known),) if build.has(event) else ()
        case Either(ways):
            return (Either(tuple(of_build(build, way) for way in ways)),)
        case Since(version, after, before):
            return of_build(build, after if build.version >= version else before)
        case Repeated(again):
            return (Repeated(of_build(build, again)),)


class OneOf:
    """Equal to each of some values."""

    def __init__(self, *values: Any) -> None:
        self._values = values

    def __eq__(self, value: object) -> bool:
        return value in self._values

    def __hash__(self) -> int:
        return 0  # what is equal must have the same hash, and this is equal to several values

    def __str__(self) -> str:
        return " or ".join(map(_in_json, self._values))


class _Anything:
    """Equal to every value."""

    def __eq__(self, _: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return "there"


ANYTHING = _Anything()
"""The value of a member that must be there, whatever its value."""

QUIT = expected("SHUTDOWN", guest=False, reason="host-qmp-quit")
"""What a system emulator sends when it is asked to end."""


def matches(data: Any, where: dict[str, Any]) -> bool:
    """Whether an object has these members with these values; it may have more, and so may objects in it."""
    members = data if isinstance(data, dict) else {}
    return all(member in members and _equal(members[member], value) for member, value in where.items())


def _equal(value: Any, wanted: Any) -> bool:
    """Whether two values are equal in JSON, where 0 is not false."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and matches(value, wanted)
    # In Python, 1 equals True, and OneOf and ANYTHING equal values of any type.
    return bool(wanted == value) and (type(value) is type(wanted) or not isinstance(wanted, int))


def _shown(where: dict[str, Any], above: str = "") -> Iterator[str]:
    """Each member with its value; those of an object one by one."""
    for member, value in where.items():
        if isinstance(value, dict):
            yield from _shown(value, f"{above}{member}.")
        else:
            yield f"{above}{member} {_in_json(value)}"


def _in_json(value: Any) -> str:
    """A value as JSON writes it, short and safe to print; "600" is not 600."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, OneOf | _Anything):
        return str(value)
    return safe(shortened(json.dumps(value)))
