"""Events that come when their timestamps say, and others."""

import pytest

from qmpcheck.gate.punctuality import untimely
from qmpcheck.gate.recording import Arrival, Recording, Sent

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
    assert [*untimely([Sent(event(), arrival)])] == ([("STOP", off)] if off else [])


@pytest.mark.parametrize("seconds", [-(10**400), -1 << 53, 1 << 53, 1 << 63, 10**400])
def test_a_time_that_no_clock_tells(seconds: int) -> None:
    assert [name for name, _ in untimely([Sent(event(seconds=seconds), came(0, 1))])] == ["STOP"]


def test_no_clock() -> None:
    sent = Sent(event(seconds=-1, microseconds=-1), None)
    assert [*untimely([sent])] == [("STOP", "its timestamp says that there is no clock")]


@pytest.mark.parametrize(
    "timestamp", [None, 7, {}, {"seconds": "1", "microseconds": 0}, {"seconds": 1, "microseconds": 10**400}]
)
def test_what_is_no_timestamp_is_left_to_the_checker(timestamp: object) -> None:
    sent = Sent({"event": "STOP", "timestamp": timestamp}, came(0, 1))
    assert [*untimely([sent])] == []


def test_an_event_came_with_the_end_of_its_line() -> None:
    data = b'{"QMP": {}}\n{"event": "STOP"}\n{"event": "RESUME"}\n'
    arrivals = (Arrival(5, 0, 1), Arrival(20, 1, 2), Arrival(30, 2, 3), Arrival(len(data), 3, 4))
    recording = Recording("life-cycle", (), data, ended=True, arrivals=arrivals)
    assert [(sent.event["event"], sent.arrival) for sent in recording.sent()] == [
        ("STOP", arrivals[2]),
        ("RESUME", arrivals[3]),
    ]


@pytest.mark.parametrize("depth", [100, 900, 3000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_deeper_than_any_event_is_not_read(depth: int, opening: bytes, closing: bytes) -> None:
    line = b'{"event": "STOP", "data": %s0%s}\n' % (opening * depth, closing * depth)
    assert Recording("life-cycle", (), line, ended=True).events() == []
    assert Recording("life-cycle", (), b'{"event": "STOP"}\n\n', ended=True).events() == [{"event": "STOP"}]
