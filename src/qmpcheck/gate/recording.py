"""What one process of a scenario sent, and when."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec


class Arrival(NamedTuple):
    """When some bytes came.

    Attributes:
        end: where they end in all that came.
        after: a time at which none of them was there yet; seconds since the epoch.
        before: a time at which they had been read.
    """

    end: int
    after: float
    before: float


class Sent(NamedTuple):
    """An event.

    Attributes:
        event: what it says; of a key given twice the last value counts.
        arrival: when the end of its line came; None where that is not known.
        twice: the keys that an object in it has more than once.
    """

    event: dict[str, Any]
    arrival: Arrival | None
    twice: tuple[str, ...] = ()


class Recording(msgspec.Struct, frozen=True):
    """What one process sent.

    Attributes:
        name: of the scenario, and of the process where it has several.
        command: the process's command line.
        data: every byte as it was sent.
        ended: whether the process ended in order, so that nothing can follow.
        machine: which of the scenario's machines it is; "" where there is one.
        arrivals: when the bytes came, in order.
    """

    name: str
    command: tuple[str, ...]
    data: bytes
    ended: bool
    machine: str = ""
    arrivals: tuple[Arrival, ...] = ()

    def events(self) -> list[dict[str, Any]]:
        """The events in it that can be read; the checker tells of the others."""
        return [sent.event for sent in self.sent()]

    def sent(self) -> Iterator[Sent]:
        """The same, with the time at which they came."""
        end = 0
        for line in self.data.split(b"\n"):
            end += len(line) + 1
            twice: list[str] = []
            event = _event(line, twice)
            if event:
                yield Sent(event, self._arrival(end), tuple(twice))

    def _arrival(self, end: int) -> Arrival | None:
        at = bisect_left(self.arrivals, end, key=lambda arrival: arrival.end)
        return self.arrivals[at] if at < len(self.arrivals) else None


def _event(line: bytes, twice: list[str]) -> dict[str, Any] | None:
    """The event on a line, if one is; to the list the keys are added that are given twice."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            counted = Counter(key for key, _ in pairs)
            twice.extend(key for key in value if counted[key] > 1)
        return value

    try:
        message = json.loads(line, object_pairs_hook=members)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("event"), str) else None
