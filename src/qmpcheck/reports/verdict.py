"""What a stream's result comes to."""

from __future__ import annotations

from qmpcheck.checking.fold import Checked
from qmpcheck.diagnostic import Severity

CONFORMS, PENDING, VIOLATIONS, UNCHECKED = "conforms", "pending", "violations", "unchecked"


def of(checked: Checked) -> str:
    """The worst that is known of a stream.

    `violations` where a finding is an error; `unchecked` where it was not read to its end or held no
    event; `pending` where a follow-up is open; else `conforms`.
    """
    if checked.summary.count(Severity.ERROR):
        return VIOLATIONS
    if unchecked(checked):
        return UNCHECKED
    return PENDING if any(code == "QMP302" for code, *_ in checked.summary.findings) else CONFORMS


def unchecked(checked: Checked) -> str:
    """Why the result says nothing, or not all: "" where the whole stream was read and held an event."""
    if checked.unreadable:
        return checked.unreadable
    return "" if checked.summary.events else "no event in it"
