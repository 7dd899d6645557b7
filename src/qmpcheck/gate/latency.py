"""Whether events come when their timestamps say that they happened: the build runs by our own clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qmpcheck.gate.recording import ReceivedEvent
from qmpcheck.qmp.client import Arrival
from qmpcheck.streams.messages import MICROSECONDS, NO_CLOCK

PROMPT = 0.25
"""Seconds within which an event comes on a busy machine; what takes longer was held up."""

_EXACT = 0.01
"""Seconds by which two readings of the clock may come in the wrong order."""

_FAR = 1 << 53
"""Seconds beyond which one time is as wrong as another."""


def untimely(events: Iterable[ReceivedEvent]) -> Iterator[tuple[ReceivedEvent, str]]:
    """The events that came at another time, and how far off they were.

    A scenario leaves time between rate-limited events, so none of them is held back.
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
    """How far a timestamp is off; "" where it can be true."""
    if moment > arrival.before + _EXACT:
        return f"its timestamp is {moment - arrival.before:.3f} s after it came"
    if moment < arrival.after - PROMPT:
        return f"it came {arrival.after - moment:.3f} s or more after its timestamp"
    return ""


def _seconds(timestamp: object) -> float | None:
    """Since the epoch; None for what the checker finds to be no timestamp."""
    if not isinstance(timestamp, dict):
        return None
    seconds, microseconds = timestamp.get("seconds"), timestamp.get("microseconds")
    if type(seconds) is not int or type(microseconds) is not int or not 0 <= microseconds < MICROSECONDS:
        return None
    return max(-_FAR, min(seconds, _FAR)) + microseconds / MICROSECONDS
