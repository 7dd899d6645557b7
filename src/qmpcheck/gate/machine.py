"""One QEMU of a scenario: commands, events and its end. Whatever goes wrong is raised as a `Failure`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qmpcheck.gate.expectations import matches
from qmpcheck.gate.failure import CRASHED, FAILED, HUNG, LACKS, Failure
from qmpcheck.qmp.client import Arrival, Client, CommandError, DeadlinePassed, NoAnswer, SentTooMuch
from qmpcheck.qmp.connection import ConnectionFailed
from qmpcheck.qmp.process import Process, signal_name

ANSWER, EVENT = 10.0, 5.0
"""Seconds that a reply, and that an event, may take on a busy machine."""

APART = 1.1
"""More than a second: rate-limited events that far apart are all seen."""

LONGEST = 1 << 19
"""Bytes that one process may send; the longest recording has a hundredth of that."""


class Refused(Failure):
    """A command of the build's schema that it answered with an error."""

    def __init__(self, error: CommandError) -> None:
        super().__init__(FAILED, str(error))


class Machine:
    """A QEMU, or a storage daemon, that was started.

    Args:
        process: the process.
        limit: when, by the monotonic clock, the scenario must be over.
        commands: those that the build knows.
    """

    def __init__(self, process: Process, limit: float, commands: frozenset[str]) -> None:
        self.commands = commands
        self.ended = False
        self._process = process
        self._client = Client(process, limit, ANSWER, strict=False, most=LONGEST)

    @property
    def received(self) -> bytes:
        """Every byte that it has sent, as it was sent."""
        return self._client.received

    @property
    def arrivals(self) -> list[Arrival]:
        """When the bytes came."""
        return self._client.arrivals

    def greet(self) -> None:
        """Wait for the greeting, and leave capabilities negotiation."""
        with self._qmp_failures():
            self._client.greet()

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Send a command, and wait for what it returns.

        Raises:
            Refused: it answers with an error.
            Failure: it does not answer, or its schema does not have the command.
        """
        if name not in self.commands:
            raise Failure(LACKS, f"the command {name}")
        with self._qmp_failures():
            return self._client.command(name, **arguments)

    def command_if_known(self, name: str, /, **arguments: Any) -> None:
        """Send a command, if the build's schema has it.

        Raises:
            Failure: as for `command`.
        """
        if name in self.commands:
            self.command(name, **arguments)

    def retry(self, name: str, /, **arguments: Any) -> None:
        """Send a command, and send it again while QEMU refuses it because an earlier one is not done."""
        end = time.monotonic() + EVENT
        while not self._accepts(name, arguments):
            if time.monotonic() >= end:
                self.command(name, **arguments)
                break
            self.pause(_AGAIN)

    def _accepts(self, name: str, arguments: dict[str, Any]) -> bool:
        try:
            self.command(name, **arguments)
        except Refused:
            return False
        return True

    def wait(self, event: str, /, seconds: float = EVENT, **where: Any) -> dict[str, Any] | None:
        """The data of the next such event that no one has waited for; None where it does not come."""
        found: list[dict[str, Any]] = []

        def claim() -> bool:
            for each in self._client.events:
                if each["event"] == event and matches(each.get("data"), where):
                    found.append(each)
                    self._client.events.remove(each)
                    return True
            return False

        with self._qmp_failures():
            if not self._client.until(claim, seconds):
                return None
        data = found[0].get("data")
        return data if isinstance(data, dict) else {}

    def pause(self, seconds: float) -> None:
        """Wait that long, and read what comes meanwhile."""
        with self._qmp_failures():
            self._client.until(lambda: False, seconds)

    def quit(self) -> None:
        """Ask it to end, and see it end."""
        with self._qmp_failures():
            self._client.send("quit")
        self.wait_exit()

    def wait_exit(self) -> None:
        """Wait until it has ended, in order.

        Raises:
            Failure: it does not, or it was a crash.
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
        """That it died of a signal, if it did: then whatever else went wrong is a consequence.

        If it has just answered, it is not waited for: it may take a moment to end after its sockets have.
        """
        status = self._process.status(0 if has_answered else _MOMENT)
        return self._end(status) if status is not None and status < 0 else None

    @contextmanager
    def _qmp_failures(self) -> Iterator[None]:
        """Inside, whatever goes wrong over QMP is raised as a `Failure`."""
        try:
            yield
        except CommandError as error:
            raise Refused(error) from None
        except DeadlinePassed as error:
            limit = "not played to its end within its time limit"
            raise Failure(HUNG, f"{limit}: {error}" if str(error) else limit) from None
        except SentTooMuch as error:
            raise Failure(FAILED, str(error)) from None
        except (NoAnswer, ConnectionFailed) as error:
            raise self._silence(str(error)) from None

    def _silence(self, text: str) -> Failure:
        """Why nothing came."""
        status = self._process.status(_MOMENT if self._client.is_closed else 0)
        if status is not None:
            return self._end(status)
        return Failure(HUNG, f"{text}; it closed QMP and runs on" if self._client.is_closed else text)

    def _end(self, status: int) -> Failure:
        """That it ended too early: how, and what it wrote last, however it has begun."""
        how = f"exit status {status}" if status >= 0 else signal_name(-status)
        errors = _errors(self._process.last_lines())
        return Failure(CRASHED, f"it ended ({how})" + (f": {errors[-1]}" if errors else ""))


def _errors(lines: list[str]) -> list[str]:
    """The lines that may say why a process ended: no warnings, and nothing after which it has gone on."""
    went_on = [at for at, line in enumerate(lines) if "falling back to" in line]
    return [line for line in lines[max(went_on, default=-1) + 1 :] if "warning" not in line.lower()]


_MOMENT = 0.5
"""Seconds that a process may take to end after it has closed its output."""

_AGAIN = 0.1
"""Seconds between a refused command and the next try."""
