"""Many streams for a reader: what was found in all of them, by release, and the worst ones."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection
from typing import IO, get_args

from qmpcheck.checking.result import FindingKind, StreamResult, StreamVerdict
from qmpcheck.codes import Severity
from qmpcheck.reports import streamstext, terminal
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.terminal import table
from qmpcheck.text import safe
from qmpcheck.wording import plural

_WORST = 10
"""Streams that are shown."""

_VERDICTS = get_args(StreamVerdict)


def write(results: Collection[StreamResult], out: IO[str], known: Baseline | None = None) -> None:
    """The streams by release and verdict, those with the most errors, and a table by code and event."""
    by_release: dict[str, Counter[str]] = {}
    findings: Counter[FindingKind] = Counter()
    lines = events = 0
    for each in results:
        by_release.setdefault(safe(each.spec.name) if each.spec else "", Counter())[each.verdict] += 1
        findings.update(each.counts)
        lines += each.lines
        events += each.events
    counts = [plural(len(results), "stream"), plural(lines, "line"), plural(events, "event")]
    out.write(f"{', '.join(counts)}\n\n{_releases(by_release, out)}\n")
    _write_worst(results, out, known)
    out.write(streamstext.findings_table(findings, out, next(iter(results)).severities))


def _releases(by_release: dict[str, Counter[str]], out: IO[str]) -> str:
    rows = [
        (release or "(none)", counts.total(), *(counts[status] or "" for status in _VERDICTS))
        for release, counts in sorted(by_release.items(), key=lambda item: (-item[1].total(), item[0]))
    ]
    return table(rows, ("spec", "streams", *_VERDICTS), out)


def _write_worst(results: Collection[StreamResult], out: IO[str], known: Baseline | None) -> None:
    """The streams with the most findings that no baseline accepts."""
    with_errors = (each for each in results if each.count(Severity.ERROR))
    worst = heapq.nlargest(_WORST, with_errors, key=lambda each: each.count(Severity.ERROR))
    if worst:
        out.write("\nwith the most errors:\n")
        out.writelines(streamstext.worst_lines(each, terminal.painter(out), known) for each in worst)
        out.write("\n--format full lists all findings of all streams\n")
