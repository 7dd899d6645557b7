"""The page of recorded streams: findings with their lines, and timelines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.checking.timeline import OUTCOMES, Timeline
from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import excerpt, stream_status
from qmpcheck.reports.excerpt import Excerpt
from qmpcheck.reports.html import page, timelines
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
        solid=timelines.SOLID,
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
    findings = [each for each in suite.findings if each.line and each.file == result.path]
    grouped = _grouped(findings)
    if lines is None:
        lines = excerpt.lines(result.path, _wanted(timeline, grouped))
    groups = tuple(_group(f"{id}f{at}", each, lines) for at, each in enumerate(grouped))
    return StreamView(
        id=id,
        result=result,
        name=suite.name,
        verdict=stream_status.status(result),
        unchecked=suite.unchecked,
        groups=groups,
        rules=tuple(_rules(timeline)) if timeline else (),
        data={"id": id, "name": safe(suite.name), **_data(timeline, findings, groups, lines)},
        strip=timelines.strip(timeline, findings) if timeline else ("", ""),
    )


def _data(
    timeline: Timeline | None,
    findings: Sequence[Finding],
    groups: Sequence[Group],
    lines: Mapping[int, bytes],
) -> dict[str, Any]:
    """What the timeline is drawn from, and what it says of findings; nothing of a stream without events."""
    if not timeline or not timeline.lines:
        return {}
    shown = [
        [each.line, group.event, int(group.level), group.code, safe(each.message), each.id]
        for group in groups
        for each in group.shown
    ]
    return {**timelines.data(timeline, findings, lines), "shown": shown}


def _wanted(timeline: Timeline | None, grouped: Sequence[Sequence[Finding]]) -> set[int]:
    """The numbers of the lines that the page has, each with its neighbours."""
    about = {finding.line for group in grouped for finding in group[:MOST_SHOWN]}
    if timeline and len(timeline.lines) <= MOST_LINES:
        about.update(timeline.lines)
    return {near for line in about for near in (line - 1, line, line + 1) if near}


def _grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Those that differ in their lines alone together; new ones first, then the worse ones."""
    found: dict[tuple[object, ...], list[Finding]] = {}
    for each in findings:
        key = (each.known, -each.severity, each.code, each.event, each.shown_path, each.erratum)
        found.setdefault(key, []).append(each)
    return [found[key] for key in sorted(found, key=lambda key: key[:2])]


def _group(id: str, findings: Sequence[Finding], lines: Mapping[int, bytes]) -> Group:
    listed, first = findings[:MOST_SHOWN], findings[0]
    excerpts = excerpt.of_lines(lines, listed, timelines.MOST)
    shown = tuple(
        Shown(
            id=f"{id}-{number}",
            line=each.line,
            message=each.text,
            place=timelines.place(each.spec_file, each.spec_line),
            drift=each.drift or "",
            excerpt=excerpts.get(each),
        )
        for number, each in enumerate(listed)
    )
    more = len(findings) - len(shown)
    return Group(first.code, first.severity, first.event, first.shown_path, first.known, shown, more)


def _rules(timeline: Timeline) -> Iterator[RuleCount]:
    decided = timeline.decisions
    counts: list[Counter[str]] = [Counter() for _ in timeline.rules]
    for (rule, outcome, erratum), number in Counter(
        zip(decided.rules, decided.outcomes, decided.errata, strict=True)
    ).items():
        said = OUTCOMES[outcome]
        counts[rule]["excused" if erratum and said != "met" else said] += number
    for each, outcomes in zip(timeline.rules, counts, strict=True):
        yield RuleCount(each.text, timelines.place(each.file, each.line), outcomes)
