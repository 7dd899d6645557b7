"""The registry of codes: the name of each, its severity, what it means, why it matters, and examples.

A code is never reused for something else. There is one module for each family, and one entry for each code.
Other modules read here what they need to know about codes, and have no lists of codes of their own: so a new
code needs no change there.
"""

from __future__ import annotations

from qmpcheck.codes import builds, documents, drift, lines, payload, temporal
from qmpcheck.codes.code import (
    Allowance,
    ChangeDirection,
    ChangeKind,
    ChangeSubject,
    Code,
    Evidence,
    Impact,
    Severity,
)

__all__ = [
    "BUILD_CODES",
    "CODES",
    "DOCUMENT_CODES",
    "DRIFT_CODES",
    "RULE_CODES",
    "STREAM_CODES",
    "TIME_CODES",
    "Allowance",
    "ChangeDirection",
    "ChangeKind",
    "ChangeSubject",
    "Code",
    "Evidence",
    "Impact",
    "Severity",
]

CODES: dict[str, Code] = (
    lines.CODES | payload.CODES | temporal.CODES | builds.CODES | drift.CODES | documents.CODES
)
"""Every code, in order."""

TIME_CODES = frozenset(temporal.CODES)
"""The codes of findings about several messages over time."""

RULE_CODES = {each.outcome: code for code, each in CODES.items() if each.outcome}
"""The code of each outcome of a temporal rule that is a finding."""

STREAM_CODES = frozenset(lines.CODES) | frozenset(payload.CODES) | TIME_CODES
"""The codes of findings about streams."""

BUILD_CODES = frozenset(builds.CODES)
"""The codes that only the gate reports."""

DRIFT_CODES = frozenset(drift.CODES)
"""The codes of changes between two specs."""

DOCUMENT_CODES = frozenset(documents.CODES)
"""The codes of findings about spec documents."""
