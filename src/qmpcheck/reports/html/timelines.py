"""What a page draws timelines of: columns that `streams.js` reads, and a strip for tables of many streams."""

from __future__ import annotations

import base64
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import sub
from typing import Any, NamedTuple

from qmpcheck.checking.timeline import COMMANDS, OUTCOMES, Timeline
from qmpcheck.finding import Finding
from qmpcheck.text import safe
from qmpcheck.validation.excerpt import ExcerptLimits

MOST = ExcerptLimits(300, 300, 700)
"""Characters of a line that are shown."""

STATES = ("running", "stopped", "suspended", "off")


class PlacedFinding(NamedTuple):
    """A finding, whether the baseline has it, and its line among those of all files that were joined."""

    finding: Finding
    known: bool
    at: int


def data(timeline: Timeline, findings: Iterable[PlacedFinding], lines: Mapping[int, bytes]) -> dict[str, Any]:
    """A timeline as a value for JSON.

    Args:
        timeline: what was recorded of the stream.
        findings: in it.
        lines: those that the page has.
    """
    decided = timeline.decisions._asdict()
    return {
        "names": timeline.names,
        "kinds": packed(timeline.kinds),
        "lines": packed(timeline.lines),
        "times": packed(timeline.times),
        "sessions": [[*map(int, each)] for each in timeline.sessions],
        "stateEvents": packed([each.event for each in timeline.states]),
        "states": packed([STATES.index(each.state) for each in timeline.states]),
        "stateNames": STATES,
        "lateEvents": packed([each.event for each in timeline.late]),
        "late": packed([each.happened for each in timeline.late]),
        "rules": [{"text": safe(each.text), "place": place(each.file, each.line)} for each in timeline.rules],
        "errata": timeline.errata,
        "outcomes": OUTCOMES,
        "decisions": {column: packed(values) for column, values in decided.items()},
        "findings": [[each.at, each.finding.event, int(each.finding.severity)] for each in findings],
        "files": [[safe(path), before] for path, before in timeline.files],
        "text": {number: _text(line) for number, line in lines.items()},
    }


def packed(column: Sequence[int]) -> str:
    """A column of integers as text, which `columns.js` reads.

    Differences in 64 bits, the lowest bytes of all first, as that compresses well; in base64.
    """
    differences = array("q", map(sub, column, chain((0,), column)))
    if sys.byteorder == "big":
        differences.byteswap()
    whole = differences.tobytes()
    planes = b"".join(whole[plane::8] for plane in range(8))
    return base64.b64encode(zlib.compress(planes)).decode("ascii")


def place(file: str, line: int | None) -> str:
    """Where a spec says something; "" where it has no lines."""
    if not line:
        return ""
    return safe(f"{file}:{line}") if file else f"line {line} of the document"


def _text(line: bytes) -> str:
    """A line for a reader, cut where it is very long."""
    text = line.decode(errors="backslashreplace")
    return safe(text if len(text) <= MOST.all else f"{text[: MOST.all]}…")


SOLID = "M0 14h200"
"""The path of events that are too many to be told apart."""

_WIDTH = 200


def strip(timeline: Timeline, findings: Sequence[PlacedFinding]) -> tuple[str, str]:
    """Where in a stream its events and its findings are: paths in a drawing of 200 by 20."""
    events = len(timeline.lines)
    found = {_x(bisect_left(timeline.lines, finding.at), events) for finding in findings if events}
    marks = "".join(f"M{x} 1v5" for x in sorted(found))
    # Commands have a lane in the timeline, but are no events.
    commands = timeline.names.index(COMMANDS) if COMMANDS in timeline.names else -1
    shown = {_x(at, events) for at, kind in enumerate(timeline.kinds) if kind != commands}
    if len(shown) > _WIDTH // 2:  # with less than two pixels for each, they would be one bar anyway
        return SOLID, marks
    return "".join(f"M{x} 9v10" for x in sorted(shown)), marks


def _x(event: int, events: int) -> int:
    return (2 * event + 1) * _WIDTH // (2 * events)
