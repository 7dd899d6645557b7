"""What the gate itself finds: failures, and events that are missing, extra, repeated or late."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding, Severities
from qmpcheck.gate import alignment
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
from qmpcheck.gate.recording import ReceivedEvent
from qmpcheck.gate.scenario import ScenarioOutcome
from qmpcheck.qmp.client import Arrival
from qmpcheck.streams.messages import MICROSECONDS, NO_CLOCK
from qmpcheck.text import name, quoted, shortened

PLAYED = (4, 2), (11, 1)
"""The oldest and the newest release on which the scenarios were tried; development versions were not."""


def faults(build: Build, outcome: ScenarioOutcome, severities: Severities) -> Iterator[Finding]:
    """The findings of the gate itself about a scenario; none if it was skipped or interrupted.

    Args:
        build: the build that it was played on.
        outcome: the outcome of playing it.
        severities: the severities that the user sets for some codes.
    """
    # What the build lacks, or the user stopped, says nothing about the build.
    if not outcome.skipped and not outcome.was_stopped:
        # Two events can give equal findings, which a reader needs once.
        for finding in dict.fromkeys(_found(build, outcome)):
            level = severities.get(finding.code, finding.severity)
            yield msgspec.structs.replace(finding, level=level)


def _found(build: Build, outcome: ScenarioOutcome) -> Iterator[Finding]:
    failure, scenario = outcome.failure, outcome.scenario.name
    if failure:
        code = OF_FAILURE[failure.kind]
        yield Finding(code, 0, f"{WORDS[code]}: {failure.text}", file=scenario, kind=scenario)
    has_crash = any(recording.crashed for recording in outcome.recordings)
    for machine, steps in outcome.scenario.machines.items():
        recording = outcome.recording(machine)
        where = _Where(scenario, recording.name, f" of the machine {machine}" if machine else "")
        sent, again = _once(recording.sent())
        for each in again:
            yield where.finding(REPEATED, each)
        # What a machine sends after its peer has crashed is a consequence, such as a failed migration.
        if recording.crashed or not has_crash:
            yield from _out_of_sequence(build, steps, sent, where, is_whole=failure is None)
        for each in sent:
            if each.twice is not None:
                yield where.finding(KEY_TWICE, each, f"(key {quoted(each.twice)})")
        for each, off in untimely(sent):
            yield where.finding(UNTIMELY, each, measured=off)


class _Where(NamedTuple):
    """A scenario, one of its recordings, and which machine sent it, in words; "" for the first machine."""

    scenario: str
    recording: str
    machine: str

    def finding(
        self,
        code: str,
        event: ReceivedEvent | str,
        values: str = "",
        level: Severity = Severity.ERROR,
        measured: str = "",
    ) -> Finding:
        """A finding about an event.

        Args:
            code: one of `BUILD_CODES`.
            event: the event that came, or the name of one that did not come.
            values: the values that it has or should have, in words; safe to print.
            level: how bad it is.
            measured: what differs from run to run, and so is no part of the finding's identity.
        """
        about, line = (event, 0) if isinstance(event, str) else (name(event.event["event"]), event.line)
        what = f" {values}".rstrip() + self.machine
        message = f"{WORDS[code]}{what}" + (f": {measured}" if measured else "")
        kind = f"{self.scenario}:{what}"
        return Finding(code, line, message, about, level=level, file=self.recording, kind=kind)


def _once(events: Iterable[ReceivedEvent]) -> tuple[list[ReceivedEvent], list[ReceivedEvent]]:
    """The events without repeats, and the repeats: events equal to an earlier one, timestamp included."""
    seen: set[str] = set()
    once: list[ReceivedEvent] = []
    again: list[ReceivedEvent] = []
    for sent in events:
        whole = json.dumps(sent.event, sort_keys=True)
        # Without a clock, two events can be equal that report two things.
        is_again = whole in seen and sent.event.get("timestamp") != NO_CLOCK
        (again if is_again else once).append(sent)
        seen.add(whole)
    return once, again


def _out_of_sequence(
    build: Build, steps: Expectations, sent: Sequence[ReceivedEvent], where: _Where, is_whole: bool
) -> Iterator[Finding]:
    """The events that are missing, that came in another place, and that came although nothing expects them.

    An event that came instead of an expected one is no finding of its own, nor is what was still to come when
    a scenario ended too early. On a release on which the scenarios were never tried, events that are too many
    or in another place are warnings.
    """
    first, last = PLAYED
    version = build.version
    is_played = first <= (version.major, version.minor) <= last and not version.is_development
    level = Severity.ERROR if is_played else Severity.WARNING
    differences = alignment.differences(of_build(build, steps), [each.event for each in sent])
    came = [sent[each.after] for each in differences if isinstance(each, UnexpectedEvent)]
    # For each missing event, look for the one that explains it best: itself elsewhere, one of its name with
    # other values, or, in its place, one that the build does not declare.
    for expected, after in (each for each in differences if isinstance(each, MissingEvent)):
        elsewhere = [each for each in came if expected.is_met_by(each.event)]
        changed = [each for each in came if each.event["event"] == expected.event]
        renamed = [each for each in came if [each] == sent[after : after + 1] and not _has(build, each)]
        if elsewhere:
            yield where.finding(MISPLACED, elsewhere[0], expected.values, level)
        elif changed or renamed:
            [other, *_] = changed or renamed
            measured = f"came as {name(other.event['event'])} {_values(other.event, steps)}".rstrip()
            finding = where.finding(NOT_SEEN, expected.event, expected.values, measured=measured)
            yield msgspec.structs.replace(finding, line=other.line)
        elif is_whole or after < len(sent):
            yield where.finding(NOT_SEEN, expected.event, expected.values)
        for each in (elsewhere or changed or renamed)[:1]:
            came.remove(each)
    for each in came:
        if _has(build, each):  # one that it does not declare is a finding of the checker
            yield where.finding(UNEXPECTED, each, _values(each.event, steps), level)


def _has(build: Build, sent: ReceivedEvent) -> bool:
    return build.has(sent.event["event"])


def _values(event: Event, steps: Expectations) -> str:
    """The values of an event, in words, of the members that the scenario expects in such events."""
    data = event.get("data")
    wanted = dict.fromkeys(
        key for each in events_of(steps) if each.event == event["event"] for key in each.where
    )
    values = {key: data[key] for key in wanted if key in data} if isinstance(data, dict) else {}
    return shortened(Expected(event["event"], values).values, _LONGEST)


_LONGEST = 160


# When an event came, by the same clock as its timestamp

PROMPT = 0.25
"""Seconds within which an event comes, even on a busy machine; one that takes longer was held back."""

_EXACT = 0.01
"""Seconds by which a timestamp may be later than the arrival: two readings of one clock can differ."""

_FAR = 1 << 53
"""Seconds up to which a float is exact; beyond them one time is as wrong as another."""


def untimely(events: Iterable[ReceivedEvent]) -> Iterator[tuple[ReceivedEvent, str]]:
    """The events whose timestamps are not the time at which they came, and how far off they are.

    A scenario leaves enough time between rate-limited events, so QEMU has no reason to hold one back.
    """
    for each in events:
        timestamp = each.event.get("timestamp")
        moment = _seconds(timestamp)
        if timestamp == NO_CLOCK:
            yield each, "its timestamp says that there is no clock"
        elif each.arrival and moment is not None:
            off = _off(each.arrival, moment)
            if off:
                yield each, off


def _off(arrival: Arrival, moment: float) -> str:
    """How far a timestamp is off; "" if it can be true."""
    if moment > arrival.before + _EXACT:
        return f"its timestamp is {moment - arrival.before:.3f} s after it came"
    if moment < arrival.after - PROMPT:
        return f"it came {arrival.after - moment:.3f} s or more after its timestamp"
    return ""


def _seconds(timestamp: object) -> float | None:
    """Seconds since 1970; None for what is no timestamp, which the checker reports."""
    if not isinstance(timestamp, dict):
        return None
    seconds, microseconds = timestamp.get("seconds"), timestamp.get("microseconds")
    if type(seconds) is not int or type(microseconds) is not int or not 0 <= microseconds < MICROSECONDS:
        return None
    return max(-_FAR, min(seconds, _FAR)) + microseconds / MICROSECONDS
