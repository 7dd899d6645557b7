"""What is found of a scenario beside what its events say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from qmpcheck.checking.occurrence import NO_CLOCK
from qmpcheck.diagnostic import Severities, Severity
from qmpcheck.gate.codes import NOT_SEEN, OF_TROUBLE, REPEATED
from qmpcheck.gate.scenario import Outcome, Recording
from qmpcheck.printable import name


class Fault(NamedTuple):
    """One such finding.

    Attributes:
        code: a key of `codes.KINDS`.
        what: its kind in a word or two.
        text: what happened, or which event did not come, or came again; safe to print.
        event: the event's name; "" where it concerns none.
        severity: how bad it is.
    """

    code: str
    what: str
    text: str
    event: str = ""
    severity: Severity = Severity.ERROR


def faults(outcome: Outcome, severities: Severities) -> Iterator[Fault]:
    """The faults of a scenario; none where the build does not have what it needs."""
    if not outcome.skipped:
        for fault in _found(outcome):
            yield fault._replace(severity=severities.get(fault.code, fault.severity))


def _found(outcome: Outcome) -> Iterator[Fault]:
    trouble = outcome.trouble
    if trouble:
        yield Fault(OF_TROUBLE[trouble.kind], trouble.kind, trouble.text)
    for expected in outcome.missing:
        yield Fault(NOT_SEEN, "not seen", str(expected), expected.event)
    for recording in outcome.recordings:
        for event in dict.fromkeys(map(name, _repeated(recording))):
            yield Fault(REPEATED, "sent again", f"{event} in {recording.name}", event)


def _repeated(recording: Recording) -> Iterator[str]:
    """The names of events that are the same as one before them, and have a clock to tell them apart."""
    seen: set[str] = set()
    for message in recording.events():
        whole = json.dumps(message, sort_keys=True)
        if whole in seen and message.get("timestamp") != NO_CLOCK:
            yield message["event"]
        seen.add(whole)
