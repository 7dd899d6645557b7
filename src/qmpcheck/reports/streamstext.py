"""Findings for a reader at a terminal or of a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from qmpcheck.checking.result import FindingKind, StreamResult
from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import AS_IT_IS, Finding, Severities, severity
from qmpcheck.reports import stream_status, style
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import name, safe
from qmpcheck.wording import plural

if TYPE_CHECKING:
    from qmpcheck.reports.fingerprint import Baseline


def write(results: Sequence[StreamResult], out: IO[str], known: Baseline | None = None) -> None:
    """Each stream's counts and findings, then a table of all findings by code and event."""
    paint = style.painter(out)
    for checked in results:
        out.write(_count_line(checked, paint, known) + "\n")
        out.writelines(finding_lines(checked.path, checked.listed, paint, known, checked.vm))
        more = checked.unlisted.total()
        if more:
            out.write(f"{safe_path(checked.path)}: {plural(more, 'finding')} more, not listed\n")
    findings: Counter[FindingKind] = Counter()
    for checked in results:
        findings.update(checked.counts)
    out.write(table(findings, results[0].severities))


def _count_line(checked: StreamResult, paint: style.Paint, known: Baseline | None) -> str:
    errors, warnings = checked.count(Severity.ERROR), checked.count(Severity.WARNING)
    counts = [plural(checked.lines, "line"), plural(checked.events, "event"), plural(errors, "error")]
    counts += [plural(warnings - errors, "warning")]
    if known:
        accepted = sum(_is_in(known, finding) for finding in checked.listed)
        counts += [f"{accepted} of them in the baseline"]
    result = stream_status.status(checked)
    colour = _COLOURS[result]
    said = f"{_WORDS[result]} {_named(checked.spec)}" if checked.spec else result
    vm = f" {name(checked.vm)}:" if checked.vm else ""
    line = f"{safe_path(checked.path)}:{vm} {paint(colour, said)}: {', '.join(counts)}"
    if checked.format in ("", "jsonl"):
        return line
    lacks = f", which can lack {checked.may_lack}" if checked.may_lack else ""
    return f"{line} (format {checked.format}{lacks})"


def _named(spec: Spec) -> str:
    return safe(spec.name) if spec.name == spec.id else f"{safe(spec.name)} ({spec.id})"


_WORDS = {
    stream_status.CONFORMS: "conforms to",
    stream_status.PENDING: "conforms so far to",
    stream_status.VIOLATIONS: "violations of",
    stream_status.UNCHECKED: "unchecked by",
}

_COLOURS = {
    stream_status.CONFORMS: style.GREEN,
    stream_status.PENDING: style.YELLOW,
    stream_status.VIOLATIONS: style.RED,
    stream_status.UNCHECKED: style.RED,
}


def finding_lines(
    path: str,
    findings: Iterable[Finding],
    paint: style.Paint,
    known: Baseline | None = None,
    vm: str = "",
) -> Iterator[str]:
    """`path:line: CODE message`, each with its newline.

    Args:
        path: the stream or the document.
        findings: those in it.
        paint: colours the codes.
        known: the findings that the baseline has.
        vm: the VM that the stream is of; "" where nothing tells it.
    """
    for finding in findings:
        colour = style.RED if finding.severity is Severity.ERROR else style.YELLOW
        place = " ".join(filter(None, [finding.event, finding.shown_path]))
        message = f"{place}: {finding.text}" if place else finding.text
        message += f" ({finding.drift})" if finding.drift else ""
        noted = " (in the baseline)" if known and _is_in(known, finding) else ""
        at = f"{safe_path(path)}:{finding.line}" + (f": {name(vm)}" if vm else "")
        yield f"{at}: {paint(colour, finding.code)} {message}{spec_reference(finding)}{noted}\n"


def _is_in(known: Baseline, finding: Finding) -> bool:
    from qmpcheck.reports import fingerprint  # without a baseline nobody asks

    return fingerprint.of_finding(finding) in known


def safe_path(path: str) -> str:
    """A path at the beginning of a line, where CI systems take some signs for commands."""
    return safe(f"./{path}" if path.startswith(("::", "##")) else path)


def spec_reference(finding: Finding) -> str:
    """Where the spec says so, in parentheses; "" where it has no lines."""
    if not finding.spec_line:
        return ""
    if finding.spec_file:
        return f" ({safe(finding.spec_file)}:{finding.spec_line} of the spec)"
    return f" (spec line {finding.spec_line})"


def table(findings: Counter[FindingKind], severities: Severities = AS_IT_IS) -> str:
    """The findings counted by code and event; "" where there are none."""
    if not findings:
        return ""
    from tabulate import tabulate

    shown: Counter[tuple[str, str, str, str]] = Counter()  # errata are not told apart
    for (code, event, erratum), count in findings.items():
        shown[code, CODES[code].slug, str(severity(code, erratum, severities)), event] += count
    rows = [
        (*row, count)
        for row, count in sorted(shown.items(), key=lambda item: (item[0][0], item[0][3], item[0][2]))
    ]
    headers = ("code", "finding", "severity", "event", "count")
    return "\n" + tabulate(rows, headers=headers, disable_numparse=True) + "\n"
