"""One QEMU of a scenario: its commands, its events and its end. Whatever goes wrong is a `Failure`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qmpcheck.gate.expectations import matches
from qmpcheck.gate.failure import CRASHED, FAILED, HUNG, LACKS, Failure
from qmpcheck.qmp.client import Arrival, Client, CommandError, DeadlinePassed, NoAnswer, SentTooMuch
from qmpcheck.qmp.connection import ConnectionFailed
from qmpcheck.qmp.process import Process, how_ended

ANSWER, EVENT = 10.0, 5.0
"""How many seconds a reply and an event may take, even on a busy machine."""

APART = 1.1
"""Seconds to leave between rate-limited events, so that each is sent at once."""

LONGEST = 1 << 19
"""How many bytes a process may send; the longest recording has a hundredth of that."""


class Refused(Failure):
    """The build has a command, but answered it with an error."""

    def __init__(self, error: CommandError) -> None:
        super().__init__(FAILED, str(error))


class Machine:
    """A QEMU, or a storage daemon, that was started.

    Args:
        process: the process.
        deadline: the time of the monotonic clock at which the scenario must be over.
        seconds: how long the scenario may take.
        commands: the names of the commands that the build has.

    Attributes:
        commands: the same.
        ended: whether it has ended in order.
    """

    def __init__(self, process: Process, deadline: float, seconds: float, commands: frozenset[str]) -> None:
        self.commands = commands
        self.ended = False
        self._process = process
        self._seconds = seconds
        self._client = Client(process, deadline, ANSWER, strict=False, most=LONGEST)

    @property
    def received(self) -> bytes:
        """Every byte that it has sent, and between them the commands, each on a line of its own."""
        return self._client.received

    @property
    def arrivals(self) -> list[Arrival]:
        """When the bytes came."""
        return self._client.arrivals

    def greet(self) -> None:
        """Wait for the greeting, and negotiate capabilities."""
        with self._qmp_failures():
            self._client.greet()

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Send a command, and return the value of its reply.

        Raises:
            Refused: it answers with an error.
            Failure: it does not answer, or the build does not have the command.
        """
        if name not in self.commands:
            raise Failure(LACKS, f"the command {name}")
        with self._qmp_failures():
            return self._client.command(name, **arguments)

    def command_if_known(self, name: str, /, **arguments: Any) -> None:
        """Send a command, if the build has it.

        Raises:
            Failure: as for `command`.
        """
        if name in self.commands:
            self.command(name, **arguments)

    def retry(self, name: str, /, **arguments: Any) -> None:
        """Send a command, again and again while QEMU refuses it because an earlier one is not done.

        Raises:
            Failure: as for `command`.
        """
        end = time.monotonic() + EVENT
        while True:
            try:
                self.command(name, **arguments)
            except Refused:  # noqa: PERF203 -- each try is a second chance
                if time.monotonic() >= end:
                    raise
                self.pause(_AGAIN)
            else:
                return

    def wait(self, event: str, /, **where: Any) -> None:
        """Wait for the next such event, but no longer than `EVENT` seconds.

        An event is waited for once. That one is missing is no failure: it is found in the recording.

        Args:
            event: its name.
            where: members of its data, and their values.
        """

        def claim() -> bool:
            for each in self._client.events:
                if each["event"] == event and matches(each.get("data"), where):
                    self._client.events.remove(each)
                    return True
            return False

        with self._qmp_failures():
            self._client.until(claim, EVENT)

    def pause(self, seconds: float) -> None:
        """Wait, and read what comes meanwhile."""
        with self._qmp_failures():
            self._client.until(lambda: False, seconds)

    def quit(self) -> None:
        """Ask it to end, and wait until it has."""
        with self._qmp_failures():
            # Not by `command`: a machine that ends at once may never reply.
            self._client.send("quit")
        self.wait_exit()

    def wait_exit(self) -> None:
        """Wait until it has ended, in order.

        Raises:
            Failure: it does not end, or it crashed.
        """
        with self._qmp_failures():
            if not self._client.until(lambda: self._client.is_closed, ANSWER):
                raise NoAnswer(f"it did not end within {ANSWER:g} s")
        status = self._process.status(ANSWER)
        if status is None:
            raise Failure(HUNG, f"it closed QMP and did not end within {ANSWER:g} s")
        if status:
            raise self._end(status)
        self.ended = True

    def crash(self, has_answered: bool) -> Failure | None:
        """The failure that it died of a signal; None if it did not.

        It may end a moment after its sockets have closed. One that has just answered is not waited for.
        """
        status = self._process.status(0 if has_answered else _MOMENT)
        return self._end(status) if status is not None and status < 0 else None

    @contextmanager
    def _qmp_failures(self) -> Iterator[None]:
        """Raise whatever goes wrong over QMP in the block as a `Failure`."""
        try:
            yield
        except CommandError as error:
            raise Refused(error) from None
        except DeadlinePassed as error:
            limit = f"not played to its end within {self._seconds:g} s"
            raise Failure(HUNG, f"{limit}: {error}" if str(error) else limit) from None
        except SentTooMuch as error:
            raise Failure(FAILED, str(error)) from None
        except (NoAnswer, ConnectionFailed) as error:
            raise self._silence(str(error)) from None

    def _silence(self, text: str) -> Failure:
        """The failure that nothing came."""
        # A process that crashes closes its sockets first: its exit status comes a moment later.
        status = self._process.status(_MOMENT if self._client.is_closed else 0)
        if status is not None:
            return self._end(status)
        return Failure(HUNG, f"{text}; it closed QMP and runs on" if self._client.is_closed else text)

    def _end(self, status: int) -> Failure:
        """The failure that it ended too early: how it ended, and the last error that it wrote."""
        errors = _errors(self._process.last_lines())
        return Failure(CRASHED, f"it ended ({how_ended(status)})" + (f": {errors[-1]}" if errors else ""))


def _errors(lines: list[str]) -> list[str]:
    """The lines that may say why a process ended: no warnings, and nothing that it went on after."""
    went_on = [at for at, line in enumerate(lines) if "falling back to" in line]
    after = lines[max(went_on, default=-1) + 1 :]
    return [line for line in after if "warning" not in line.lower() and not line.endswith(_SECOND_CHOICE)]


_SECOND_CHOICE = "invalid accelerator qtest"
"""What a build without qtest writes about the second choice of `accel=tcg:qtest`, and then uses the first."""


_MOMENT = 0.5
"""Seconds that a process may take to end after it has closed its output."""

_AGAIN = 0.1
"""Seconds between a refused command and the next try."""
