"""The page of recorded streams: findings with their lines, and timelines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.checking.timeline import OUTCOMES, Timeline
from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import Excerpt
from qmpcheck.reports.html import page, timelines
from qmpcheck.reports.html.timelines import PlacedFinding
from qmpcheck.reports.report import Report, Suite, count
from qmpcheck.text import safe
from qmpcheck.validation import excerpt

SCRIPTS = ("common.js", "columns.js", "view.js", "drawing.js", "timeline.js", "streams.js")

MOST_SHOWN = 50
"""Findings of one group that are written out."""

MOST_LINES, MOST_LINES_IN_ALL = 2000, 20_000
"""Events, of one stream and of all, whose lines are all in the page; beyond, only lines with findings are."""


class Shown(msgspec.Struct, frozen=True):
    """A finding as the page shows it.

    Attributes:
        id: what links lead to.
        at: its line among those of all files that were joined.
        line: its line in the file.
        file: the file, if several were joined; else "".
        message: what is wrong.
        place: where the spec says so; "" where it has no lines.
        drift: since or until when another spec allows it.
        excerpt: its line; None where it is not there.
    """

    id: str
    at: int
    line: int
    file: str
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
        return self.result.spec.full if self.result.spec else ""

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
    results: Collection[StreamResult] = report.source
    most = min(MOST_LINES, MOST_LINES_IN_ALL // max(1, len(report.suites)))
    paths = {each.path for each in results}
    file = paths.pop() if len(results) > 1 == len(paths) else ""  # the one that several streams are in
    streams = []
    for at, (result, suite) in enumerate(zip(results, report.suites, strict=True)):
        named_suite = suite._replace(name=result.vm) if file and result.vm else suite
        streams.append(view(f"s{at}", result, named_suite, most=most))
    used = {code for each in streams for code, _ in each.codes}
    return page.render(
        "streams.html.j2",
        (*SCRIPTS, "sort.js"),
        [stream.data for stream in streams],
        report=report,
        file=file,
        formats={each.format: each.may_lack for each in results if each.format not in {"", "jsonl"}},
        verdicts=Counter(each.verdict for each in streams),
        failed=sum(any(map(report.fails, each.findings)) or bool(each.unchecked) for each in report.suites),
        accepted=count(each for each in report.findings if each.known),
        streams=sorted(streams, key=_worst_first),
        codes={code: CODES[code] for code in sorted(used)},
        levels=Severity,
        solid=timelines.SOLID,
    )


def _worst_first(stream: StreamView) -> tuple[bool, int, int]:
    return not stream.unchecked, -stream.count(Severity.ERROR), -stream.count(Severity.WARNING)


def view(
    id: str,
    result: StreamResult,
    suite: Suite,
    lines: Mapping[int, bytes] | None = None,
    most: int = MOST_LINES,
) -> StreamView:
    """A stream as a page shows it.

    Args:
        id: what links to it lead to.
        result: what checking it found, with a timeline if it was checked at all.
        suite: the same for reports; it says which findings are known.
        lines: the stream's lines; None where they are to be read from the file again.
        most: of how many events all lines are read.
    """
    timeline = result.timeline
    findings = _placed(result, suite)
    grouped = _grouped(findings)
    if lines is None:
        lines = _lines(result, _wanted(timeline, grouped, most))
    groups = tuple(_group(f"{id}f{at}", each, lines) for at, each in enumerate(grouped))
    return StreamView(
        id=id,
        result=result,
        name=suite.name,
        verdict=result.verdict,
        unchecked=suite.unchecked,
        groups=groups,
        rules=tuple(_rules(timeline)) if timeline else (),
        data={"id": id, "name": safe(suite.name), **_data(timeline, findings, groups, lines)},
        strip=timelines.strip(timeline, findings) if timeline else ("", ""),
    )


def _placed(result: StreamResult, suite: Suite) -> list[PlacedFinding]:
    begins = dict(_begins(result))
    # A suite also has entries for findings that are only counted: they have no line.
    known = [each.known for each in suite.findings if each.line and each.file in begins]
    return [
        PlacedFinding(each, is_known, begins[each.file or result.path] + each.line)
        for each, is_known in zip(result.listed, known, strict=True)
    ]


def _begins(result: StreamResult) -> Sequence[tuple[str, int]]:
    """The files of a stream, and how many lines come before each, if a timeline says so."""
    if result.timeline and result.timeline.files:
        return result.timeline.files
    return [(path, 0) for path in result.files or (result.path,)]


def _lines(result: StreamResult, wanted: Collection[int]) -> dict[int, bytes]:
    """The wanted lines, as far as they can be read again and are known to be in one file."""
    begins = _begins(result)
    if begins[1:] and not (result.timeline and result.timeline.files):
        return {}
    ends = [before for _, before in begins[1:]]
    found: dict[int, bytes] = {}
    for (path, before), end in zip_longest(begins, ends):
        inside = {line - before for line in wanted if line > before and (end is None or line <= end)}
        found.update((before + number, line) for number, line in excerpt.lines_again(path, inside).items())
    return found


def _data(
    timeline: Timeline | None,
    findings: Sequence[PlacedFinding],
    groups: Sequence[Group],
    lines: Mapping[int, bytes],
) -> dict[str, Any]:
    """What the timeline is drawn from, and what it says of findings; nothing of a stream without events."""
    if not timeline or not timeline.lines:
        return {}
    shown = [
        [each.at, group.event, int(group.level), group.code, safe(each.message), each.id]
        for group in groups
        for each in group.shown
    ]
    return {**timelines.data(timeline, findings, lines), "shown": shown}


def _wanted(timeline: Timeline | None, grouped: Sequence[Sequence[PlacedFinding]], most: int) -> set[int]:
    """The numbers of the lines that the page has, each with its neighbours."""
    about = {each.at for group in grouped for each in group[:MOST_SHOWN]}
    if timeline and len(timeline.lines) <= most:
        # Of a short stream, the page has every line.
        about.update(timeline.lines)
    return {near for line in about for near in (line - 1, line, line + 1) if near}


def _grouped(findings: Iterable[PlacedFinding]) -> list[list[PlacedFinding]]:
    """Those that differ in their lines alone together; new ones first, then the worse ones."""
    found: dict[tuple[object, ...], list[PlacedFinding]] = {}
    for placed in findings:
        each = placed.finding
        key = (placed.known, -each.severity, each.code, each.event, each.shown_path, each.erratum)
        found.setdefault(key, []).append(placed)
    return [found[key] for key in sorted(found, key=lambda key: key[:2])]


def _group(id: str, findings: Sequence[PlacedFinding], lines: Mapping[int, bytes]) -> Group:
    first, known, _ = findings[0]
    shown = tuple(_shown(f"{id}-{number}", each, lines) for number, each in enumerate(findings[:MOST_SHOWN]))
    more = len(findings) - len(shown)
    return Group(first.code, first.severity, first.event, first.shown_path, known, shown, more)


def _shown(id: str, placed: PlacedFinding, lines: Mapping[int, bytes]) -> Shown:
    each = placed.finding
    raw = lines.get(placed.at)
    found = each.excerpt if raw is None else excerpt.of_line(raw, each, timelines.MOST)
    # Where the line is shown, the message need not repeat what is in it.
    message = msgspec.structs.replace(each, carries="").text if found else each.text
    return Shown(
        id=id,
        at=placed.at,
        line=each.line,
        file=each.file,
        message=message,
        place=timelines.place(each.spec_file, each.spec_line),
        drift=each.drift or "",
        excerpt=found,
    )


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
