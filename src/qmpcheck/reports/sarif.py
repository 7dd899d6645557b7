"""Render SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
import os
import posixpath
from typing import Any
from urllib.parse import quote

import qmpcheck
from qmpcheck.codes import CODES, Code
from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.report import Report, Suite
from qmpcheck.text import safe

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: Report) -> str:
    """Render a log with one run."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}
    return json.dumps(log, indent=1) + "\n"


def _run(report: Report) -> dict[str, Any]:
    used = sorted({finding.code for finding in report.findings})
    indices = {code: index for index, code in enumerate(used)}
    return {
        "tool": {
            "driver": {
                "name": "qmpcheck",
                "version": qmpcheck.__version__,
                "rules": [*map(_rule, used)],
            }
        },
        "invocations": [_invocation(report)],
        **({"properties": {"counts": dict(report.tally)}} if report.tally else {}),
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, indices[finding.code], report.has_baseline) for finding in report.findings
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    about = CODES[code]
    return {
        "id": code,
        "name": about.slug,
        "shortDescription": {"text": _message(about.slug.replace("-", " "))},
        "fullDescription": {"text": _message(about.means)},
        "help": _help(code, about),
        "defaultConfiguration": {"level": str(about.severity)},
    }


def _help(code: str, about: Code) -> dict[str, str]:
    """All that `explain` says of a code, for code scanning to show; there is no address to lead to."""
    text = f"{' '.join(about.paragraphs)} `qmpcheck explain {code}` shows examples."
    # Nothing fills in arguments here, so that readers show braces in examples as they are.
    examples = "".join(f"\n\n{title}:\n\n```\n{example.rstrip()}\n```" for title, example in about.examples)
    return {"text": _message(text), "markdown": f"{' '.join(about.paragraphs)}{examples}\n"}


def _invocation(report: Report) -> dict[str, Any]:
    skipped = (suite for suite in report.suites if suite.skipped)
    return {
        "executionSuccessful": not report.unchecked,
        "toolExecutionNotifications": [
            *(_notification(suite, "error", suite.unchecked) for suite in report.unchecked),
            *(_notification(suite, "note", f"skipped: {suite.skipped}") for suite in skipped),
        ],
    }


def _notification(suite: Suite, level: str, why: str) -> dict[str, Any]:
    return {
        "level": level,
        "message": {"text": _message(f"{suite.name}: {why}")},
        "locations": [_location(suite.name, 0)],
    }


def _result(finding: Finding, index: int, has_baseline: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": str(finding.severity),
        "message": {"text": _message(finding.full_text)},
        "locations": [_location(finding.file, finding.line)],
        # Code scanning follows a finding across runs by this; the line may change.
        "partialFingerprints": {"qmpcheck/v1": fingerprint.fingerprint(fingerprint.of_finding(finding))},
        "occurrenceCount": finding.times,
    }
    if has_baseline:
        result["baselineState"] = "unchanged" if finding.known else "new"
    if finding.known:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": "in the baseline"}
        ]
    return result


def _location(path: str, line: int) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(path)}}
    if line:
        physical["region"] = {"startLine": line}
    return {"physicalLocation": physical}


def uri(path: str) -> str:
    """Return a path as a URI: relative to where the tool ran, or `file:` if it is absolute."""
    # A relative URI is resolved against the root of the checkout, where CI runs the command.
    escaped = quote(_bytes(posixpath.normpath(path.replace(os.sep, "/"))))
    return f"file:///{escaped.lstrip('/')}" if escaped.startswith("/") else escaped


def _bytes(path: str) -> bytes:
    """Return the path as the file system has it, even if its bytes are no text."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace")


def _message(text: str) -> str:
    """Escape a text for a message: braces would name arguments, and brackets could make a link."""
    # SARIF fills in numbers in braces, and reads [text](target) as a link.
    escaped = safe(text).replace("{", "{{").replace("}", "}}")
    return escaped.replace("[", "\\[").replace("]", "\\]") if "](" in escaped else escaped
