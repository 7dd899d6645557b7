"""How well the specs fit a stream, as text, and as JSON by `fit.schema.json` beside this file."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import IO, Any

import qmpcheck
from qmpcheck import keypath
from qmpcheck.drift import release_ranges
from qmpcheck.drift.fit import Fit, SpecFit, StreamFit
from qmpcheck.finding import Finding
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import TEXT_DOCUMENT, SpecEntry
from qmpcheck.text import name, safe
from qmpcheck.version import Version
from qmpcheck.wording import first_of, plural


def write_text(path: str, streams: Sequence[StreamFit], out: IO[str]) -> None:
    """For each stream the answer, what bounds it, a table of the releases and one of the event document.

    Neighbours with one result share a row.
    """
    for at, each in enumerate(streams):
        out.write("\n" if at else "")
        _write_one(f"{safe(path)}: {name(each.vm)}" if each.vm else safe(path), each.fit, out)


def _write_one(label: str, fit: Fit, out: IO[str]) -> None:
    out.write(f"{label}: {_answer(fit)}: {', '.join(_counts(fit))}\n")
    if fit.events:
        out.writelines(f"  {line}\n" for line in _evidence(fit))
        out.write(f"\n{_table(('releases',), _releases(fit))}\n")
        out.write(f"\n{_table((TEXT_DOCUMENT, 'dated', 'among them'), _texts(fit))}\n")


def _table(specs: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    from tabulate import tabulate

    return tabulate([*rows], headers=(*specs, "conform", "", "first that does not"), disable_numparse=True)


def _answer(fit: Fit) -> str:
    if not fit.events:
        return "nothing to fit"
    best = release_ranges.text(fit.best, fit.names)
    if fit.is_whole:
        return f"fits {best}"
    if not fit.conforming:
        return "fits no release at all"
    return f"fits no release wholly; best: {best} ({_percent(fit.conforming, fit)})"


def _counts(fit: Fit) -> Iterator[str]:
    yield plural(fit.lines, "line")
    yield plural(fit.events, "event")
    if fit.strange:
        yield f"{plural(fit.strange, 'line')} that {'is' if fit.strange == 1 else 'are'} no message"
    if fit.versions:
        say = "greetings say" if fit.versions[1:] else "greeting says"
        yield f"the {say} {first_of([*map(str, fit.versions)])}"


def _evidence(fit: Fit) -> Iterator[str]:
    for side, findings in _sides(fit):
        for finding in findings:
            yield f"{carried(finding)}: {side} (line {finding.line})"


def _sides(fit: Fit) -> list[tuple[str, tuple[Finding, ...]]]:
    return [(f"{fit.oldest} or later", fit.too_old), (f"{fit.newest} or earlier", fit.too_new)]


def carried(finding: Finding) -> str:
    """What the event does that the spec does not have, in a few words that are safe to print."""
    member = keypath.as_text(finding.path[1:] or finding.path)
    return _PHRASES[finding.code].format(event=finding.event, member=member, got=finding.got)


_PHRASES = {
    "QMP201": "{event} is sent",
    "QMP202": "{event} lacks {member}",
    "QMP203": "{event} carries {member}",
    "QMP204": "{event} has {member} of type {got}",
    "QMP205": "{event} has {got} as {member}",
}


def _releases(fit: Fit) -> Iterator[tuple[str, ...]]:
    for result, group in groupby(fit.releases, lambda row: _result(row, fit)):
        yield _span([row.spec for row in group]), *result


def _texts(fit: Fit) -> Iterator[tuple[str, ...]]:
    for result, group in groupby(fit.texts, lambda row: _result(row, fit)):
        entries = [_entries()[row.spec] for row in group]
        dates = _span([entry.date for entry in entries])
        yield _span([entry.id for entry in entries]), dates, _among(entries), *result


def _span(names: Sequence[str]) -> str:
    return release_ranges.Stretch(0, -1).text(names)


def _among(entries: Sequence[SpecEntry]) -> str:
    """The editions and the texts beside a schema, which the table of releases does not have."""
    names = [name for entry in entries for name in (entry.edition, *entry.releases)]
    others = [name for name in names if name.startswith("v") or name.endswith(":txt")]
    return ", ".join(_span([*group]) for _, group in groupby(others, lambda name: name.endswith(":txt")))


@functools.cache
def _entries() -> dict[str, SpecEntry]:
    return {entry.id: entry for entry in catalogue.entries()}


def _result(row: SpecFit, fit: Fit) -> tuple[str, str, str]:
    """What is shown of a spec."""
    first = next(iter(row.reasons), None)
    why = f"line {first.line}: {carried(first)}" if first else ""
    return _percent(row.conforming, fit), f"{row.conforming} of {fit.events}", why


def _percent(conforming: int, fit: Fit) -> str:
    """Never rounded up: 100.0 % is all."""
    return f"{conforming * 1000 // fit.events / 10} %"


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
            if fit.versions:
                self._by_greeting[
                    " and ".join(dict.fromkeys(version.release for version in fit.versions))
                ] += 1
            elif fit.is_whole:
                self._by_fit[release_ranges.text(fit.best, fit.names)] += 1
            if not fit.is_whole:
                vm = f" ({name(each.vm)})" if each.vm else ""
                self._without.append(f"{safe(path)}{vm}: {_answer(fit)}")

    def text(self) -> str:
        """A table of the releases, and the streams that no release fits."""
        from tabulate import tabulate

        rows = [
            *((release, count, "the greeting") for release, count in self._by_greeting.most_common()),
            *((releases, count, "all events") for releases, count in self._by_fit.most_common()),
        ]
        table = tabulate(rows, headers=("written by", "streams", "as said by"), disable_numparse=True)
        lines = [
            f"{plural(self._streams, 'stream')}, {plural(self._events, 'event')}",
            "",
            *([table] * bool(rows)),
        ]
        if self._without:
            more = len(self._without) - _MOST_NAMED
            lines += ["", f"{plural(len(self._without), 'stream')} that no release fits wholly:"]
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
    """The report on one stream as a value."""
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
            {"bound": side, **_finding(finding)} for side, findings in _sides(fit) for finding in findings
        ],
        "releases": [{"release": row.spec, **_judged(row)} for row in fit.releases],
        "texts": [{**_text(_entries()[row.spec]), **_judged(row)} for row in fit.texts],
    }


def _text(entry: SpecEntry) -> dict[str, Any]:
    return {"revision": entry.id, "date": entry.date, "names": [*catalogue.names(entry)]}


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
