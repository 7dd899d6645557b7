"""What must follow: small streams, and what is found at their end. The streams are those of `letters`."""

import pytest
from checking import check
from letters import RULES, line, said

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import FindingKind
from qmpcheck.specs import catalogue


@pytest.mark.parametrize(
    ("stream", "pending", "missing"),
    [
        ("E1 S1.1", "", ""),
        ("E1", "302@1", "301@1"),
        ("S1 R1.1 E2", "302@3", "301@3"),
        ("e1", "", ""),
        ("P1 H2", "", ""),
        # One response meets a burst, with other events between.
        ("E1 E1.1 e1.2 P1.3 E1.4 S5", "", ""),
        ("E1 S2 R3 E4 E5", "302@4 302@5", "301@4 301@5"),
        # A machine that is stopped does not stop again; one that was resumed does.
        ("S1 E2 E3", "", ""),
        ("S1 E2 R3 E4", "302@4", "301@4"),
        ("E1 S2 E3 R4 S5", "", ""),
        # STOP excuses nothing but STOP.
        ("S1 w2", "302@2", "301@2"),
        # After SHUTDOWN a greeting is that of a new process, which shares nothing with the one before.
        ("E1 H9 G S2", "301@1", "301@1"),
        ("S1 H9 G E2", "302@4", "301@4"),
        ("G E1 H9 G", "301@2", "301@2"),
        ("G S1 R2 W3 H9 G E4 S5 H9 G w6 H9 G", "301@4 301@11", "301@4 301@11"),
        # After RESET or RESUME the process that announced its end goes on.
        ("E1 H9 X9 G S2", "", ""),
        ("E1 H9 R9 G", "302@1", "302@1"),
        # A greeting alone can be that of a client that comes back: what is open stays so, but is never missing.
        ("E1 G", "302@1", "302@1"),
        ("E1 G S2", "", ""),
        ("E1 S1 G E2", "", ""),
        ("S1 G E2 R3 E4", "302@5", "301@5"),
        ("G W1 G W2", "302@2 302@4", "302@2 301@4"),
        # A rate-limited trigger may stand behind its response: time tells.
        ("S1.2 W1", "", ""),
        ("S1.2 R1.3 W1", "", ""),
        ("X1.2 w1", "", ""),
        ("X1 w1", "", ""),
        ("X0.9 w1", "302@2", "301@2"),
        ("S1 W1.5 R2", "", ""),
        ("S1 R2 W1.5", "", ""),
        ("S1 R1.4 W1.5", "302@3", "301@3"),
        ("W1 S0.9", "", ""),
        # No clock: the order of lines.
        ("E S", "", ""),
        ("S R E", "302@3", "301@3"),
        ("S W", "", ""),
        ("S R W", "302@3", "301@3"),
    ],
)
def test_responses(stream: str, pending: str, missing: str) -> None:
    assert said(stream) == pending
    assert said(stream, complete=True) == missing


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("E1 S2", ""),
        ("E1 S6", ""),
        ("E1 S6.000001", "303@1"),
        ("E1 E5 S7", "303@1"),
        ("E1", "302@1"),
        ("E1 P6", "302@1"),
        ("E1 P6.1", "301@1"),
        ("E1 P6.1 S7", "303@1"),
        ("E S", ""),
        ("E P9", "302@1"),
        ("S8 W1", "303@2"),
        ("S2 R3 S8 W1", ""),
        # So many stand between that the first answer is out of sight: it is taken to have come in time.
        ("S2 R2 " + "S8 R8 " * 7 + "W1", ""),
        ("S2 R2 " + "S8 R8 " * 8 + "W1", ""),
        ("S0 R0 " + "S8 R8 " * 7 + "W1", "303@17"),
        ("E1 G P9", "302@1"),
        ("E1 H2 G P9", "301@1"),
        # The clock was set back: what stands before a trigger tells nothing of its bound.
        ("P100 E1", "302@2 305@2"),
        ("P100 E1 P7", "301@2 305@2"),
    ],
)
def test_a_bound_of_five_seconds(stream: str, expected: str) -> None:
    assert said(stream, within=5) == expected


@pytest.mark.parametrize("event", ["RESUME", "POWERDOWN", "LAMP_SWITCHED"])
def test_any_event_shows_that_a_bound_has_passed(event: str) -> None:
    """Also one that the spec does not have: an erratum knows POWERDOWN, and nothing the other."""
    rules = catalogue.find("v4").rule_base
    stream = line("E1").replace('"node-name": "n", ', "") + line("R9").replace("RESUME", event)
    assert [each.code for each in check(rules, stream, within=5).listed if each.code > "QMP3"] == ["QMP301"]


def test_a_condition_on_the_command_line() -> None:
    assert said("H1") == ""
    assert said("H1", assumed=("no-shutdown",)) == "302@1"
    assert said("H1 S2", assumed=("no-shutdown",), complete=True) == ""
    assert said("H1", assumed=("no-shutdown",), complete=True) == "301@1"


def test_a_finding_tells_the_rule_the_trigger_and_how_far_the_search_went() -> None:
    [finding] = check(RULES, "".join(map(line, ["P1", "E2", "P3", "P4"])), complete=True).listed
    assert finding.text == (
        'if action is "stop", STOP follows, but none came; the event carries {"device": "d", "node-name": "n", '
        '"operation": "read", "action": "stop"} (searched up to line 4)'
    )
    assert finding.spec_line == RULES.events["BLOCK_IO_ERROR"].follow_ups[0].line


def test_open_triggers_beyond_those_kept_are_counted() -> None:
    checker = Checker(RULES, CheckOptions(max_findings=10))
    block = [line("E1").encode().rstrip()] * 1000
    for _ in range(50):
        checker.feed(block)
    result = checker.finish(complete=True)
    assert len(result.listed) == 10
    assert result.counts == {FindingKind("QMP301", "BLOCK_IO_ERROR", ""): 50_000}
    for _ in range(50):
        checker.feed(block)
    checker.feed([line("S2").encode()])
    assert checker.finish(complete=True).counts == {}


def test_what_each_trigger_came_to_can_be_asked_for() -> None:
    told: list[tuple[int, str, int | None]] = []
    stream = "".join(map(line, ["E1", "E1.1", "S2", "E3", "R4", "E5", "S5.2", "W5.1", "E6"]))
    check(RULES, stream, judged=lambda each: told.append((each.line, each.outcome, each.response)))
    assert sorted(told) == [
        (1, "met", 3),
        (2, "met", 3),
        (4, "not needed", None),
        (6, "met", 7),
        (8, "met", 7),
        (9, "not needed", None),
    ]
