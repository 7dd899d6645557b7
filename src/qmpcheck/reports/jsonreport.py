"""The JSON report; `report.schema.json` beside this file is its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any

import qmpcheck
from qmpcheck.catalogue import Spec
from qmpcheck.checking.fold import Checked
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.printable import safe
from qmpcheck.reports import verdict
from qmpcheck.reports.report import Report


def write(results: Sequence[Checked], spec: Spec, out: IO[str]) -> None:
    """Write one JSON object, in ASCII: nothing in it can steer a terminal."""
    out.write(_text(report(results, spec)))


def render(found: Report) -> str:
    """The report that the command itself has, as JSON."""
    return _text(found.document())


def _text(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"


def report(results: Sequence[Checked], spec: Spec) -> dict[str, Any]:
    """The report as a value."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "spec": {
            "name": safe(spec.name),
            "id": spec.id,
            "not_understood": spec.rule_base.not_understood,
        },
        "streams": [_stream(checked) for checked in results],
        "diagnostics": [
            _diagnostic(checked.path, finding) for checked in results for finding in checked.summary.listed
        ],
    }


def _stream(checked: Checked) -> dict[str, Any]:
    return {
        "path": safe(checked.path),
        "lines": checked.summary.lines,
        "events": checked.summary.events,
        "verdict": verdict.of(checked),
    }


def _diagnostic(stream: str, finding: Diagnostic) -> dict[str, Any]:
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": str(finding.severity),
        "stream": safe(stream),
        "line": finding.line,
        "event": finding.event or None,
        "path": finding.path,
        "message": finding.text,
        "spec_line": finding.spec_line,
        "spec_file": safe(finding.spec_file) or None,
        "drift": finding.drift,
    }
