"""What the gate itself finds: events that are missing, extra, repeated or late, and failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding, Severities
from qmpcheck.gate import alignment, latency
from qmpcheck.gate.alignment import Event, MissingEvent, UnexpectedEvent
from qmpcheck.gate.build import Build
from qmpcheck.gate.codes import (
    KEY_TWICE,
    MISPLACED,
    NOT_SEEN,
    OF_FAILURE,
    REPEATED,
    UNEXPECTED,
    UNTIMELY,
    WORDS,
)
from qmpcheck.gate.expectations import Expectations, Expected, events_of, of_build
from qmpcheck.gate.failure import CRASHED
from qmpcheck.gate.recording import ReceivedEvent
from qmpcheck.gate.scenario import ScenarioOutcome
from qmpcheck.streams.messages import NO_CLOCK
from qmpcheck.text import name, quoted, safe, shortened

PLAYED = (4, 2), (11, 1)
"""The oldest and the newest release on which the scenarios were played; on no development version."""


def faults(build: Build, outcome: ScenarioOutcome, severities: Severities) -> Iterator[Finding]:
    """What the gate finds of a scenario; nothing if the build lacks what it needs.

    Args:
        build: what it was played on.
        outcome: what playing it gave.
        severities: how bad the findings of some codes are.
    """
    if not outcome.skipped:
        for finding in dict.fromkeys(_found(build, outcome)):
            level = severities.get(finding.code, finding.severity)
            yield msgspec.structs.replace(finding, level=level)


def _found(build: Build, outcome: ScenarioOutcome) -> Iterator[Finding]:
    failure, scenario = outcome.failure, outcome.scenario.name
    if failure:
        yield Finding(OF_FAILURE[failure.kind], 0, failure.text, file=scenario, kind=scenario)
    for machine, steps in outcome.scenario.machines.items():
        where = _Where(scenario, f" of the machine {machine}" if machine else "")
        sent, again = _once(outcome.recording(machine).sent())
        for event in again:
            yield where.finding(REPEATED, name(event), name(event))
        events = [each.event for each in sent]
        crashed = failure is not None and failure.kind == CRASHED
        yield from _out_of_sequence(build, steps, events, where, crashed)
        for each in sent:
            about = name(each.event["event"])
            if each.twice is not None:
                yield where.finding(KEY_TWICE, about, f"{quoted(each.twice)} in {about}")
        for event, off in latency.untimely(sent):
            yield where.finding(UNTIMELY, name(event), name(event), measured=off)


class _Where(NamedTuple):
    """A scenario, and one of its machines in words; "" for the only one."""

    scenario: str
    machine: str

    def finding(
        self, code: str, event: str, text: str, level: Severity = Severity.ERROR, measured: str = ""
    ) -> Finding:
        """A finding about an event.

        Args:
            code: one of `BUILD_CODES`.
            event: the event's name; safe to print.
            text: which event it is; safe to print.
            level: how bad it is.
            measured: what differs each time that it happens, and so is no part of its identity.
        """
        what = text + self.machine
        message = f"{WORDS[code]}: {what}" + (f": {measured}" if measured else "")
        kind = f"{self.scenario}: {what}"
        return Finding(code, 0, message, event, level=level, file=self.scenario, kind=kind)


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
    build: Build, steps: Expectations, events: Sequence[Event], where: _Where, crashed: bool
) -> Iterator[Finding]:
    """What is missing, came at another place, or came besides.

    An event that came instead of an expected one is no finding of its own, nor is what a process that crashed
    had still to send. On a release on which the scenarios were never played, events that came are warnings.
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
            yield where.finding(MISPLACED, expected.event, str(expected), severity)
        elif other := _taken(came, Expected(expected.event).is_met_by):
            instead = f"came as {_shown(other, steps)}"
            yield where.finding(NOT_SEEN, expected.event, str(expected), measured=instead)
        elif not crashed or after < len(events):
            yield where.finding(NOT_SEEN, expected.event, str(expected))
    for event in came:
        if build.has(event["event"]):  # another is one that the spec does not have
            yield where.finding(UNEXPECTED, name(event["event"]), _shown(event, steps), severity)


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
