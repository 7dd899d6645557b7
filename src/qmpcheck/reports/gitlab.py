"""Render GitLab's code quality report: a list of findings in JSON, each with its own fingerprint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.fingerprint import Identity
from qmpcheck.reports.report import Report, Suite
from qmpcheck.text import safe

_SEVERITIES = {Severity.NOTE: "info", Severity.WARNING: "minor", Severity.ERROR: "major"}


def render(report: Report) -> str:
    """Render an entry for each finding; what was not checked is an entry of severity `blocker`."""
    return json.dumps([*_entries(report)], indent=1) + "\n"


def _entries(report: Report) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    # What was not checked comes first: it is worse than any finding.
    entries = [*map(_unchecked, report.unchecked), *map(_finding, report.findings)]
    for entry in entries:
        stable = entry["fingerprint"]
        seen[stable] += 1
        # GitLab drops entries with equal fingerprints, so that repeated findings need a number.
        yield entry | {"fingerprint": f"{stable}-{seen[stable]}" if seen[stable] > 1 else stable}


def _finding(finding: Finding) -> dict[str, Any]:
    known = " (in the baseline)" if finding.known else ""
    return {
        "description": safe(finding.full_text) + known,
        "check_name": f"{finding.code} {finding.slug}",
        "fingerprint": fingerprint.fingerprint(fingerprint.of_finding(finding)),
        "severity": "info" if finding.known else _SEVERITIES[finding.severity],
        "location": _location(finding.file, finding.line),
    }


def _unchecked(suite: Suite) -> dict[str, Any]:
    return {
        "description": safe(f"{suite.name}: {suite.unchecked}"),
        "check_name": "unchecked",
        "fingerprint": fingerprint.fingerprint(Identity("unchecked", "", suite.name)),
        "severity": "blocker",
        "location": _location(suite.name, 0),
    }


def _location(path: str, line: int) -> dict[str, Any]:
    return {"path": safe(path).removeprefix("./"), "lines": {"begin": line or 1}}
