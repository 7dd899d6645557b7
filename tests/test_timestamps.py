"""Time running backwards, and rate limits.

Small streams, which are those of `letters`; and random sessions, in which it is always found what plain code finds
that reads them whole.
"""

import json
from itertools import pairwise
from typing import Any

import pytest
from checking import check
from effort import examples
from hypothesis import example, given
from hypothesis import strategies as st
from letters import RULES as TEXT
from letters import said

from qmpcheck.checking.checker import Checker
from qmpcheck.checking.timestamps import sent_late
from qmpcheck.rulebase import EventRule, Member, Object, RateLimit, RuleBase, String
from qmpcheck.specs import catalogue

RULES = catalogue.find("10.0").rule_base
LATE = sent_late(RULES)
CHECKER = Checker(RULES)

SECOND = 1_000_000

KINDS: dict[str, tuple[str, dict[str, Any]] | None] = {
    "G": None,  # a greeting
    "S": ("STOP", {}),
    "B": ("BALLOON_CHANGE", {"actual": 1}),
    "b": ("BALLOON_CHANGE", {"actual": 1, "no-such": 1}),
    "V": ("VSERPORT_CHANGE", {"id": "v", "open": True}),
    "W": ("VSERPORT_CHANGE", {"id": "w", "open": True}),
    "w": ("VSERPORT_CHANGE", {"id": "w", "open": 1}),
} | {
    letter: (
        "BLOCK_IO_ERROR",
        {"device": "d", "qom-path": path, "operation": "read", "action": action, "reason": "r"},
    )
    for letter, path, action in (("E", "/e", "report"), ("F", "/f", "report"), ("X", "/e", "stop"))
}
"""By letter; small ones, and those with a member too many, are refused by the decoder."""

Line = tuple[str, int | None]
"""A letter, and microseconds since the epoch; None where there is no clock."""


def encoded(line: Line) -> bytes:
    kind, time = KINDS[line[0]], line[1]
    if kind is None:
        return b'{"QMP": {}}\n'
    seconds, microseconds = (-1, -1) if time is None else divmod(time, SECOND)
    message: dict[str, Any] = {
        "timestamp": {"seconds": seconds, "microseconds": microseconds},
        "event": kind[0],
    }
    return json.dumps(message | ({"data": kind[1]} if kind[1] else {})).encode() + b"\n"


def plain(stream: list[Line]) -> set[tuple[int, str]]:
    """The findings, each with its line."""
    found: set[tuple[int, str]] = set()
    rows: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, (letter, time) in enumerate([*stream, ("G", None)], 1):
        kind = KINDS[letter]
        if kind is None:
            for (event, _), row in rows.items():
                late = event in LATE
                if late:
                    found |= {
                        (c, "QMP304")
                        for (_, a), (c, third) in zip(row, row[2:], strict=False)
                        if abs(third - a) < SECOND
                    }
                else:
                    found |= {
                        (b, "QMP305") for (_, first), (b, then) in pairwise(row) if first - then > SECOND
                    }
            rows = {}
        elif time is not None and kind[1].get("action") != "stop":
            told_apart = kind[1].get("id", "") or kind[1].get("qom-path", "")
            rows.setdefault((kind[0], told_apart), []).append((number, time))
    return found


STEPS = [0, 1, 300_000, 999_999, SECOND, SECOND + 1, 2 * SECOND, -1, -700_000, -SECOND - 1, -3 * SECOND]


@st.composite
def streams(draw: st.DrawFn) -> list[Line]:
    letters = draw(st.sampled_from(["GSBb", "GVWwV", "GEFX", "GGVBS", "".join(KINDS)]))
    time, stream = 100 * SECOND, []
    for letter in draw(st.lists(st.sampled_from(letters), max_size=40)):
        time += draw(st.sampled_from(STEPS))
        stream.append((letter, None if draw(st.integers(0, 19)) == 0 else time))
    return stream


def every_second(letters: str, *seconds: float) -> list[Line]:
    return [(letter, round(at * SECOND)) for letter, at in zip(letters, seconds, strict=True)]


@given(streams(), st.lists(st.integers(0, 40), max_size=3))
@examples(500)
@example(every_second("GSSG", 9, 9, 7, 9), [])
@example(every_second("GBBBG", 9, 9, 9.1, 9.2, 9), [])
@example(every_second("GBBBG", 0, 5.9, 9, 6.1, 9), [])
@example(every_second("GbBbG", 9, 9, 9.1, 9.2, 9), [])
@example(every_second("BGBGB", 9, 9, 9.1, 9.2, 9.3), [])
@example(every_second("GVWVWVG", 9, 9, 9, 10, 10, 11, 11), [])
def test_any_sessions_and_any_split(stream: list[Line], places: list[int]) -> None:
    ends = sorted({min(place, len(stream)) for place in places})
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    for piece in pieces:
        CHECKER.feed([encoded(each).rstrip() for each in piece])
    found = CHECKER.finish().listed
    assert {(each.line, each.code) for each in found if each.code in ("QMP304", "QMP305")} == plain(stream)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("P1 P0.5 P0", ""),
        ("P9 P8", ""),
        ("P9 P7.9", "305@2"),
        ("P9 P1 P2", "305@2"),
        ("P9 P P1", "305@3"),
        ("P9 G P1", ""),
        ("P9 e1", "305@2"),
        # A rate-limited event is sent late, and says when it happened.
        ("P9 w1 X9", ""),
        ("e1 e1.1 e1.2", ""),
        # Of three in a row, the first and the third are a second apart.
        ("w1 w1.1 X1.2", ""),
        ("w1 w1.1 w1.2 X1.3", "304@3"),
        ("w1 w1.9 w2 X2.1", ""),
        ("w1 w1.9 w2 w2.1 w2.2 X3", "304@4 304@5"),
        ("w100 w101 w1 w2 X3", ""),
        ("w1 w1.1 G w1.2 w1.3 X1.4", ""),
        ("w w w X", ""),
    ],
)
def test_time_alone(stream: str, expected: str) -> None:
    assert said(stream) == expected


def test_a_rate_limit_holds_for_each_key() -> None:
    change = '{"timestamp": {"seconds": 1, "microseconds": %d}, "event": "VSERPORT_CHANGE", "data": {"id": "%s", "open": true}}\n'
    stream = "".join(change % (at, key) for at, key in enumerate("abababa"))
    assert [finding.line for finding in check(TEXT, stream).listed] == [5, 6, 7]


def test_keys_of_a_rate_limit_that_can_no_longer_matter_are_forgotten() -> None:
    """And those that still matter are not: the second one is the third in a row for its key."""
    change = '{"timestamp": {"seconds": %d, "microseconds": %d}, "event": "VSERPORT_CHANGE", "data": {"id": "%s", "open": true}}\n'
    many = "".join(change % (at // 1000, at % 1000, f"port{at}") for at in range(20_000))
    near = "".join(change % (20, 0, key) for key in ("a", "b", "a", "a"))
    assert [finding.line for finding in check(TEXT, many + near).listed] == [20_004]


def at_once(event: str, data: list[dict[str, str]], rule_base: RuleBase) -> list[str]:
    """The codes that events of the same time give."""
    message = {"event": event, "timestamp": {"seconds": 1, "microseconds": 0}}
    stream = "".join(json.dumps(message | {"data": each}) + "\n" for each in data)
    return [finding.code for finding in check(rule_base, stream).listed]


IO_ERROR = Object((Member("qom-path", String()), Member("action", String())))
LIMITED = RuleBase({"BLOCK_IO_ERROR": EventRule(IO_ERROR, rate_limit=RateLimit(("qom-path",)))})
UNLIMITED = RuleBase({"BLOCK_IO_ERROR": EventRule(IO_ERROR)})


@pytest.mark.parametrize(
    ("rule_base", "actions", "expected"),
    [
        (LIMITED, "report report report", ["QMP304"]),
        (LIMITED, "report stop report", []),
        (LIMITED, "report stop report stop report", ["QMP304"]),
        (LIMITED, "stop stop stop", []),
        (UNLIMITED, "report report report", []),
    ],
)
def test_a_disk_that_stops_the_machine_says_so_at_once(
    rule_base: RuleBase, actions: str, expected: list[str]
) -> None:
    data = [{"qom-path": "/d", "action": action} for action in actions.split()]
    assert at_once("BLOCK_IO_ERROR", data, rule_base) == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [("1 1 1", ["QMP304"]), ("1 9 1", []), ("1 9 1 9 1", ["QMP304"]), ("9 9 9", []), ("8 9 8", [])],
)
def test_a_rate_limit_spares_what_the_spec_excepts(levels: str, expected: list[str]) -> None:
    limit = RateLimit(unless={"level": ("8", "9")})
    rule_base = RuleBase({"ALARM": EventRule(Object((Member("level", String()),)), rate_limit=limit)})
    assert at_once("ALARM", [{"level": level} for level in levels.split()], rule_base) == expected
