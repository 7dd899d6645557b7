"""What a report draws: events, states and decisions, as the checker recorded them. The streams are those of `letters`."""

import pickle
import random
from pathlib import Path

import pytest
from letters import RULES, line

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.timeline import COMMANDS, NO_TIME, OUTCOMES, Timeline
from qmpcheck.specs import catalogue

CHECKER = Checker(RULES, CheckOptions(timeline=True, within=3.0))


def recorded(text: str, complete: bool = True) -> Timeline:
    found = CHECKER.check("".join(map(line, text.split())).encode(), complete).timeline
    assert found
    return found


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("S1 R2", "stopped@0 running@1"),
        ("S1 S2 R3 R4", "stopped@0 running@2"),
        ("H1", "off@0"),
        ("H1 X2", "off@0 running@1"),
        ("S1 H2 X3 R4", "stopped@0 off@1 stopped@2 running@3"),
        # A new process runs; one to which a client came back is as it was.
        ("S1 H2 G P3", "stopped@0 off@1 running@2"),
        ("S1 G P2", "stopped@0"),
    ],
)
def test_states(stream: str, expected: str) -> None:
    assert " ".join(f"{each.state}@{each.event}" for each in recorded(stream).states) == expected


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("P1", ""),
        ("G P1", "new@0"),
        ("G P1 H2 G P3", "new@0 new@2"),
        ("G P1 G P3", "new@0 again@1"),
        ("P1 G P3", "again@1"),
    ],
)
def test_sessions(stream: str, expected: str) -> None:
    sessions = recorded(stream).sessions
    assert " ".join(f"{'new' if each.is_new else 'again'}@{each.event}" for each in sessions) == expected


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        # trigger, outcome and response, by their places among the events
        ("E1 S2", "0 met 1"),
        ("G P1 E1 R1 S2", "1 met 3"),
        ("E1 E2 S3", "0 met 2, 1 met 2"),
        ("E1 S5", "0 late 1"),
        ("E1 P2", "0 missing"),
        ("S1 E2", "1 not needed"),
        ("S2 W1", "1 met 0"),
        ("E1 G P2", "0 pending"),
    ],
)
def test_decisions(stream: str, expected: str) -> None:
    found = recorded(stream)
    made = zip(*found.decisions, strict=True)
    said = [f"{event} {OUTCOMES[outcome]} {answer}" for _, event, outcome, answer, _ in made]
    assert ", ".join(said).replace(" -1", "") == expected


def test_an_event_that_was_sent_late_happened_before_others() -> None:
    assert recorded("P1 S3 R4 W2").late == [(3, 1)]
    assert recorded("P1 W2 S3").late == []
    assert recorded("P1 S3 G W2").late == []  # what came in an earlier connection does not count
    assert recorded("S3 P2").late == []  # this one is never sent late: its clock went back


def test_columns() -> None:
    found = recorded("G P1 S R3.5 P4")
    assert [found.names[kind] for kind in found.kinds] == ["POWERDOWN", "STOP", "RESUME", "POWERDOWN"]
    assert [*found.lines] == [2, 3, 4, 5]
    assert [*found.times] == [1_000_000, NO_TIME, 3_500_000, 4_000_000]


def test_names_that_a_stream_makes_up_are_bounded_and_safe() -> None:
    events = "".join(
        f'{{"event": "\\u202e{n}", "timestamp": {{"seconds": 1, "microseconds": 0}}}}\n' for n in range(600)
    )
    found = CHECKER.check(events.encode()).timeline
    assert found
    assert len(found.names) == 501
    assert found.names[:1] == ["\\u202e0"]
    assert found.names[-1] == "(other events)"
    assert len(found.kinds) == 600


def test_times_beyond_any_clock_are_cut() -> None:
    stream = b'{"event": "STOP", "timestamp": {"seconds": 9223372036854, "microseconds": 0}}\n'
    found = CHECKER.check(stream).timeline
    assert found
    assert [*found.times] == [1 << 52]


def test_cutting_blocks_elsewhere_changes_nothing() -> None:
    random_numbers = random.Random(7)
    tokens = [f"{random_numbers.choice('EeSRHWwXP')}{n / 10 + random_numbers.random()}" for n in range(300)]
    stream = "".join(map(line, tokens)).encode()
    whole = CHECKER.check(stream, True).timeline
    for each in stream.splitlines():
        CHECKER.feed([each])
    assert CHECKER.finish(True).timeline == whole


def test_it_travels_between_processes() -> None:
    found = recorded("G E1 S2 W1.5 H3")
    assert pickle.loads(pickle.dumps(found)) == found


def test_nobody_asked() -> None:
    assert Checker(RULES).check(line("P1").encode()).timeline is None


CORPUS = Path(__file__).parents[1] / "corpora"


def of_file(name: str) -> Timeline:
    checker = Checker(catalogue.find("7.2").rule_base, CheckOptions(timeline=True))
    found = checker.check((CORPUS / name).read_bytes(), complete=True).timeline
    assert found
    return found


def test_commands_share_a_lane_and_can_be_triggers() -> None:
    found = of_file("commands-7.2.22/mirror.jsonl")
    names = [found.names[kind] for kind in found.kinds]
    triggers = {names[event] for event in found.decisions.events}
    responses = {names[each] for each in found.decisions.responses if each >= 0}
    assert triggers == {COMMANDS}
    assert responses == {"JOB_STATUS_CHANGE", "BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED", "SHUTDOWN"}


def test_what_an_erratum_excuses_names_it() -> None:
    found = of_file("qemu-7.2.22/block-io-error-after-stop.jsonl")
    excused = {
        (OUTCOMES[outcome], found.errata[erratum])
        for outcome, erratum in zip(found.decisions.outcomes, found.decisions.errata, strict=True)
        if erratum
    }
    assert excused == {("missing", "io-error-at-exit")}
