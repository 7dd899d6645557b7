"""Where a scenario is played: a private folder, and the machines started in it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from qmpcheck.gate.board import Ability, Setting
from qmpcheck.gate.failure import LACKS, Failure
from qmpcheck.gate.guest import Guest
from qmpcheck.gate.lacking import lacking
from qmpcheck.gate.machine import Machine, Refused
from qmpcheck.gate.qtest import connected
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.qmp.process import STORAGE_DAEMON, SYSTEM, ProcessGroup

_QTEST = ("-qtest-log", "/dev/null", "-qtest")


class Stage:
    """What a scenario's `play` is given.

    Args:
        setting: the build and its board, and what the scenario needs of them.
        group: starts processes, and ends them.
        folder: the private folder, in which the processes run; names in their options are of files there.
        name: of the scenario.
        seconds: how long the scenario may take.

    Attributes:
        recordings: what each process sent that has ended.
        files: the files that were made for the processes, by their names.
    """

    def __init__(self, setting: Setting, group: ProcessGroup, folder: str, name: str, seconds: float) -> None:
        self.setting = setting
        self.build = setting.build
        self.folder = folder
        self.recordings: list[MachineRecording] = []
        self.files: dict[str, bytes] = {}
        self._name = name
        self._group = group
        self._limit = time.monotonic() + seconds

    @contextmanager
    def machine(self, *options: str, name: str = "", qtest: Sequence[str] = ()) -> Iterator[Machine]:
        """A QEMU with these options beside those that all have; it is asked to end where it has not yet.

        Args:
            options: of the command line.
            name: tells it from the scenario's other machines.
            qtest: the commands that it will have been sent over qtest.

        Raises:
            Failure: the build says that it lacks something that the options need, or the machine failed.
        """
        lacks = lacking(self.build, options)
        if lacks:
            raise Failure(LACKS, lacks)
        usual = SYSTEM if self.build.is_system else STORAGE_DAEMON
        command = (self.build.path, *usual, *options)
        with self._group.started(command, self.folder) as process:
            machine = Machine(process, self._limit, self.build.commands)
            try:
                machine.greet()
                yield machine
                if not machine.ended:
                    machine.quit()
            except Exception as error:
                raise machine.crash(has_answered=isinstance(error, Refused)) or error from None
            finally:
                self.recordings.append(
                    MachineRecording(
                        name=f"{self._name}-{name}" if name else self._name,
                        command=command,
                        data=machine.received,
                        ended=machine.ended,
                        machine=name,
                        arrivals=tuple(machine.arrivals),
                        qtest=tuple(qtest),
                        last_words=tuple(process.last_lines()),
                    )
                )

    @contextmanager
    def bare(self, *options: str) -> Iterator[Machine]:
        """A machine without anything, or a storage daemon."""
        with self.machine(*(self.setting.options if self.build.is_system else ()), *options) as machine:
            yield machine

    @contextmanager
    def guest(self, *options: str, more_memory: str = "", name: str = "") -> Iterator[tuple[Machine, Guest]]:
        """The board whose CPU runs next to nothing, and the means to drive its devices."""
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
        """The option for a device of the board's virtio bus, such as a `balloon`.

        Args:
            kind: of device.
            properties: of it, such as `id=balloon0`.
            at: the ability that says where the device has to be.
        """
        where = self.setting.features[at].where
        return "-device", ",".join(
            filter(None, (f"virtio-{kind}-{self.setting.board.bus}", *properties, where))
        )

    def path(self, name: str) -> str:
        """The whole path of a file in the folder."""
        return os.path.join(self.folder, name)

    def file(self, name: str, content: bytes) -> str:
        """Write a file; its name."""
        self.files[name] = content
        with open(self.path(name), "wb") as file:
            file.write(content)
        return name

    def connect(self, name: str) -> socket.socket:
        """A connection to a unix socket in the folder."""
        return connected(self.path(name))
