"""Faults of a scenario by what its process sent, on a build of one release or another."""

import json
from collections.abc import Iterator

import pytest

from qmpcheck.codes import Severity
from qmpcheck.finding import UNCHANGED
from qmpcheck.gate.build import Build
from qmpcheck.gate.expectations import expected
from qmpcheck.gate.failure import CRASHED, FAILED, HUNG, Failure
from qmpcheck.gate.fault import faults
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome
from qmpcheck.specs.catalogue import find
from qmpcheck.version import Version

STEPS = (expected("STOP"), expected("RESUME"), expected("WATCHDOG", action="pause"))
PLAYED = Version(7, 2, 22)


def found(
    events: str, version: Version = PLAYED, failure: Failure | None = None
) -> Iterator[tuple[Severity, str]]:
    """How bad each fault is, and what it says; a watchdog that came did nothing."""
    lines = [
        json.dumps({"event": event, "timestamp": {"seconds": at, "microseconds": 0}, "data": {"action": "none"}})
        for at, event in enumerate(events.split())
    ]  # fmt: skip
    build = Build("qemu", version, find("10.0").rule_base, frozenset())
    recording = MachineRecording("own", (), "\n".join(lines).encode(), ended=failure is None)
    outcome = ScenarioOutcome(Scenario("own", "", STEPS, lambda _: None), (recording,), failure, 0.0)
    for fault in faults(build, outcome, UNCHANGED):
        yield fault.severity, fault.full_text


@pytest.mark.parametrize(
    ("version", "severity"),
    [
        (Version(4, 1, 1), Severity.WARNING),
        (Version(4, 2), Severity.ERROR),
        (Version(10, 0, 50), Severity.WARNING),
        (Version(11, 1, 3), Severity.ERROR),
        (Version(11, 1, 50), Severity.WARNING),
        (Version(11, 2), Severity.WARNING),
    ],
)
def test_what_other_releases_say_besides_is_a_warning(version: Version, severity: Severity) -> None:
    assert [*found("RESUME STOP RESET", version)] == [
        (severity, "STOP: out of order"),
        (Severity.ERROR, 'WATCHDOG: not seen (action "pause")'),
        (severity, "RESET: unexpected"),
    ]


def of_two(has_crashed: bool) -> list[str]:
    """What is found where one machine did nothing, by a crash or not, and the other one sent STOP instead of RESUME."""
    steps = (expected("STOP"),)
    stop = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}'
    recordings = (
        MachineRecording("own", (), b"", ended=False, crashed=has_crashed),
        MachineRecording("own-peer", (), stop, ended=False, machine="peer"),
    )
    scenario = Scenario("own", "", steps, lambda _: None, others={"peer": (expected("RESUME"),)})
    build = Build("qemu", PLAYED, find("10.0").rule_base, frozenset())
    outcome = ScenarioOutcome(scenario, recordings, Failure(CRASHED if has_crashed else HUNG, "why"), 0.0)
    return [each.full_text for each in faults(build, outcome, UNCHANGED)]


def test_what_a_machine_sends_whose_peer_has_crashed_is_no_fault() -> None:
    assert of_two(has_crashed=True) == ["crashed: why"]
    assert of_two(has_crashed=False) == [
        "hung: why",
        "RESUME: not seen of the machine peer",
        "STOP: unexpected of the machine peer",
    ]


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ("STOP", []),
        ("RESUME", ["STOP: not seen"]),
        ("STOP WATCHDOG", ["RESUME: not seen", "WATCHDOG: not seen (action \"pause\"): came as WATCHDOG (action \"none\")"]),
        ("STOP RESET RESUME", ["RESET: unexpected"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [CRASHED, HUNG, FAILED])
def test_what_was_still_to_come_is_no_fault(kind: str, events: str, told: list[str]) -> None:
    failure, *others = [text for _, text in found(events, failure=Failure(kind, "why"))]
    assert failure == f"{kind}: why"
    assert others == told
