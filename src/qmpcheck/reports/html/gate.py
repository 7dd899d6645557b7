"""The page of a build's gate: each scenario, with what should have come beside what came."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import CODES, STREAM_CODES, Severity
from qmpcheck.finding import Finding
from qmpcheck.gate.alignment import Difference, Event, MetExpectation, MissingEvent, UnexpectedEvent, aligned
from qmpcheck.gate.expectations import Expected, matches, of_build
from qmpcheck.gate.judge import Judged, Verdict
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.reports.gatereport import INTROSPECTION, NOT_PLAYED, status
from qmpcheck.reports.html import page
from qmpcheck.reports.html.streams import SCRIPTS, StreamView, view
from qmpcheck.reports.report import Report, Suite, levels
from qmpcheck.streams.messages import MICROSECONDS, RejectedEvent, message, time_of
from qmpcheck.text import shortened

EQUAL, DIFFERS, MISSING, EXTRA, MISPLACED = "as expected", "differs", "missing", "extra", "out of order"
"""How an event that should have come and one that came compare."""


_SIGNS = {EQUAL: "=", DIFFERS: "≠", MISSING: "\N{MINUS SIGN}", EXTRA: "+", MISPLACED: "↕"}


class SeenPart(NamedTuple):
    """A part of an event that came: its name or a member, and whether that is not as expected."""

    text: str
    differs: bool


class Pair(msgspec.Struct, frozen=True):
    """What should have come beside what came: one of them may be absent.

    Attributes:
        how: how they compare, one of the five above.
        expected: what should have come, "" for nothing.
        seen: what came, in parts.
        after: seconds after the first event; None if nothing came, or it has no clock.
    """

    how: str
    expected: str
    seen: tuple[SeenPart, ...]
    after: float | None


class MachineView(msgspec.Struct, frozen=True):
    """One machine of a scenario, by its name if it has one, and its recording if it was started."""

    name: str
    pairs: tuple[Pair, ...]
    stream: StreamView | None


class ScenarioView(msgspec.Struct, frozen=True):
    """A scenario: how it went in a word, what the gate itself found in it, and its machines."""

    name: str
    purpose: str
    verdict: str
    reason: str
    seconds: float
    findings: tuple[Finding, ...]
    machines: tuple[MachineView, ...]

    @property
    def differences(self) -> int:
        """How many events did not come as they should."""
        return sum(pair.how != EQUAL for machine in self.machines for pair in machine.pairs)


def render(report: Report) -> str:
    """The page of `gate`; one of a build that could not be judged says why."""
    verdict: Verdict | None = report.source
    scenarios: list[ScenarioView] = []
    changes: Sequence[Finding] = ()
    if verdict:
        suites = {suite.name: suite for suite in report.suites}
        scenarios = [
            _scenario(at, each, suites[each.outcome.scenario.name], report)
            for at, each in enumerate(verdict.judged)
        ]
        changes = suites[INTROSPECTION].findings
    words = [_word(suite, report) for suite in report.suites]
    streams = [machine.stream for each in scenarios for machine in each.machines if machine.stream]
    is_well = not report.unchecked and not any(map(report.fails, report.findings))
    return page.render(
        "gate.html.j2",
        (*SCRIPTS, "gate.js"),
        [stream.data for stream in streams],
        report=report,
        verdict=verdict,
        verdict_word="unchecked" if report.unchecked else "passed" if is_well else "failed",
        signs=_SIGNS,
        scenarios=sorted(scenarios, key=lambda each: _ORDER.index(each.verdict)),
        counts=Counter(words),
        levels=levels(report.findings),
        severities=sorted(Severity, reverse=True),
        changes=changes,
        codes={code: CODES[code] for code in sorted({finding.code for finding in report.findings})},
    )


_ORDER = ("failed", "unchecked", "passed", "skipped")
"""What comes first on the page."""


def _word(suite: Suite, report: Report) -> str:
    word = status(suite, report.fail_on)
    return "unchecked" if word == NOT_PLAYED else word


def _scenario(at: int, judged: Judged, suite: Suite, report: Report) -> ScenarioView:
    scenario = judged.outcome.scenario
    machines = () if suite.skipped else tuple(_machines(at, judged, suite, report.source))
    return ScenarioView(
        name=scenario.name,
        purpose=scenario.purpose,
        verdict=_word(suite, report),
        reason=suite.skipped or suite.unchecked,
        seconds=judged.outcome.seconds,
        findings=tuple(each for each in suite.findings if each.code not in STREAM_CODES or not each.line),
        machines=machines,
    )


def _machines(at: int, judged: Judged, suite: Suite, verdict: Verdict) -> Iterator[MachineView]:
    results = {each.machine: _result(judged, each.name) for each in judged.outcome.recordings}
    of_streams = tuple(finding for finding in suite.findings if finding.code in STREAM_CODES)
    for number, (machine, steps) in enumerate(judged.outcome.scenario.machines.items()):
        recording = judged.outcome.recording(machine)
        compared = aligned(of_build(verdict.build, steps), recording.events())
        stream = None
        if machine in results:
            result = results[machine]
            own = suite._replace(name=result.path, findings=of_streams)
            raw = enumerate(recording.data.split(b"\n"), 1)
            stream = view(f"s{at}m{number}", result, own, {each: line for each, line in raw if line.strip()})
        yield MachineView(machine, tuple(_pairs(compared, recording)), stream)


def _result(judged: Judged, recording: str) -> StreamResult:
    """What checking a recording found, by the spec and by the build's own introspection."""
    by_spec, *others = (each for each in judged.checked if each.path == recording)
    for each in others:
        by_spec = by_spec._replace(listed=by_spec.listed + each.listed, counts=by_spec.counts + each.counts)
    return by_spec


def _pairs(compared: Sequence[MetExpectation | Difference], recording: MachineRecording) -> Iterator[Pair]:
    """The rows of a table. What came instead of something that is missing shares its row."""
    begin = next(filter(None, map(_time, recording.events())), None)
    came = [each.event for each in compared if isinstance(each, UnexpectedEvent)]
    # First find a partner for each event that is missing: whatever is left is extra.
    instead: dict[int, tuple[str, Event | None]] = {}
    for at, each in enumerate(compared):
        if isinstance(each, MissingEvent):
            instead[at] = _instead(each.expected, came)
    for at, each in enumerate(compared):
        match each:
            case MetExpectation(expected, event):
                yield _pair(EQUAL, expected, event, begin)
            case MissingEvent(expected):
                how, other = instead[at]
                yield _pair(how, expected, other, begin)
            case UnexpectedEvent(event) if any(event is other for other in came):
                yield _pair(EXTRA, None, event, begin)


def _instead(expected: Expected, came: list[Event]) -> tuple[str, Event | None]:
    """The event that came instead of one that is missing, which is taken from those that came."""
    # One with all expected values came too early or too late; one with other values is second best.
    for how, wanted in ((MISPLACED, expected), (DIFFERS, Expected(expected.event))):
        for at, event in enumerate(came):
            if wanted.is_met_by(event):
                return how, came.pop(at)
    return MISSING, None


def _pair(how: str, expected: Expected | None, event: Event | None, begin: int | None) -> Pair:
    seen = tuple(_parts(event, expected)) if event else ()
    now = _time(event) if event else None
    after = None if now is None or begin is None else (now - begin) / MICROSECONDS
    return Pair(how, str(expected) if expected else "", seen, after)


def _parts(event: Event, expected: Expected | None) -> Iterator[SeenPart]:
    """An event as it came, member by member; those that are not as expected are marked."""
    yield SeenPart(event["event"], False)
    data = event.get("data")
    for key, value in (data if isinstance(data, dict) else {}).items():
        wanted = {key: expected.where[key]} if expected and key in expected.where else {}
        shown = f"{json.dumps(key)}: {json.dumps(value)}"
        yield SeenPart(shortened(shown, _LONGEST), not matches({key: value}, wanted))


_LONGEST = 200


def _time(event: Event) -> int | None:
    found = message(event)
    return time_of(found) if isinstance(found, RejectedEvent) else None
