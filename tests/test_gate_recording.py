"""What one process of a scenario sent: its events, when they came, and what is odd about them."""

import pytest

from qmpcheck.gate.recording import MachineRecording
from qmpcheck.qmp.client import Arrival


def test_an_event_came_with_the_end_of_its_line() -> None:
    data = b'{"QMP": {}}\n{"event": "STOP"}\n{"event": "RESUME"}\n'
    arrivals = (Arrival(5, 0, 1), Arrival(20, 1, 2), Arrival(30, 2, 3), Arrival(len(data), 3, 4))
    recording = MachineRecording("life-cycle", (), data, ended=True, arrivals=arrivals)
    assert [(sent.event["event"], sent.arrival) for sent in recording.sent()] == [
        ("STOP", arrivals[2]),
        ("RESUME", arrivals[3]),
    ]


@pytest.mark.parametrize("depth", [100, 900, 3000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_deeper_than_any_event_is_not_read(depth: int, opening: bytes, closing: bytes) -> None:
    line = b'{"event": "STOP", "data": %s0%s}\n' % (opening * depth, closing * depth)
    assert MachineRecording("life-cycle", (), line, ended=True).events() == []


@pytest.mark.parametrize(
    "line", ["", "\r", "[]", "{}", '{"event": 1}', '{"event": "STOP"', '{"event": "STOP"}}', "\udcff"]
)
def test_what_is_no_event_is_left_to_the_checker(line: str) -> None:
    data = f'{line}\n{{"event": "STOP"}}\n\n'.encode(errors="surrogateescape")
    assert MachineRecording("life-cycle", (), data, ended=True).events() == [{"event": "STOP"}]


@pytest.mark.parametrize(
    ("line", "event", "twice"),
    [
        ('{"event": "STOP", "data": {"a": 1, "b": {"a": 2}}}', {"event": "STOP", "data": {"a": 1, "b": {"a": 2}}}, None),
        ('{"event": "STOP", "event": "RESUME"}', {"event": "RESUME"}, "event"),
        ('{"event": "STOP", "data": {"a": 1, "a": 2, "a": 3}}', {"event": "STOP", "data": {"a": 3}}, "a"),
        ('{"event": "STOP", "event": "STOP", "data": {"a": [{"b": 1, "b": 1}]}}', {"event": "STOP", "data": {"a": [{"b": 1}]}}, "b"),
    ],
)  # fmt: skip
def test_of_a_key_given_twice_the_last_value_counts(line: str, event: object, twice: str | None) -> None:
    [sent] = MachineRecording("life-cycle", (), line.encode(), ended=True).sent()
    assert (sent.event, sent.twice) == (event, twice)
