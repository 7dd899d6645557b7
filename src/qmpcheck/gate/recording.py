"""What one process of a scenario sent, and when."""

from __future__ import annotations

import json
from bisect import bisect_left
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
    """An event, and when the end of its line came; None where that is not known."""

    event: dict[str, Any]
    arrival: Arrival | None


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
            event = _event(line)
            if event:
                yield Sent(event, self._arrival(end))

    def _arrival(self, end: int) -> Arrival | None:
        at = bisect_left(self.arrivals, end, key=lambda arrival: arrival.end)
        return self.arrivals[at] if at < len(self.arrivals) else None


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("event"), str) else None
