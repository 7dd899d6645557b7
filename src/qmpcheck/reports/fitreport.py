"""Report how well the specs fit a stream, as text or as JSON; `fit.schema.json` is the JSON's schema."""

from __future__ import annotations

import functools
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import IO, Any, NamedTuple

import qmpcheck
from qmpcheck import keypath
from qmpcheck.drift.fit import Fit, SpecFit, StreamFit, evidence
from qmpcheck.finding import Finding
from qmpcheck.reports.terminal import table
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import TEXT_DOCUMENT, SpecEntry
from qmpcheck.text import name, safe
from qmpcheck.version import Version
from qmpcheck.wording import ReleaseRange, first_of, plural, release_ranges_text


def write_text(path: str, streams: Sequence[StreamFit], out: IO[str]) -> None:
    """Write for each stream the answer, the evidence, a table of releases, and how the event document fits.

    Consecutive specs with the same result share a row.
    """
    for at, each in enumerate(streams):
        out.write("\n" if at else "")
        _write_one(f"{safe(path)}: {name(each.vm)}" if each.vm else safe(path), each.fit, out)


def _write_one(label: str, fit: Fit, out: IO[str]) -> None:
    out.write(f"{label}: {answer(fit)}: {', '.join(counts(fit))}\n")
    if fit.events:
        out.writelines(f"  {line}\n" for line in _evidence(fit))
        releases = [(row.specs, *row.result) for row in release_rows(fit)]
        out.write(f"\n{_table(('releases',), releases, out)}\n")
        out.write(f"\n{_texts(fit, out)}\n" if fit.texts else "")


def _texts(fit: Fit, out: IO[str]) -> str:
    """A table of the event document; one line if all its revisions fit worse than the best release."""
    best = max(each.conforming for each in fit.texts)
    if best < fit.conforming:
        return f"{TEXT_DOCUMENT}: no revision fits as well (at most {_percent(best, fit.events)})"
    texts = [(row.specs, row.dates, row.among, *row.result) for row in text_rows(fit)]
    return _table((TEXT_DOCUMENT, "dated", "among them"), texts, out)


def _table(specs: Sequence[str], rows: Sequence[Sequence[str]], out: IO[str]) -> str:
    return table(rows, (*specs, "conform", "", "first that does not"), out)


def answer(fit: Fit) -> str:
    """Which releases could have written the stream."""
    if not fit.events:
        return "nothing to fit"
    best = release_ranges_text(fit.best, fit.names)
    if fit.is_whole:
        return f"fits {best}"
    if not fit.conforming:
        return "fits no release at all"
    return f"fits no release completely; best: {best} ({_percent(fit.conforming, fit.events)})"


def counts(fit: Fit) -> Iterator[str]:
    """What the stream holds, in words."""
    yield plural(fit.lines, "line")
    yield plural(fit.events, "event")
    if fit.strange:
        are = "is not a message" if fit.strange == 1 else "are not messages"
        yield f"{plural(fit.strange, 'line')} that {are}"
    if fit.versions:
        say = "greetings say" if fit.versions[1:] else "greeting says"
        but = "but " if _contradicts(fit) else ""
        yield f"{but}the {say} {first_of([*map(str, fit.versions)])}"


def _contradicts(fit: Fit) -> bool:
    """Whether the greetings name releases, none of which is among the best ones."""
    best = dict(zip(fit.names, fit.best, strict=True))
    named = [best[each.release] for each in fit.versions if each.release in best]
    return bool(fit.events) and bool(named) and not any(named)


def _evidence(fit: Fit) -> Iterator[str]:
    for side, findings in sides(fit):
        for finding in findings:
            yield f"{carried(finding)}: {side} (line {finding.line})"


def sides(fit: Fit) -> list[tuple[str, tuple[Finding, ...]]]:
    """What bounds the releases from below and from above, each with the findings that say so."""
    return [(f"{fit.oldest} or later", fit.too_old), (f"{fit.newest} or earlier", fit.too_new)]


def carried(finding: Finding) -> str:
    """Say what an event does against the spec, in a few words that are safe to print."""
    member = keypath.as_text(finding.path[1:] or finding.path)
    return evidence(finding).phrase.format(event=finding.event, member=member, got=finding.got)


class FitRow(NamedTuple):
    """Specs in a row that fit equally well, for the same reason.

    Attributes:
        specs: their names: one, or the first and the last.
        conforming: how many events conform.
        events: how many there are.
        reason: the first that does not, in words; "" for none.
        dates: of revisions, when they were made.
        among: of revisions, the editions and releases among them.
    """

    specs: str
    conforming: int
    events: int
    reason: str
    dates: str = ""
    among: str = ""

    @property
    def percent(self) -> str:
        """Return a percentage that is never rounded up: 100.0 % means all."""
        return _percent(self.conforming, self.events)

    @property
    def result(self) -> tuple[str, str, str]:
        """How they fit, in the cells of a table."""
        return self.percent, f"{self.conforming} of {self.events}", self.reason


def release_rows(fit: Fit) -> Iterator[FitRow]:
    """The releases; neighbours with one result share a row."""
    for group in _alike(fit.releases):
        yield FitRow(_span([row.spec for row in group]), group[0].conforming, fit.events, _reason(group[0]))


def text_rows(fit: Fit) -> Iterator[FitRow]:
    """The revisions of the event document; neighbours with one result share a row."""
    for group in _alike(fit.texts):
        entries = [_entries()[row.spec] for row in group]
        yield FitRow(
            _span([entry.id for entry in entries]),
            group[0].conforming,
            fit.events,
            _reason(group[0]),
            _span([entry.date for entry in entries]),
            _among(entries),
        )


def _alike(rows: Iterable[SpecFit]) -> Iterator[list[SpecFit]]:
    for _, group in groupby(rows, lambda row: (row.conforming, _reason(row))):
        yield [*group]


def _span(names: Sequence[str]) -> str:
    return ReleaseRange(0, -1).text(names)


def _among(entries: Sequence[SpecEntry]) -> str:
    """Return the names that the table of releases lacks: editions, and texts beside a schema."""
    names = [name for entry in entries for name in (entry.edition, *entry.releases)]
    others = [name for name in names if name.startswith("v") or name.endswith(":txt")]
    return ", ".join(_span([*group]) for _, group in groupby(others, lambda name: name.endswith(":txt")))


@functools.cache
def _entries() -> dict[str, SpecEntry]:
    return {entry.id: entry for entry in catalogue.entries()}


def _reason(row: SpecFit) -> str:
    """Describe the first event that does not conform; "" for none."""
    first = next(iter(row.reasons), None)
    return f"line {first.line}: {carried(first)}" if first else ""


def _percent(conforming: int, events: int) -> str:
    """Return a percentage that is never rounded up: 100.0 % means all."""
    return f"{conforming * 1000 // events / 10} %"


class Sums:
    """How many streams each release wrote, of any number of files.

    Attributes:
        versions: those that greetings name.
    """

    def __init__(self) -> None:
        self.versions: dict[Version, None] = {}
        self._by_greeting: Counter[str] = Counter()
        self._by_fit: Counter[str] = Counter()
        self._streams = self._events = 0
        self._without: list[str] = []

    def add(self, path: str, streams: Iterable[StreamFit]) -> None:
        """Add the streams of a file; those without an event are none."""
        for each in streams:
            fit = each.fit
            if not fit.events:
                continue
            self._streams += 1
            self._events += fit.events
            self.versions.update(dict.fromkeys(fit.versions))
            # What a greeting says is certain; the events only narrow it down.
            if fit.versions:
                self._by_greeting[
                    " and ".join(dict.fromkeys(version.release for version in fit.versions))
                ] += 1
            elif fit.is_whole:
                self._by_fit[release_ranges_text(fit.best, fit.names)] += 1
            if not fit.is_whole:
                vm = f" ({name(each.vm)})" if each.vm else ""
                self._without.append(f"{safe(path)}{vm}: {answer(fit)}")

    def text(self) -> str:
        """A table of the releases, and the streams that no release fits."""
        rows = [
            *((release, count, "the greeting") for release, count in self._by_greeting.most_common()),
            *((releases, count, "all events") for releases, count in self._by_fit.most_common()),
        ]
        shown = table(rows, ("release", "streams", "according to"), sys.stdout)
        lines = [
            f"{plural(self._streams, 'stream')}, {plural(self._events, 'event')}",
            "",
            *([shown] * bool(rows)),
        ]
        if self._without:
            more = len(self._without) - _MOST_NAMED
            lines += ["", f"{plural(len(self._without), 'stream')} that no release fits completely:"]
            lines += [f"  {each}" for each in self._without[:_MOST_NAMED]]
            lines += [f"  and {more} more"] * (more > 0)
        return "\n".join(lines) + "\n"


_MOST_NAMED = 20
"""Streams that no release fits and that are named."""


def write_json(path: str, streams: Sequence[StreamFit], out: IO[str]) -> None:
    """Write a JSON object for each stream, in ASCII: nothing in it can steer a terminal."""
    for each in streams:
        json.dump(report(path, each), out, indent=1)
        out.write("\n")


def report(path: str, stream: StreamFit) -> dict[str, Any]:
    """Return the report about one stream as a value."""
    fit = stream.fit
    return {
        "qmpcheck": qmpcheck.__version__,
        "stream": {
            "path": safe(path),
            "vm": safe(stream.vm),
            "lines": fit.lines,
            "events": fit.events,
            "strange": fit.strange,
            "greeting": str(fit.versions[0]) if fit.versions else None,
            "greetings": [*map(str, fit.versions)],
        },
        "fits": bool(fit.events) and fit.is_whole,
        "best": [name for name, best in zip(fit.names, fit.best, strict=True) if best and fit.events],
        "evidence": [
            {"bound": side, **_finding(finding)} for side, findings in sides(fit) for finding in findings
        ],
        "releases": [{"release": row.spec, **_judged(row)} for row in fit.releases],
        "texts": [
            {"revision": each.id, "date": each.date, "names": [*catalogue.names(each)], **_judged(row)}
            for row in fit.texts
            for each in [_entries()[row.spec]]
        ],
    }


def _judged(row: SpecFit) -> dict[str, Any]:
    return {
        "conforming": row.conforming,
        "first": _finding(row.reasons[0]) if row.reasons else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "line": finding.line,
        "code": finding.code,
        "event": finding.event,
        "path": finding.shown_path,
        "text": carried(finding),
    }
