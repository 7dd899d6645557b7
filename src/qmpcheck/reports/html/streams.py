"""The page of recorded streams: findings with their lines, and timelines."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.checking.timeline import OUTCOMES, Timeline
from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import excerpt, stream_status
from qmpcheck.reports.excerpt import Excerpt, Most
from qmpcheck.reports.html import page
from qmpcheck.reports.html.columns import packed
from qmpcheck.reports.report import Report, Suite, count
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import safe

SCRIPTS = ("columns.js", "view.js", "drawing.js", "timeline.js", "streams.js")

MOST_SHOWN = 50
"""Findings of one group that are written out."""

MOST_LINES = 2000
"""Events of a stream whose lines are all in the page; of a longer one, only lines with findings are."""


class Shown(msgspec.Struct, frozen=True):
    """A finding as the page shows it.

    Attributes:
        id: what links lead to.
        line: where it stands.
        message: what is wrong.
        place: where the spec says so; "" where it has no lines.
        drift: since or until when another spec allows it.
        excerpt: its line; None where it is not there.
    """

    id: str
    line: int
    message: str
    place: str
    drift: str
    excerpt: Excerpt | None


class Group(msgspec.Struct, frozen=True):
    """Findings of one code about one member of one event, and how many are not written out."""

    code: str
    level: Severity
    event: str
    path: str
    known: bool
    shown: tuple[Shown, ...]
    more: int

    @property
    def slug(self) -> str:
        """The code's name in words."""
        return CODES[self.code].slug

    @property
    def number(self) -> int:
        """How many findings there are."""
        return len(self.shown) + self.more


class RuleCount(msgspec.Struct, frozen=True):
    """A rule over time, and how often the monitors decided what about it."""

    text: str
    place: str
    outcomes: Counter[str]


class StreamView(msgspec.Struct, frozen=True):
    """A stream as the page shows it.

    Attributes:
        id: what links lead to.
        result: what was found.
        name: of the file, and of the VM.
        verdict: in a word.
        unchecked: why it was not checked to its end; "" where it was.
        groups: the findings, the worst first.
        rules: what was decided about each rule over time.
        data: what its timeline is drawn from, as a value for JSON.
        strip: its events and its findings as paths in a drawing of 200 by 20.
    """

    id: str
    result: StreamResult
    name: str
    verdict: str
    unchecked: str
    groups: tuple[Group, ...]
    rules: tuple[RuleCount, ...]
    data: Mapping[str, Any]
    strip: tuple[str, str]

    @property
    def spec(self) -> str:
        """What it was checked against."""
        return named(self.result.spec)

    def count(self, level: Severity) -> int:
        """How many findings are of a level."""
        return self.result.count(level) - (
            self.result.count(Severity(level + 1)) if level < max(Severity) else 0
        )

    @property
    def codes(self) -> list[tuple[str, int]]:
        """Each code, and how many findings it has."""
        found: Counter[str] = Counter()
        for kind, number in self.result.counts.items():
            found[kind.code] += number
        return sorted(found.items())


def render(report: Report) -> str:
    """The page of a report of `validate`."""
    results: Sequence[StreamResult] = report.source
    streams = [view(f"s{at}", *each) for at, each in enumerate(zip(results, report.suites, strict=True))]
    used = {code for each in streams for code, _ in each.codes}
    return page.render(
        "streams.html.j2",
        SCRIPTS,
        [stream.data for stream in streams],
        report=report,
        failed=sum(any(map(report.fails, each.findings)) or bool(each.unchecked) for each in report.suites),
        accepted=count(each for each in report.findings if each.known),
        streams=sorted(streams, key=_worst_first),
        codes={code: CODES[code] for code in sorted(used)},
        levels=Severity,
        solid=SOLID,
    )


def _worst_first(stream: StreamView) -> tuple[bool, int, int]:
    return not stream.unchecked, -stream.count(Severity.ERROR), -stream.count(Severity.WARNING)


def named(spec: Spec | None) -> str:
    """A spec for a reader: its name, and what that means."""
    if spec is None:
        return ""
    return spec.name if spec.name == spec.id else f"{spec.name} ({spec.id})"


def view(id: str, result: StreamResult, suite: Suite, lines: Mapping[int, bytes] | None = None) -> StreamView:
    """A stream as a page shows it.

    Args:
        id: what links to it lead to.
        result: what checking it found, with a timeline if it was checked at all.
        suite: the same for reports; it says which findings are known.
        lines: the stream's lines; None where they are to be read from the file again.
    """
    timeline = result.timeline
    if lines is None:
        lines = excerpt.lines(result.path, _wanted(result))
    findings = [each for each in suite.findings if each.line and each.file == result.path]
    groups = tuple(_groups(id, findings, lines))
    return StreamView(
        id=id,
        result=result,
        name=suite.name,
        verdict=stream_status.status(result),
        unchecked=suite.unchecked,
        groups=groups,
        rules=tuple(_rules(timeline)) if timeline else (),
        data=_data(id, suite.name, result, groups, lines),
        strip=_strip(timeline, result.listed) if timeline else ("", ""),
    )


def _wanted(result: StreamResult) -> set[int]:
    """The numbers of the lines that the page has, each with its neighbours."""
    about = {finding.line for finding in result.listed}
    if result.timeline and len(result.timeline.lines) <= MOST_LINES:
        about.update(result.timeline.lines)
    return {near for line in about for near in (line - 1, line, line + 1) if near}


def _groups(id: str, findings: Sequence[Finding], lines: Mapping[int, bytes]) -> Iterator[Group]:
    found: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        key = (
            finding.known,
            -finding.severity,
            finding.code,
            finding.event,
            finding.shown_path,
            finding.erratum,
        )
        found.setdefault(key, []).append(finding)
    for at, (key, group) in enumerate(sorted(found.items(), key=lambda item: item[0][:2])):
        known, level, code, event, path, _ = key
        shown = tuple(
            _shown(f"{id}f{at}-{number}", finding, lines) for number, finding in enumerate(group[:MOST_SHOWN])
        )
        yield Group(code, Severity(-level), event, path, known, shown, len(group) - len(shown))


def _shown(id: str, finding: Finding, lines: Mapping[int, bytes]) -> Shown:
    found = excerpt.of_lines(lines, [finding], MOST).get(finding)
    place = _place(finding.spec_file, finding.spec_line)
    return Shown(id, finding.line, finding.text, place, finding.drift or "", found)


def _place(file: str, line: int | None) -> str:
    if not line:
        return ""
    return f"{file}:{line}" if file else f"line {line} of the document"


def _rules(timeline: Timeline) -> Iterator[RuleCount]:
    decided = timeline.decisions
    counts: list[Counter[str]] = [Counter() for _ in timeline.rules]
    for (rule, outcome, erratum), number in Counter(
        zip(decided.rules, decided.outcomes, decided.errata, strict=True)
    ).items():
        said = OUTCOMES[outcome]
        counts[rule]["excused" if erratum and said != "met" else said] += number
    for each, outcomes in zip(timeline.rules, counts, strict=True):
        yield RuleCount(each.text, _place(each.file, each.line), outcomes)


def _data(
    id: str, name: str, result: StreamResult, groups: Sequence[Group], lines: Mapping[int, bytes]
) -> Mapping[str, Any]:
    """What the timeline is drawn from: see `streams.js`, which reads it."""
    timeline = result.timeline
    if not timeline or not timeline.lines:
        return {"id": id, "name": safe(name)}
    decided = timeline.decisions._asdict()
    return {
        "id": id,
        "name": safe(name),
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
        "rules": [
            {"text": safe(each.text), "place": safe(_place(each.file, each.line))} for each in timeline.rules
        ],
        "errata": timeline.errata,
        "outcomes": OUTCOMES,
        "decisions": {column: packed(values) for column, values in decided.items()},
        "findings": [[each.line, each.event, int(each.severity)] for each in result.listed],
        "shown": [
            [each.line, group.event, int(group.level), group.code, safe(each.message), each.id]
            for group in groups
            for each in group.shown
        ],
        "text": {number: _text(line) for number, line in lines.items()},
    }


def _text(line: bytes) -> str:
    """A line for a reader, cut where it is very long."""
    text = line.decode(errors="backslashreplace")
    return safe(text if len(text) <= MOST.all else f"{text[: MOST.all]}…")


MOST = Most(300, 300, 700)
"""Characters of a line that are shown."""

STATES = ("running", "stopped", "suspended", "off")


SOLID = "M0 14h200"
"""The path of events that are too many to be told apart."""

_WIDTH = 200


def _strip(timeline: Timeline, findings: Sequence[Finding]) -> tuple[str, str]:
    """Where in a stream its events and its findings are."""
    events = len(timeline.lines)
    if not events:
        return "", ""
    lines = {finding.line for finding in findings}
    bad = {_x(bisect_left(timeline.lines, line), events) for line in lines}
    apart = events < _WIDTH // 2
    return "".join(f"M{_x(at, events)} 9v10" for at in range(events)) if apart else SOLID, "".join(
        f"M{x} 1v5" for x in sorted(bad)
    )


def _x(event: int, events: int) -> int:
    return (2 * event + 1) * _WIDTH // (2 * events)
