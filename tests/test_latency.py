"""Events that come when their timestamps say, and others."""

import pytest

from qmpcheck.gate.fault import untimely
from qmpcheck.gate.recording import ReceivedEvent
from qmpcheck.qmp.client import Arrival

AT = 1_000_000
"""When the event happened, in seconds since the epoch."""


def event(name: str = "STOP", seconds: int = AT, microseconds: int = 0) -> dict[str, object]:
    return {"event": name, "timestamp": {"seconds": seconds, "microseconds": microseconds}}


def came(after: float, before: float) -> Arrival:
    return Arrival(0, AT + after, AT + before)


@pytest.mark.parametrize(
    ("arrival", "off"),
    [
        (came(-5, 0.1), ""),
        (came(0.2, 0.6), ""),
        (came(0.2, 9), ""),  # for all we know it was there long before it was read
        (came(0.9, 1), "it came 0.900 s or more after its timestamp"),
        (came(-2, -1), "its timestamp is 1.000 s after it came"),
        (None, ""),
    ],
)
def test_one_event(arrival: Arrival | None, off: str) -> None:
    sent = ReceivedEvent(event(), 1, arrival)
    assert [*untimely([sent])] == ([(sent, off)] if off else [])


@pytest.mark.parametrize("seconds", [-(10**400), -1 << 53, 1 << 53, 1 << 63, 10**400])
def test_a_time_that_no_clock_tells(seconds: int) -> None:
    sent = ReceivedEvent(event(seconds=seconds), 1, came(0, 1))
    assert [each for each, _ in untimely([sent])] == [sent]


def test_no_clock() -> None:
    sent = ReceivedEvent(event(seconds=-1, microseconds=-1), 1, None)
    assert [*untimely([sent])] == [(sent, "its timestamp says that there is no clock")]


@pytest.mark.parametrize(
    "timestamp", [None, 7, {}, {"seconds": "1", "microseconds": 0}, {"seconds": 1, "microseconds": 10**400}]
)
def test_what_is_no_timestamp_is_left_to_the_checker(timestamp: object) -> None:
    sent = ReceivedEvent({"event": "STOP", "timestamp": timestamp}, 1, came(0, 1))
    assert [*untimely([sent])] == []
