"""Turn what `lint` found into a `Report`; `lint.schema.json` beside this file is the schema of its JSON."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import qmpcheck
from qmpcheck.checking.lint import Linted
from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.report import Report, Suite, compared
from qmpcheck.text import safe

CLEAN, DEFECTS, UNCHECKED = "clean", "defects", "unchecked"


def report(
    results: Sequence[Linted], unreadable: Mapping[str, str], fail_on: Severity, known: Baseline
) -> Report:
    """Return the defects of documents as a report.

    Args:
        results: the documents that were read.
        unreadable: the other documents, each with the reason.
        fail_on: the severity from which defects fail the run.
        known: the accepted defects.
    """
    suites = []
    for linted in results:
        found = tuple(compared(defect, known) for defect in linted.defects)
        suites.append(Suite(linted.path, DEFECTS if found else CLEAN, found))
    suites += [Suite(path, UNCHECKED, (), unchecked=reason) for path, reason in unreadable.items()]
    return Report(
        command="lint",
        against="the language of spec documents",
        suites=tuple(suites),
        fail_on=fail_on,
        document=functools.partial(document, results, unreadable, known),
        has_baseline=True,
    )


def document(results: Sequence[Linted], unreadable: Mapping[str, str], known: Baseline) -> dict[str, Any]:
    """Return the JSON report as a value."""
    unread = {"events": 0, "lines": None, "not_understood": 0, "verdict": UNCHECKED}
    return {
        "qmpcheck": qmpcheck.__version__,
        "documents": [
            *map(_document, results),
            *({"path": safe(path), **unread, "unchecked": reason} for path, reason in unreadable.items()),
        ],
        "diagnostics": [
            _diagnostic(linted.path, defect, known) for linted in results for defect in linted.defects
        ],
    }


def _document(linted: Linted) -> dict[str, Any]:
    return {
        "path": safe(linted.path),
        "events": len(linted.rule_base.events),
        "lines": len(linted.lines) or None,
        "not_understood": linted.rule_base.not_understood,
        "verdict": DEFECTS if linted.defects else CLEAN,
        "unchecked": None,
    }


def _diagnostic(path: str, finding: Finding, known: Baseline) -> dict[str, Any]:
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": str(finding.severity),
        "document": safe(path),
        "file": safe(finding.file),
        "line": finding.line,
        "event": finding.event or None,
        "path": finding.shown_path,
        "message": finding.text,
        "known": fingerprint.of_finding(finding) in known,
    }
