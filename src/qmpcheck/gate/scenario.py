"""What a scenario is, and the outcome of playing it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from qmpcheck.gate.board import Need
from qmpcheck.gate.expectations import Expectations
from qmpcheck.gate.failure import LACKS, STOPPED, Failure
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.stage import Stage

SYSTEM, STORAGE = "system", "storage"
"""The kind of binary that a scenario is for: system emulators only, or the storage daemon as well."""


class Scenario(msgspec.Struct, frozen=True):
    """One scenario.

    Attributes:
        name: its name for `--only` and `--skip`.
        purpose: what happens in it, in one line.
        expects: the events that must come, in order.
        play: makes them come.
        on: the kind of binary that it is for.
        needs: the abilities and devices that it needs; () if it needs no board.
        assumes: those of its command-line options that follow-ups depend on, as `--assume` takes them.
        seconds: how long it may take.
        others: the events that its other machines must send, by the names of the machines.
    """

    name: str
    purpose: str
    expects: Expectations
    play: Callable[[Stage], None]
    on: str = SYSTEM
    needs: tuple[Need, ...] = ()
    assumes: tuple[str, ...] = ()
    seconds: float = 25.0
    others: dict[str, Expectations] = {}

    @property
    def machines(self) -> dict[str, Expectations]:
        """The events that each of its machines must send; the first has no name."""
        return {"": self.expects} | self.others


class ScenarioOutcome(msgspec.Struct, frozen=True):
    """A scenario that was played.

    Attributes:
        scenario: the scenario.
        recordings: one for each process.
        failure: why it was not played to its end; None if it was.
        seconds: how long it took.
        is_disk_full: whether there was no space left in its folder at the end.
        files: the contents of the files that its processes were given, by name.
    """

    scenario: Scenario
    recordings: tuple[MachineRecording, ...]
    failure: Failure | None
    seconds: float
    is_disk_full: bool = False
    files: dict[str, bytes] = {}

    def recording(self, machine: str) -> MachineRecording:
        """The recording of one of the scenario's machines; an empty one if it was not started."""
        found = (each for each in self.recordings if each.machine == machine)
        name = f"{self.scenario.name}-{machine}" if machine else self.scenario.name
        return next(found, MachineRecording(name, (), b"", ended=False, machine=machine))

    @property
    def was_stopped(self) -> bool:
        """Whether the user interrupted the gate before its end."""
        return self.failure is not None and self.failure.kind == STOPPED

    @property
    def skipped(self) -> bool:
        """Whether it was skipped, because the build lacks something."""
        return self.failure is not None and self.failure.kind == LACKS
