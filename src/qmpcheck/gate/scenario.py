"""What a scenario is, the stage that it is played on, and the outcome of playing it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from qmpcheck.gate.board import Ability, Guest, Need, Setting
from qmpcheck.gate.expectations import Expectations
from qmpcheck.gate.failure import LACKS, STOPPED, Failure
from qmpcheck.gate.machine import Machine, Refused
from qmpcheck.gate.qtest import connected
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.qmp.process import STORAGE_DAEMON, SYSTEM, ProcessGroup

EMULATOR, STORAGE = "emulator", "storage"
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
    on: str = EMULATOR
    needs: tuple[Need, ...] = ()
    assumes: tuple[str, ...] = ()
    seconds: float = 25.0
    others: dict[str, Expectations] = {}

    @property
    def machines(self) -> dict[str, Expectations]:
        """The events that each of its machines must send; the first has no name."""
        return {"": self.expects} | self.others


# Without a log of its own, qtest would write each command to standard error.
_QTEST = ("-qtest-log", "/dev/null", "-qtest")


class Stage:
    """The argument of a scenario's `play`.

    Args:
        setting: the build and its board, and what the scenario needs of them.
        group: starts processes, and ends them.
        folder: the private folder, in which the processes run: relative paths in their options are in it.
        name: the scenario's name.
        seconds: how long the scenario may take.

    Attributes:
        recordings: one for each process that has ended.
        files: the contents of the files that were made for the processes, by name.
    """

    def __init__(self, setting: Setting, group: ProcessGroup, folder: str, name: str, seconds: float) -> None:
        self.setting = setting
        self.build = setting.build
        self.folder = folder
        self.recordings: list[MachineRecording] = []
        self.files: dict[str, bytes] = {}
        self._name = name
        self._group = group
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    @contextmanager
    def machine(self, *options: str, name: str = "", qtest: Sequence[str] = ()) -> Iterator[Machine]:
        """Start a QEMU, and negotiate capabilities; at the end, ask it to quit if it still runs.

        Args:
            options: its options, beside those that every machine has.
            name: its name among the scenario's machines; "" for the first.
            qtest: a list to which others append the commands that they send over qtest.

        Raises:
            Failure: the build does not list something that the options need, or the machine failed.
        """
        lacks = self.build.lacking(options)
        if lacks:
            raise Failure(LACKS, lacks)
        usual = SYSTEM if self.build.is_system else STORAGE_DAEMON
        command = (self.build.path, *usual, *options)
        with self._group.started(command, self.folder) as process:
            machine = Machine(process, self._deadline, self._seconds, self.build.commands)
            try:
                machine.greet()
                yield machine
                if not machine.ended:
                    machine.quit()
            except Exception as error:
                # If it died, whatever else went wrong is a consequence.
                raise machine.crash(has_answered=isinstance(error, Refused)) or error from None
            finally:
                # Also if the machine has failed: its recording shows how.
                self.recordings.append(
                    MachineRecording(
                        name=f"{self._name}-{name}" if name else self._name,
                        command=command,
                        data=machine.received,
                        ended=machine.ended,
                        crashed=(process.status() or 0) < 0,
                        machine=name,
                        arrivals=tuple(machine.arrivals),
                        qtest=tuple(qtest),
                        last_words=tuple(process.last_lines()),
                    )
                )

    @contextmanager
    def bare(self, *options: str) -> Iterator[Machine]:
        """Start a machine without CPU and devices, or a storage daemon."""
        with self.machine(*(self.setting.options if self.build.is_system else ()), *options) as machine:
            yield machine

    @contextmanager
    def guest(self, *options: str, more_memory: str = "", name: str = "") -> Iterator[tuple[Machine, Guest]]:
        """Start the setting's board, whose CPU runs next to nothing; its devices are driven by the guest."""
        self.file("firmware.bin", self.setting.firmware)
        memory = self.setting.board.size + more_memory
        path = f"qtest{name}.sock"
        server = (*_QTEST, f"unix:{path},server=on,wait=off")
        full = (*self.setting.options, "-m", memory, *server, *options)
        sent: list[str] = []
        with (
            self.machine(*full, name=name, qtest=sent) as machine,
            Guest(self.path(path), self.setting, sent) as guest,
        ):
            yield machine, guest

    def device(self, kind: str, *properties: str, at: Ability = Ability.VIRTIO) -> tuple[str, str]:
        """The option for a device on the board's virtio bus.

        Args:
            kind: the kind of device, such as `balloon`.
            properties: its properties, such as `id=balloon0`.
            at: the ability that says where the device has to be.
        """
        where = self.setting.features[at].where
        return "-device", ",".join(
            filter(None, (f"virtio-{kind}-{self.setting.board.bus}", *properties, where))
        )

    def path(self, name: str) -> str:
        """The absolute path of a file in the folder."""
        return os.path.join(self.folder, name)

    def file(self, name: str, content: bytes) -> str:
        """Write a file in the folder, and return its name."""
        self.files[name] = content
        with open(self.path(name), "wb") as file:
            file.write(content)
        return name

    def connect(self, name: str) -> socket.socket:
        """Connect to a Unix socket in the folder."""
        return connected(self.path(name))


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
