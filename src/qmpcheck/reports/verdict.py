"""What a stream's result comes to."""

from __future__ import annotations

from qmpcheck.checking.fold import Checked
from qmpcheck.diagnostic import Severity

CONFORMS, PENDING, VIOLATIONS = "conforms", "pending", "violations"


def of(checked: Checked) -> str:
    """`violations` where a finding is an error, else `pending` where a follow-up is open, else `conforms`."""
    if checked.summary.count(Severity.ERROR):
        return VIOLATIONS
    return PENDING if any(code == "QMP302" for code, *_ in checked.summary.findings) else CONFORMS


def unchecked(checked: Checked) -> str:
    """Why the result says nothing, or not all: "" where the whole stream was read and held an event."""
    if checked.unreadable:
        return checked.unreadable
    return "" if checked.summary.events else "no event in it"
