"""Compare the timestamps of events with the times of their arrival, which are of the same clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qmpcheck.gate.recording import ReceivedEvent
from qmpcheck.qmp.client import Arrival
from qmpcheck.streams.messages import MICROSECONDS, NO_CLOCK

PROMPT = 0.25
"""Seconds within which an event comes, even on a busy machine; one that takes longer was held back."""

_EXACT = 0.01
"""Seconds by which a timestamp may be later than the arrival: two readings of one clock can differ."""

_FAR = 1 << 53
"""Seconds up to which a float is exact; beyond them one time is as wrong as another."""


def untimely(events: Iterable[ReceivedEvent]) -> Iterator[tuple[ReceivedEvent, str]]:
    """The events whose timestamps are not the time at which they came, and how far off they are.

    A scenario leaves enough time between rate-limited events, so QEMU has no reason to hold one back.
    """
    for each in events:
        timestamp = each.event.get("timestamp")
        moment = _seconds(timestamp)
        if timestamp == NO_CLOCK:
            yield each, "its timestamp says that there is no clock"
        elif each.arrival and moment is not None:
            off = _off(each.arrival, moment)
            if off:
                yield each, off


def _off(arrival: Arrival, moment: float) -> str:
    """How far a timestamp is off; "" if it can be true."""
    if moment > arrival.before + _EXACT:
        return f"its timestamp is {moment - arrival.before:.3f} s after it came"
    if moment < arrival.after - PROMPT:
        return f"it came {arrival.after - moment:.3f} s or more after its timestamp"
    return ""


def _seconds(timestamp: object) -> float | None:
    """Seconds since 1970; None for what is no timestamp, which the checker reports."""
    if not isinstance(timestamp, dict):
        return None
    seconds, microseconds = timestamp.get("seconds"), timestamp.get("microseconds")
    if type(seconds) is not int or type(microseconds) is not int or not 0 <= microseconds < MICROSECONDS:
        return None
    return max(-_FAR, min(seconds, _FAR)) + microseconds / MICROSECONDS
