"""Write the verdict on a build as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from qmpcheck.codes import Impact, Severity
from qmpcheck.finding import Finding
from qmpcheck.gate.codes import WORDS
from qmpcheck.gate.expectations import events_of
from qmpcheck.gate.judge import Judged, Verdict
from qmpcheck.gate.scenario import Scenario
from qmpcheck.reports import changesreport, fingerprint, gatereport, streamstext, terminal
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.report import Report, Suite, count, levels
from qmpcheck.reports.streamstext import RowKey
from qmpcheck.reports.terminal import table
from qmpcheck.text import name, safe, shortened
from qmpcheck.wording import plural


def write(verdict: Verdict, report: Report, out: IO[str]) -> None:
    """A table of scenarios, what was found, how the build differs, and how to play by hand what failed.

    Args:
        verdict: on the build.
        report: what was found, compared with a baseline.
        out: where it goes.
    """
    paint = terminal.painter(out)
    spec = verdict.spec
    against = f"{safe(spec.name)} ({spec.id})" if spec.name != spec.id else spec.id
    out.write(f"{safe(verdict.build.path)} {verdict.build.version} against {against}\n\n")
    out.write(_table(verdict, report, out) + "\n")
    known = frozenset(map(fingerprint.of_finding, filter(lambda finding: finding.known, report.findings)))
    lines = [line for judged in verdict.judged for line in _lines(judged, known, paint)]
    lines += _drift_lines(verdict, known, paint)
    counts: Counter[RowKey] = Counter()
    for finding in report.findings:
        if finding.severity >= Severity.WARNING:  # the last line counts no notes either
            counts[RowKey(finding.code, finding.event, finding.severity)] += finding.times
    if lines:
        out.writelines(["\n", *lines])
    out.write(streamstext.counts_table(counts, out) + "\n")
    out.writelines(_by_hand(report))
    out.write(_count_line(verdict, report, paint) + "\n")


def _by_hand(report: Report) -> Iterator[str]:
    for suite in report.suites:
        if suite.by_hand:
            yield f"{suite.name} by hand:\n" + "".join(f"    {line}\n" for line in suite.by_hand) + "\n"
    if report.kept:
        yield f"recordings are in {safe(report.kept)}\n"


def _table(verdict: Verdict, report: Report, out: IO[str]) -> str:
    *suites, introspection = report.suites
    rows = [
        (suite.name, f"{judged.outcome.seconds:.1f}", _outcome(judged, suite), _seen(judged))
        for judged, suite in zip(verdict.judged, suites, strict=True)
    ]
    differs = [_differences(verdict)] if verdict.changes else []
    rows.append((introspection.name, "0.0", _in_words([*differs, *_accepted(introspection.findings)]), ""))
    headers = ("scenario", "seconds", "outcome", "events seen")
    return table(rows, headers, out, align=("left", "right", "left", "left"))


_MOST_EVENTS = 12


def _seen(judged: Judged) -> str:
    """The names of the events, each with how often it came where that is more than once."""
    shown = [
        name(event) + (f" x{count}" if count > 1 else "")
        for event, count in [*judged.seen.items()][:_MOST_EVENTS]
    ]
    more = len(judged.seen) - _MOST_EVENTS
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_LONGEST_REASON = 80


def _outcome(judged: Judged, suite: Suite) -> str:
    """How a scenario went: what a baseline accepts of its findings is only counted."""
    failure = judged.outcome.failure
    parts: list[str] = []
    if failure and judged.outcome.skipped:
        parts.append(f"skipped: lacks {shortened(failure.text, _LONGEST_REASON)}")
    elif judged.outcome.was_stopped:
        parts.append("not played")
    elif failure:
        parts.append(failure.kind)
    new = [finding for finding in suite.findings if not finding.known]
    found = levels(finding for finding in new if finding.code not in WORDS)
    parts += (plural(found[each], str(each)) for each in (Severity.ERROR, Severity.WARNING) if found[each])
    kinds = Counter(WORDS[finding.code] for finding in new if finding.code in WORDS and finding.event)
    parts += (f"{count} {what}" for what, count in kinds.items())
    return _in_words([*parts, *_accepted(suite.findings)])


def _in_words(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "ok"


def _accepted(findings: Iterable[Finding]) -> Iterator[str]:
    if accepted := count(finding for finding in findings if finding.known):
        yield f"{accepted} accepted"


def _lines(judged: Judged, known: Baseline, paint: terminal.Paint) -> Iterator[str]:
    """Each finding, with what the process sent on the line that it is about."""
    lines = {each.name: each.data.split(b"\n") for each in judged.outcome.recordings}
    for checked in judged.checked:
        yield from streamstext.of_lines(checked, lines[checked.path], paint, known)
        if checked.unlisted:
            yield f"{safe(checked.path)}: {plural(checked.unlisted.total(), 'more finding')} not listed\n"
    for fault in streamstext.new_findings(judged.faults, known):
        noted = " (warning)" * (fault.severity < Severity.ERROR)
        yield f"{fault.place}: {paint(streamstext.colour(fault), fault.code)} {fault.full_text}{noted}\n"
        if fault.line:
            yield f"    {_raw(lines[fault.file][fault.line - 1])}\n"


_LONGEST_RAW = 400


def _raw(line: bytes) -> str:
    return safe(shortened(line.decode(errors="replace").strip(), _LONGEST_RAW))


_COLOURS = {
    Impact.SAFE: terminal.GREEN,
    Impact.RISKY: terminal.YELLOW,
    Impact.BREAKING: terminal.RED,
}


def _drift_lines(verdict: Verdict, known: Baseline, paint: terminal.Paint) -> Iterator[str]:
    whose = f"since {verdict.since.name}" if verdict.since else "the build"
    for change in verdict.changes:
        finding = changesreport.of_change(change, (verdict.since or verdict.spec).name)
        if fingerprint.of_finding(finding) not in known:
            place = " ".join(filter(None, [change.event, change.shown_path]))
            level = change.level()
            yield f"{whose}: {paint(_COLOURS[level], change.code)} {place}: {change.text} ({level})\n"


def _differences(verdict: Verdict) -> str:
    """`3 differences from the spec, 1 of them breaking`; each is counted as an error or a warning, too."""
    other = f"since {safe(verdict.since.name)}" if verdict.since else "from the spec"
    breaking = sum(change.level() is Impact.BREAKING for change in verdict.changes)
    found = f"{plural(len(verdict.changes), 'difference')} {other}"
    return f"{found}, {breaking} of them breaking" if breaking else found


def _count_line(verdict: Verdict, report: Report, paint: terminal.Paint) -> str:
    """What failed comes first, then what passed and what was skipped, and what there was in all."""
    found = levels(report.findings)
    kinds: Counter[str] = sum((each.seen for each in verdict.judged), Counter())
    accepted = count(finding for finding in report.findings if finding.known)
    is_well = not report.unchecked and not gatereport.failed(report)
    counts = [
        paint(terminal.GREEN if is_well else terminal.RED, report.counts),
        f"{plural(kinds.total(), 'event')} of {plural(len(kinds), 'kind')}",
        f"{plural(found[Severity.ERROR], 'error')}, {plural(found[Severity.WARNING], 'warning')}",
        _differences(verdict),
    ]
    if accepted:
        counts.append(f"{accepted} accepted by the baseline")
    return "; ".join(counts)


def write_list(scenarios: tuple[Scenario, ...], out: IO[str]) -> None:
    """Each scenario: its name, what happens in it, its time limit, and the events that it expects."""
    for scenario in scenarios:
        expected = (each for steps in scenario.machines.values() for each in events_of(steps))
        kinds = ", ".join(dict.fromkeys(each.event for each in expected))
        out.write(f"{scenario.name}: {scenario.purpose} (within {scenario.seconds:g} s)\n    {kinds}\n")
