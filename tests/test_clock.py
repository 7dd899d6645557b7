"""Time running backwards and rate limits, in random sessions: always what plain code says that reads them whole."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from qmpcheck import catalogue
from qmpcheck.checking.checker import Checker
from qmpcheck.checking.timestamps import sent_late

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
@settings(max_examples=500)
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
