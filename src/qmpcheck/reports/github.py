"""Render annotations of a GitHub job: workflow commands, one on each line, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.reports.report import Report, count, worst_first
from qmpcheck.text import safe
from qmpcheck.wording import plural

MOST = 10
"""How many annotations of a level GitHub shows for a step."""


def render(report: Report) -> str:
    """Render the worst findings first, no more of a level than GitHub shows, and the number of the others."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    shown: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for suite in report.unchecked:
        shown["error"].append(_command("error", f"{suite.name}: {suite.unchecked}", suite.name))
    for finding in worst_first(report.findings):
        shown[_name(finding)].append(_finding(finding))
    # The last notices say what was checked, and how many findings are not annotated.
    kept = shown["error"][:MOST] + shown["warning"][:MOST] + shown["notice"][: MOST - 1 - bool(report.counts)]
    yield from kept
    if report.counts:
        yield _command("notice", report.counts)
    if sum(map(len, shown.values())) > len(kept):
        listed = len(report.unchecked) + count(report.findings)
        findings = plural(listed, "finding")
        yield _command("notice", f"{len(kept)} of {findings} are annotated; the log has the others")


def _name(finding: Finding) -> str:
    return "notice" if finding.known or finding.severity is Severity.NOTE else str(finding.severity)


def _finding(finding: Finding) -> str:
    known = " (in the baseline)" if finding.known else ""
    title = f"{finding.code} {finding.slug}"
    return _command(_name(finding), finding.full_text + known, finding.file, finding.line, title)


def _command(name: str, message: str, file: str = "", line: int = 0, title: str = "qmpcheck") -> str:
    properties = {"file": file, "line": str(line or ""), "title": title}
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {written}::{_data(message)}"


def _data(text: str) -> str:
    return safe(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
