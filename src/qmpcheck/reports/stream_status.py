"""The status of a stream: conforms, violations, pending or unchecked."""

from __future__ import annotations

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import Severity

CONFORMS, PENDING, VIOLATIONS, UNCHECKED = "conforms", "pending", "violations", "unchecked"


def status(checked: StreamResult) -> str:
    """The worst that is known of a stream.

    `violations` where a finding is an error; `unchecked` where it was not read to its end or held no
    event; `pending` where a follow-up is open; else `conforms`.
    """
    if checked.count(Severity.ERROR):
        return VIOLATIONS
    if unchecked(checked):
        return UNCHECKED
    return PENDING if any(kind.code == "QMP302" for kind in checked.counts) else CONFORMS


def unchecked(checked: StreamResult) -> str:
    """Why the result says nothing, or not all: "" where the whole stream was read and held an event."""
    if checked.unreadable:
        return checked.unreadable
    return "" if checked.events else "no event in it"
