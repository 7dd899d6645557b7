"""An event as the rules over time see it."""

from __future__ import annotations

from typing import Any

import msgspec

MICROSECONDS = 1_000_000
"""In a second."""

NO_CLOCK = {"seconds": -1, "microseconds": -1}
"""The timestamp of an event of a host that has no clock."""


Moment = tuple[int, int]
"""Where an event stands, and when it happened: a line, and microseconds since the epoch."""


class Timestamp(msgspec.Struct, frozen=True, gc=False):
    """A timestamp as it stands in an event; both -1 where there is no clock."""

    seconds: int = -1
    microseconds: int = -1


class Refused(msgspec.Struct, frozen=True, gc=False):
    """An event that a decoder refused, as far as the rules over time can use it."""

    event: str
    timestamp: Timestamp
    data: dict[str, Any]


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream.

    Attributes:
        line: where it stands, from 1.
        event: its name.
        time: microseconds since the epoch; None where there is no clock.
        data: its members.
        judged: whether it is kept for what it answers only, and is no trigger any more.
    """

    line: int
    event: str
    time: int | None
    data: dict[str, Any]
    judged: bool = False

    def down(self, lines: int) -> Occurrence:
        """The same, so many lines further down."""
        return Occurrence(self.line + lines, self.event, self.time, self.data, self.judged)


def time(timestamp: Any) -> int | None:
    """Microseconds since the epoch of a timestamp; None where there is no clock."""
    if timestamp.seconds == timestamp.microseconds == -1:
        return None
    return int(timestamp.seconds) * MICROSECONDS + int(timestamp.microseconds)


def member(data: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of keys; None where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
