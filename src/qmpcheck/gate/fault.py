"""What is found of a scenario beside what its events say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from qmpcheck.diagnostic import Severities, Severity
from qmpcheck.gate.codes import NOT_SEEN, OF_TROUBLE
from qmpcheck.gate.scenario import Outcome


class Fault(NamedTuple):
    """One such finding.

    Attributes:
        code: a key of `codes.KINDS`.
        severity: how bad it is.
        what: it in a word or two.
        text: what happened, or which event did not come; safe to print.
        event: the event's name; "" where it concerns none.
    """

    code: str
    severity: Severity
    what: str
    text: str
    event: str = ""


def faults(outcome: Outcome, severities: Severities) -> Iterator[Fault]:
    """The faults of a scenario; none where the build does not have what it needs."""
    if outcome.skipped:
        return
    trouble = outcome.trouble
    if trouble:
        code = OF_TROUBLE[trouble.kind]
        yield Fault(code, severities.get(code, Severity.ERROR), trouble.kind, trouble.text)
    for expected in outcome.missing:
        severity = severities.get(NOT_SEEN, Severity.ERROR)
        yield Fault(NOT_SEEN, severity, "not seen", str(expected), expected.event)
