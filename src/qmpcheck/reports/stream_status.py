"""The status of a stream: conforms, violations, pending or unchecked."""

from __future__ import annotations

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import RULE_CODES, Severity

CONFORMS, PENDING, VIOLATIONS, UNCHECKED = "conforms", "pending", "violations", "unchecked"


def status(checked: StreamResult) -> str:
    """Return the status of a stream.

    `violations` if a finding is an error; `unchecked` if it was not read to its end or has no event;
    `pending` if a follow-up is open; otherwise `conforms`.
    """
    # What was found is certain, even if the rest was not read.
    if checked.count(Severity.ERROR):
        return VIOLATIONS
    if unchecked(checked):
        return UNCHECKED
    return PENDING if any(kind.code == RULE_CODES["pending"] for kind in checked.counts) else CONFORMS


def unchecked(checked: StreamResult) -> str:
    """Say why a stream was not checked, or not to its end; "" if it was, and has an event."""
    if checked.unreadable:
        return checked.unreadable
    return "" if checked.events else "no event in it"
