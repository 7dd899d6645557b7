"""Write the JSON report of streams; `report.schema.json` beside this file is its schema."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import IO, Any

import msgspec

import qmpcheck
from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.reports.report import Report
from qmpcheck.specs.catalogue import SpecName
from qmpcheck.text import safe


def write(results: Collection[StreamResult], out: IO[str]) -> None:
    """Write one JSON object, in ASCII: nothing in it can steer a terminal.

    It is `report` of the results as text, written piece by piece, as there may be a million of them.
    """
    begin, end = _text({**_head(results), "streams": [], "diagnostics": []}).split('"streams": []', 1)
    between, end = end.split("[]", 1)
    out.write(f'{begin}"streams": ')
    _write_list(map(_stream, results), out)
    out.write(between)
    _write_list(chain.from_iterable(map(_diagnostics, results)), out)
    out.write(end)


def _write_list(items: Iterable[dict[str, Any]], out: IO[str]) -> None:
    """Write a list that is a value of the outermost object."""
    before = "[\n"
    for item in items:
        text = json.dumps(item, indent=1)
        out.write(before + "\n".join(f"  {line}" for line in text.split("\n")))
        before = ",\n"
    out.write("[]" if before == "[\n" else "\n ]")


def render(found: Report) -> str:
    """Render the command's own report as JSON."""
    return _text(found.document())


def _text(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"


def report(results: Collection[StreamResult]) -> dict[str, Any]:
    """Return the report as a value."""
    return {
        **_head(results),
        "streams": [_stream(checked) for checked in results],
        "diagnostics": [each for checked in results for each in _diagnostics(checked)],
    }


def _head(results: Collection[StreamResult]) -> dict[str, Any]:
    # Streams of one spec may differ in why it was chosen.
    specs = {checked.spec and msgspec.structs.replace(checked.spec, newer="", note="") for checked in results}
    spec = specs.pop() if len(specs) == 1 else None
    return {"qmpcheck": qmpcheck.__version__, "spec": spec and of_spec(spec)}


def _stream(checked: StreamResult) -> dict[str, Any]:
    files = {"files": [*map(safe, checked.files)]} if checked.files else {}
    return {
        "path": safe(checked.path),
        **files,
        "format": checked.format,
        "vm": safe(checked.vm),
        "spec": checked.spec and of_spec(checked.spec),
        "lines": checked.lines,
        "events": checked.events,
        "verdict": checked.verdict,
    }


def of_spec(spec: SpecName) -> dict[str, Any]:
    """Return what every report says of a spec."""
    return {"name": safe(spec.name), "id": spec.id, "not_understood": spec.not_understood}


def _diagnostics(checked: StreamResult) -> Iterator[dict[str, Any]]:
    if not checked.listed:
        return
    from qmpcheck.validation import excerpt

    excerpts = excerpt.find(checked.path, checked.listed)
    for finding in checked.listed:
        found = excerpts.get(finding)
        yield _diagnostic(checked, finding, found.column if found else None)


def _diagnostic(checked: StreamResult, finding: Finding, column: int | None) -> dict[str, Any]:
    file = {"file": safe(finding.file)} if finding.file else {}
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": str(finding.severity),
        "stream": safe(checked.path),
        **file,
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
