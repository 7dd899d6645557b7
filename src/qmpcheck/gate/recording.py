"""The recording of one process of a scenario: what it sent and was sent, and when."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from qmpcheck.qmp.client import Arrival
from qmpcheck.streams.messages import is_event


class ReceivedEvent(NamedTuple):
    """An event as a process sent it.

    Attributes:
        event: the message; of a key that it has twice, the last value counts.
        line: its line in the recording, from 1.
        arrival: when the end of its line came; None if that is not known.
        twice: the first key that an object in it has twice; None if there is none.
    """

    event: dict[str, Any]
    line: int
    arrival: Arrival | None
    twice: str | None = None


class MachineRecording(msgspec.Struct, frozen=True):
    """What one process sent and was sent.

    Attributes:
        name: the scenario's name, with that of the machine if it has one.
        command: the process's command line.
        data: every byte as it came, and between them the QMP commands, each on a line of its own.
        ended: whether the process ended in order, so that nothing can follow.
        crashed: whether the process died of a signal.
        machine: the name of the machine among the scenario's machines; "" for the first.
        arrivals: when the bytes came, in order.
        qtest: the commands that it was sent over qtest, in order.
        last_words: the last lines that it wrote to standard error.
    """

    name: str
    command: tuple[str, ...]
    data: bytes
    ended: bool
    crashed: bool = False
    machine: str = ""
    arrivals: tuple[Arrival, ...] = ()
    qtest: tuple[str, ...] = ()
    last_words: tuple[str, ...] = ()

    @property
    def commands(self) -> list[str]:
        """The QMP commands, as they were sent."""
        # As `Client.send` writes them. No QEMU sends such a line.
        lines = self.data.split(b"\n")
        return [line.decode(errors="replace") for line in lines if line.startswith(b'{"execute": ')]

    def events(self) -> list[dict[str, Any]]:
        """The events, as far as they can be read; the checker reports the others."""
        return [sent.event for sent in self.sent()]

    def sent(self) -> Iterator[ReceivedEvent]:
        """The same events, each with its line and the time at which it came."""
        end = 0
        for number, line in enumerate(self.data.split(b"\n"), 1):
            end += len(line) + 1
            twice: list[str] = []
            event = _event(line, twice)
            if event:
                at = bisect_left(self.arrivals, end, key=lambda arrival: arrival.end)
                arrival = self.arrivals[at] if at < len(self.arrivals) else None
                yield ReceivedEvent(event, number, arrival, next(iter(twice), None))


def _event(line: bytes, twice: list[str]) -> dict[str, Any] | None:
    """The event on a line; None if there is none. Keys that an object has twice are appended to `twice`."""
    if not line.strip():
        return None

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, each in pairs:
            # Python's parser would take the last value of a key, and say nothing.
            if key in value:
                twice.append(key)
            value[key] = each
        return value

    try:
        message = json.loads(line, object_pairs_hook=members, parse_int=_integer)
    except (ValueError, RecursionError):
        return None
    is_an_event = isinstance(message, dict) and is_event(message)
    return message if is_an_event and not _is_deep(message) else None


_DEEPEST = 64
"""Levels of nesting: no event has a tenth of that, and deeper ones would exhaust Python's stack."""


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [part for each in inner for part in (each.values() if isinstance(each, dict) else each)]
    return bool(level)


_MOST_DIGITS = 400


def _integer(digits: str) -> int:
    """Read an integer of any length. `int` refuses long ones; the first 400 digits are out of range, too."""
    return int(digits[:_MOST_DIGITS])
