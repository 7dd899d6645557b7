"""What a scenario is, and what playing it gives."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from qmpcheck.gate.board import Need
from qmpcheck.gate.expectations import Expectations
from qmpcheck.gate.failure import LACKS, STOPPED, Failure
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.stage import Stage

SYSTEM, STORAGE = "system", "storage"
"""Played on a system emulator only; on the storage daemon as well."""


class Scenario(msgspec.Struct, frozen=True):
    """One scenario.

    Attributes:
        name: what `--only` and `--skip` take.
        purpose: what happens in it, in one line.
        expects: the events that must be seen, in order.
        play: makes them happen.
        needs: what it needs of the board, and of the build; nothing where it has no board.
        others: what its other machines must be seen to send, by their names.
        on: the kind of binary it is for.
        assumes: the command-line options that follow-ups depend on, as `--assume` takes them.
        seconds: how long it may take at most.
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
        """What each of its machines must be seen to send."""
        return {"": self.expects} | self.others


class ScenarioOutcome(msgspec.Struct, frozen=True):
    """A scenario that was played.

    Attributes:
        scenario: the scenario.
        recordings: one a process.
        failure: what kept it from being played to its end.
        seconds: how long it took.
        is_disk_full: whether there was no space left in its folder at the end.
        files: the files that were made for its processes, by their names.
    """

    scenario: Scenario
    recordings: tuple[MachineRecording, ...]
    failure: Failure | None
    seconds: float
    is_disk_full: bool = False
    files: dict[str, bytes] = {}

    def recording(self, machine: str) -> MachineRecording:
        """What one of the scenario's machines sent; an empty one where it was not started."""
        found = (each for each in self.recordings if each.machine == machine)
        name = f"{self.scenario.name}-{machine}" if machine else self.scenario.name
        return next(found, MachineRecording(name, (), b"", ended=False, machine=machine))

    @property
    def was_stopped(self) -> bool:
        """Whether the user did not wait for its end."""
        return self.failure is not None and self.failure.kind == STOPPED

    @property
    def skipped(self) -> bool:
        """Whether the build does not have what the scenario needs."""
        return self.failure is not None and self.failure.kind == LACKS
