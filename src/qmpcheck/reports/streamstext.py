"""Write the results of streams as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, TYPE_CHECKING, NamedTuple

from qmpcheck.checking.result import FindingKind, StreamResult, StreamVerdict
from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import UNCHANGED, Finding, Severities, severity
from qmpcheck.reports import terminal
from qmpcheck.reports.terminal import Paint, table
from qmpcheck.text import name, safe
from qmpcheck.wording import plural

if TYPE_CHECKING:
    from qmpcheck.finding import Excerpt
    from qmpcheck.reports.fingerprint import Baseline


GROUPED, FULL, CONCISE = "grouped", "full", "concise"
"""How findings are shown: those that repeat once, each with its excerpt, or each in one line alone."""


def write(
    results: Collection[StreamResult],
    out: IO[str],
    known: Baseline | None = None,
    layout: str = GROUPED,
    quiet: bool = False,
) -> None:
    """Write each stream's counts and findings, and a table of all findings by code and event.

    Args:
        results: the streams.
        out: where the report goes.
        known: the findings that the baseline accepts: they are counted, not shown.
        layout: `GROUPED`, `FULL` or `CONCISE`, which has no table either.
        quiet: whether to leave out the counts and the table.
    """
    paint = terminal.painter(out)
    formats: set[str] = set()
    for checked in results:
        if not quiet:
            # What a format can lack is said once, not for each of the VMs in a log.
            can_lack = checked.may_lack if checked.format not in formats else ""
            formats.add(checked.format)
            out.write(_count_line(checked, paint, known, can_lack) + "\n")
        out.writelines(_shown(checked, paint, known, layout))
        more = checked.unlisted.total()
        if more:
            out.write(f"{safe_path(checked.path)}: {plural(more, 'more finding')} not listed\n")
    if layout == CONCISE or quiet:
        return
    findings: Counter[FindingKind] = Counter()
    for checked in results:
        findings.update(checked.counts)
    out.write(findings_table(findings, out, next(iter(results)).severities))


def worst_lines(checked: StreamResult, paint: Paint, known: Baseline | None) -> str:
    """The counts of a stream and its first findings, as a few lines."""
    findings = new_findings(checked.listed, known)
    first = [group[0] for group in islice(_groups(findings), _MOST_FIRST)]
    lines = [f"    {finding_line(checked.path, each, paint, checked.vm)}" for each in first]
    return f"  {_count_line(checked, paint, known)}\n{''.join(lines)}"


_MOST_FIRST = 3
"""Findings that a summary shows of a stream."""


def _shown(checked: StreamResult, paint: Paint, known: Baseline | None, layout: str) -> Iterator[str]:
    """The lines about the findings of a stream that no baseline accepts."""
    findings = new_findings(checked.listed, known)
    if not findings:
        return
    from qmpcheck.validation import excerpt

    groups = [*_groups(findings)] if layout == GROUPED else [[finding] for finding in findings]
    excerpts = excerpt.find(checked.path, [group[0] for group in groups])
    for group in groups:
        yield from _group(checked, group, excerpts.get(group[0]), paint, layout)


def of_lines(
    checked: StreamResult, lines: Sequence[bytes], paint: Paint, known: Baseline | None
) -> Iterator[str]:
    """The lines about the findings of a stream that is in memory, those that repeat once."""
    from qmpcheck.validation import excerpt

    for group in _groups(new_findings(checked.listed, known)):
        yield from _group(checked, group, excerpt.of_line(lines[group[0].line - 1], group[0]), paint, GROUPED)


def _group(
    checked: StreamResult, group: Sequence[Finding], found: Excerpt | None, paint: Paint, layout: str
) -> Iterator[str]:
    """The lines about findings that are the same but for their places."""
    first, *others = group
    yield finding_line(checked.path, first, paint, checked.vm, found.column if found else None)
    if found and layout != CONCISE:
        yield f"    {found.text}\n    {paint(colour(first), found.marker)}\n"
    if others:
        yield f"    and {_places(others)}\n"


def new_findings(findings: Sequence[Finding], known: Baseline | None) -> list[Finding]:
    """The findings that a baseline does not accept."""
    return [finding for finding in findings if not (known and _is_in(known, finding))]


def _groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    from qmpcheck.reports import fingerprint  # without a finding nobody asks

    return fingerprint.groups(findings)


_MOST_PLACES = 5


def _places(findings: Sequence[Finding]) -> str:
    """`1 more, in line 7`."""
    lines = [
        f"{file and safe(file) + ':'}{line}"
        for file, line in dict.fromkeys((e.file, e.line) for e in findings)
    ]
    shown = ", ".join(lines[:_MOST_PLACES]) + (", …" if len(lines) > _MOST_PLACES else "")
    return f"{len(findings)} more, in {'line' if len(lines) == 1 else 'lines'} {shown}"


def _count_line(checked: StreamResult, paint: Paint, known: Baseline | None, can_lack: str = "") -> str:
    errors, warnings = checked.count(Severity.ERROR), checked.count(Severity.WARNING)
    counts = [plural(checked.lines, "line"), plural(checked.events, "event"), plural(errors, "error")]
    counts += [plural(warnings - errors, "warning")]
    if known:
        accepted = sum(_is_in(known, finding) for finding in checked.listed)
        counts += [f"{accepted} accepted by the baseline"]
    verdict = checked.verdict
    if verdict == "unchecked" and not checked.events:
        said = "not checked"
    else:
        said = f"{_WORDS[verdict]} {safe(checked.spec.full)}" if checked.spec else verdict
    vm = f" {name(checked.vm)}:" if checked.vm else ""
    more = f" and {plural(len(checked.files) - 1, 'file')} before it" if checked.files else ""
    line = f"{safe_path(checked.path)}{more}:{vm} {paint(_COLOURS[verdict], said)}: {', '.join(counts)}"
    if checked.format in ("", "jsonl"):
        return line
    lacks = f", which can lack {can_lack}" if can_lack else ""
    return f"{line} (format {checked.format}{lacks})"


_WORDS: dict[StreamVerdict, str] = {
    "conforms": "conforms to",
    "pending": "conforms so far to",
    "violations": "violations of",
    "unchecked": "checked in part against",
}

_COLOURS = {
    "conforms": terminal.GREEN,
    "pending": terminal.YELLOW,
    "violations": terminal.RED,
    "unchecked": terminal.RED,
}


def finding_line(path: str, finding: Finding, paint: Paint, vm: str = "", column: int | None = None) -> str:
    """`path:line:column: CODE message`, with its newline.

    Args:
        path: the stream or the document.
        finding: one in it.
        paint: colours the code.
        vm: the VM whose stream it is; "" where nothing says so.
        column: in characters from 1; None where it is not known.
    """
    at = (
        f"{safe_path(finding.file or path)}:{finding.line}"
        + (f":{column}" if column else "")
        + (f": {name(vm)}" if vm else "")
    )
    return f"{at}: {paint(colour(finding), finding.code)} {finding.full_text}\n"


def colour(finding: Finding) -> str:
    """The colour for how bad a finding is."""
    return terminal.RED if finding.severity is Severity.ERROR else terminal.YELLOW


def _is_in(known: Baseline, finding: Finding) -> bool:
    from qmpcheck.reports import fingerprint  # without a baseline nobody asks

    return fingerprint.of_finding(finding) in known


def safe_path(path: str) -> str:
    """Escape a path at the beginning of a line, where CI systems read some characters as commands."""
    return safe(f"./{path}" if path.startswith(("::", "##")) else path)


def findings_table(findings: Counter[FindingKind], out: IO[str], severities: Severities = UNCHANGED) -> str:
    """Return a table of the findings by code and event; "" if there are none."""
    shown: Counter[RowKey] = Counter()  # a row counts findings with an erratum and without
    for (code, event, erratum), count in findings.items():
        shown[RowKey(code, event, severity(code, erratum, severities))] += count
    return counts_table(shown, out)


class RowKey(NamedTuple):
    """What the findings that a row of the table counts have in common; the event is safe to print."""

    code: str
    event: str
    severity: Severity


def counts_table(counts: Counter[RowKey], out: IO[str]) -> str:
    """Return a table of how many findings there are; "" if there are none."""
    if not counts:
        return ""
    rows = [
        (row.code, CODES[row.code].slug, str(row.severity), row.event, count)
        for row, count in sorted(counts.items(), key=lambda item: (*item[0][:2], str(item[0].severity)))
    ]
    headers = ("code", "finding", "severity", "event", "count")
    return "\n" + table(rows, headers, out) + "\n"
