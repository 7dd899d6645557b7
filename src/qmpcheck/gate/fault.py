"""What is found of a scenario beside what its events say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from qmpcheck.diagnostic import Severities, Severity
from qmpcheck.gate.codes import NOT_SEEN, OF_TROUBLE, REPEATED
from qmpcheck.gate.run import events
from qmpcheck.gate.scenario import Outcome, Recording
from qmpcheck.printable import name


class Fault(NamedTuple):
    """One such finding.

    Attributes:
        code: a key of `codes.KINDS`.
        severity: how bad it is.
        what: it in a word or two.
        text: what happened, or which event did not come, or came again; safe to print.
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
    for recording in outcome.recordings:
        for event in map(name, _repeated(recording)):
            severity = severities.get(REPEATED, Severity.ERROR)
            yield Fault(REPEATED, severity, "sent again", f"{event} in {recording.name}", event)


def _repeated(recording: Recording) -> Iterator[str]:
    """The names of events that are the same as one before them, and have a clock to tell them apart."""
    seen: set[str] = set()
    for message in events(recording):
        whole = json.dumps(message, sort_keys=True)
        if whole in seen and message.get("timestamp") != _NO_CLOCK:
            yield message["event"]
        seen.add(whole)


_NO_CLOCK = {"seconds": -1, "microseconds": -1}
