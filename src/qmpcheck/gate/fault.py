"""What the gate itself finds: events that are missing, extra, repeated or late, and failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from qmpcheck.codes import Severity
from qmpcheck.finding import Severities
from qmpcheck.gate import alignment, latency
from qmpcheck.gate.alignment import Event, MissingEvent, UnexpectedEvent
from qmpcheck.gate.build import Build
from qmpcheck.gate.codes import KEY_TWICE, MISPLACED, NOT_SEEN, OF_FAILURE, REPEATED, UNEXPECTED, UNTIMELY
from qmpcheck.gate.expectations import Expectations, Expected, events_of, of_build
from qmpcheck.gate.failure import CRASHED
from qmpcheck.gate.recording import ReceivedEvent
from qmpcheck.gate.scenario import ScenarioOutcome
from qmpcheck.streams.messages import NO_CLOCK
from qmpcheck.text import name, quoted, safe, shortened

PLAYED = (4, 2), (11, 1)
"""The oldest and the newest release on which the scenarios were played; on no development version."""


class Fault(NamedTuple):
    """One finding of the gate, before `reports/gatereport` makes it one of a report.

    Attributes:
        code: one of `BUILD_CODES`.
        what: its kind in a word or two.
        text: what happened, or which event did not come, or came again; safe to print.
        event: the event's name; "" where it concerns none.
        severity: how bad it is.
        measured: what differs each time that it happens; printed after the text.
    """

    code: str
    what: str
    text: str
    event: str = ""
    severity: Severity = Severity.ERROR
    measured: str = ""

    @property
    def full_text(self) -> str:
        """What happened, with what was measured."""
        return f"{self.text}: {self.measured}" if self.measured else self.text


def faults(build: Build, outcome: ScenarioOutcome, severities: Severities) -> Iterator[Fault]:
    """The faults of a scenario; none where the build does not have what it needs.

    Args:
        build: what it was played on.
        outcome: what playing it gave.
        severities: how bad the findings of some codes are.
    """
    if not outcome.skipped:
        for fault in dict.fromkeys(_found(build, outcome)):
            yield fault._replace(severity=severities.get(fault.code, fault.severity))


def _found(build: Build, outcome: ScenarioOutcome) -> Iterator[Fault]:
    failure = outcome.failure
    if failure:
        yield Fault(OF_FAILURE[failure.kind], failure.kind, failure.text)
    for machine, steps in outcome.scenario.machines.items():
        place = f" of the machine {machine}" if machine else ""
        sent, again = _once(outcome.recording(machine).sent())
        for event in again:
            yield Fault(REPEATED, "sent again", f"{name(event)}{place}", name(event))
        events = [each.event for each in sent]
        crashed = failure is not None and failure.kind == CRASHED
        yield from _out_of_sequence(build, steps, events, place, crashed)
        for each in sent:
            about = name(each.event["event"])
            if each.twice is not None:
                yield Fault(KEY_TWICE, "key twice", f"{quoted(each.twice)} in {about}{place}", about)
        for event, off in latency.untimely(sent):
            yield Fault(UNTIMELY, "untimely", f"{name(event)}{place}", name(event), measured=off)


def _once(events: Iterable[ReceivedEvent]) -> tuple[list[ReceivedEvent], list[str]]:
    """The events, and the names of those that were sent again: the same, with a clock to tell them apart."""
    seen: set[str] = set()
    once: list[ReceivedEvent] = []
    again: list[str] = []
    for sent in events:
        whole = json.dumps(sent.event, sort_keys=True)
        if whole in seen and sent.event.get("timestamp") != NO_CLOCK:
            again.append(sent.event["event"])
        else:
            once.append(sent)
        seen.add(whole)
    return once, again


def _out_of_sequence(
    build: Build, steps: Expectations, events: Sequence[Event], place: str, crashed: bool
) -> Iterator[Fault]:
    """What was missed and what came instead, or at another place, is one fault.

    What a process that crashed had still to send is none. Of a release on which the scenarios were never
    played, what came is a warning, no error.
    """
    first, last = PLAYED
    version = build.version
    is_played = first <= (version.major, version.minor) <= last and not version.is_development
    severity = Severity.ERROR if is_played else Severity.WARNING
    differences = alignment.differences(of_build(build, steps), events)
    came = [each.event for each in differences if isinstance(each, UnexpectedEvent)]
    missing = [each for each in differences if isinstance(each, MissingEvent)]
    for expected, after in missing:
        if _taken(came, expected.is_met_by):
            yield Fault(MISPLACED, "out of order", f"{expected}{place}", expected.event, severity)
        elif other := _taken(came, Expected(expected.event).is_met_by):
            instead = f"came as {_shown(other, steps)}"
            yield Fault(NOT_SEEN, "not seen", f"{expected}{place}", expected.event, measured=instead)
        elif not crashed or after < len(events):
            yield Fault(NOT_SEEN, "not seen", f"{expected}{place}", expected.event)
    for event in came:
        if build.has(event["event"]):  # another is one that the spec does not have
            about = name(event["event"])
            yield Fault(UNEXPECTED, "unexpected", f"{_shown(event, steps)}{place}", about, severity)


def _taken(events: list[Event], is_wanted: Callable[[Event], bool]) -> Event | None:
    """Remove and return the first event that is wanted; None if there is none."""
    found = next(filter(is_wanted, events), None)
    if found is not None:
        events.remove(found)
    return found


def _shown(event: Event, steps: Expectations) -> str:
    """An event with those of its values that such events are expected with, in the same order."""
    data = event.get("data")
    wanted = dict.fromkeys(
        key for each in events_of(steps) if each.event == event["event"] for key in each.where
    )
    values = {key: data[key] for key in wanted if key in data} if isinstance(data, dict) else {}
    return safe(shortened(str(Expected(event["event"], values)), _LONGEST))


_LONGEST = 160
