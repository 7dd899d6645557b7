"""The JSON report; `report.schema.json` beside this file is its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

import qmpcheck
from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.reports import stream_status
from qmpcheck.reports.report import Report
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import safe


def write(results: Sequence[StreamResult], out: IO[str]) -> None:
    """Write one JSON object, in ASCII: nothing in it can steer a terminal."""
    out.write(_text(report(results)))


def render(found: Report) -> str:
    """The report that the command itself has, as JSON."""
    return _text(found.document())


def _text(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"


def report(results: Sequence[StreamResult]) -> dict[str, Any]:
    """The report as a value."""
    specs = [_spec(checked.spec) for checked in results]
    is_one = all(spec == specs[0] for spec in specs)
    return {
        "qmpcheck": qmpcheck.__version__,
        "spec": specs[0] if is_one else None,
        "streams": [_stream(checked) for checked in results],
        "diagnostics": [each for checked in results for each in _diagnostics(checked)],
    }


def _stream(checked: StreamResult) -> dict[str, Any]:
    return {
        "path": safe(checked.path),
        "format": checked.format,
        "vm": safe(checked.vm),
        "spec": _spec(checked.spec),
        "lines": checked.lines,
        "events": checked.events,
        "verdict": stream_status.status(checked),
    }


def _spec(spec: Spec | None) -> dict[str, Any] | None:
    if spec is None:
        return None
    return {"name": safe(spec.name), "id": spec.id, "not_understood": spec.rule_base.not_understood}


def _diagnostics(checked: StreamResult) -> Iterator[dict[str, Any]]:
    if not checked.listed:
        return
    from qmpcheck.reports import excerpt

    excerpts = excerpt.find(checked.path, checked.listed)
    for finding in checked.listed:
        found = excerpts.get(finding)
        yield _diagnostic(checked, finding, found.column if found else None)


def _diagnostic(checked: StreamResult, finding: Finding, column: int | None) -> dict[str, Any]:
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": str(finding.severity),
        "stream": safe(checked.path),
        "vm": safe(checked.vm),
        "line": finding.line,
        "column": column,
        "event": finding.event or None,
        "path": finding.shown_path,
        "message": finding.text,
        "spec_line": finding.spec_line,
        "spec_file": safe(finding.spec_file) or None,
        "drift": finding.drift,
    }
