"""Whether events come when their timestamps say that they happened: the build runs by our own clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from qmpcheck.checking import clock
from qmpcheck.checking.occurrence import MICROSECONDS, NO_CLOCK
from qmpcheck.gate.recording import Arrival, Sent

PROMPT = 0.25
"""Seconds within which an event comes on a busy machine; what takes longer was held up."""

_EXACT = 0.01
"""Seconds by which two readings of the clock may be told in the wrong order."""


def untimely(events: Sequence[Sent], late: Collection[str]) -> Iterator[tuple[str, str]]:
    """The events that came at another time, by name, and how far off they were.

    Args:
        events: what one process sent.
        late: the events that are rate-limited: all but the first may be held back for the limit's period.
    """
    before: set[str] = set()
    for event, arrival in events:
        name, timestamp = event["event"], event.get("timestamp")
        held_back = clock.PERIOD / MICROSECONDS if name in late and name in before else 0.0
        before.add(name)
        moment = _seconds(timestamp)
        if timestamp == NO_CLOCK:
            yield name, "its timestamp says that there is no clock"
        elif arrival and moment is not None:
            off = _off(arrival, moment, PROMPT + held_back)
            if off:
                yield name, off


def _off(arrival: Arrival, moment: float, allowed: float) -> str:
    """How far a timestamp is off; "" where it can be true."""
    if moment > arrival.before + _EXACT:
        return f"its timestamp is {moment - arrival.before:.3f} s after it came"
    if moment < arrival.after - allowed:
        return f"it came {arrival.after - moment:.3f} s or more after its timestamp"
    return ""


def _seconds(timestamp: object) -> float | None:
    """Since the epoch; None for what the checker finds to be no timestamp."""
    if not isinstance(timestamp, dict):
        return None
    seconds, microseconds = timestamp.get("seconds"), timestamp.get("microseconds")
    if type(seconds) is not int or type(microseconds) is not int or abs(seconds) >= 1 << 53:
        return None
    return seconds + microseconds / MICROSECONDS
