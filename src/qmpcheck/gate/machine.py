"""One QEMU that is talked to over QMP: every byte that it sends is kept as it was sent."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable
from typing import IO, Any

from qmpcheck.gate import processes
from qmpcheck.gate.expected import matches
from qmpcheck.gate.processes import Process
from qmpcheck.gate.recording import Arrival
from qmpcheck.gate.trouble import CRASHED, FAILED, HUNG, LACKS, Trouble, is_lacking
from qmpcheck.version import of_greeting

ANSWER, EVENT = 10.0, 5.0
"""Seconds that a reply, and that an event, may take on a busy machine."""

APART = 1.1
"""More than a second: rate-limited events that far apart are all seen."""

LONGEST = 1 << 19
"""Bytes that one process may send; the longest recording has a hundredth of that."""


class Refused(Trouble):
    """A command that QEMU answered with an error."""

    def __init__(self, command: str, error: dict[str, Any]) -> None:
        desc = str(error.get("desc"))
        unknown = error.get("class") == "CommandNotFound" or is_lacking(desc)
        super().__init__(LACKS if unknown else FAILED, f"{command}: {desc}")


class Machine:
    """A QEMU, or a storage daemon, that was started.

    Args:
        process: the process.
        ours: our end of its standard input and output.
        said: its standard error.
        limit: when, by the monotonic clock, the scenario must be over.
        commands: those that the build knows.
    """

    def __init__(
        self,
        process: Process,
        ours: socket.socket,
        said: IO[bytes],
        limit: float,
        commands: frozenset[str],
    ) -> None:
        self.process = process
        self.commands = commands
        self.received = bytearray()
        self.arrivals: list[Arrival] = []
        self.ended = False
        self._ours = ours
        self._said = said
        self._limit = limit
        self._nothing_there = time.time()
        self._read = 0
        self._number = 0
        self._closed = False
        self._greeted = False
        self._unclaimed: list[dict[str, Any]] = []
        self._replies: dict[Any, dict[str, Any]] = {}

    def greet(self) -> None:
        """Wait for the greeting, and leave negotiation."""
        self._until(lambda: self._greeted, ANSWER)
        if not self._greeted:
            raise self._silence("no greeting")
        self.command("qmp_capabilities")

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Send a command, and wait for what it returns.

        Raises:
            Refused: it answers with an error.
            Trouble: it does not answer.
        """
        reply = self._reply(name, self._send(name, arguments))
        if "error" in reply:
            raise Refused(name, reply["error"] if isinstance(reply["error"], dict) else {})
        return reply.get("return")

    def attempt(self, name: str, /, **arguments: Any) -> bool:
        """Send a command; whether it was carried out."""
        try:
            self.command(name, **arguments)
        except Refused:
            return False
        return True

    def insist(self, name: str, /, **arguments: Any) -> None:
        """Send a command again while it is refused, as what came before has not come to rest."""
        end = time.monotonic() + EVENT
        while not self.attempt(name, **arguments):
            if time.monotonic() >= end:
                self.command(name, **arguments)
                break
            self.pause(_AGAIN)

    def wait(self, event: str, /, seconds: float = EVENT, **where: Any) -> dict[str, Any] | None:
        """The data of the next such event that no one has waited for; None where it does not come."""
        found: list[dict[str, Any]] = []

        def claim() -> bool:
            for each in self._unclaimed:
                if each["event"] == event and matches(each.get("data"), where):
                    found.append(each)
                    self._unclaimed.remove(each)
                    return True
            return False

        if not self._until(claim, seconds):
            return None
        data = found[0].get("data")
        return data if isinstance(data, dict) else {}

    def pause(self, seconds: float) -> None:
        """Let time pass, and read what comes."""
        self._until(lambda: False, seconds)

    def quit(self) -> None:
        """Ask it to end, and see it end."""
        if not self._closed:
            self._send("quit", {})
        self.see_end()

    def see_end(self) -> None:
        """Wait until it has ended, in order.

        Raises:
            Trouble: it does not, or it was a crash.
        """
        if not self._until(lambda: self._closed, ANSWER):
            raise self._silence("it does not end")
        status = processes.status(self.process, ANSWER)
        if status is None:
            raise Trouble(HUNG, "it closed QMP and does not end")
        if status:
            raise self._crash(status)
        self.ended = True

    def _send(self, name: str, arguments: dict[str, Any]) -> int:
        self._number += 1
        message: dict[str, Any] = {"execute": name, "id": self._number}
        if arguments:
            message["arguments"] = arguments
        try:
            self._ours.settimeout(ANSWER)
            self._ours.sendall(json.dumps(message).encode() + b"\n")
        except TimeoutError:
            raise Trouble(HUNG, f"it does not read {name}") from None
        except OSError:
            self._closed = True
        return self._number

    def _reply(self, name: str, number: int) -> dict[str, Any]:
        if not self._until(lambda: number in self._replies, ANSWER):
            raise self._silence(f"no reply to {name} within {ANSWER:g} s")
        return self._replies.pop(number)

    def _silence(self, text: str) -> Trouble:
        """Why nothing came."""
        status = processes.status(self.process, _MOMENT if self._closed else 0)
        if status is not None:
            return self._crash(status)
        return Trouble(HUNG, f"{text}; it closed QMP and runs on" if self._closed else text)

    def _crash(self, status: int) -> Trouble:
        said = self._last_lines()
        lacking = next(filter(is_lacking, said), "")
        if not self._greeted and lacking:
            return Trouble(LACKS, lacking)
        last = next((line for line in reversed(said) if ": warning: " not in line), "")
        how = f"exit status {status}" if status >= 0 else f"signal {-status}"
        return Trouble(CRASHED, f"it ended ({how})" + (f": {last}" if last else ""))

    def _last_lines(self) -> list[str]:
        """The end of its standard error."""
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _TAIL))
        lines = self._said.read().decode(errors="replace").split("\n")
        return [line for line in lines if line.strip()]

    def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Read until something holds, the time is over, or nothing more can come; whether it holds."""
        end = time.monotonic() + seconds
        while not done():
            if self._closed or time.monotonic() >= end:
                return False
            if time.monotonic() >= self._limit:
                raise Trouble(HUNG, "not played to its end within its time limit")
            self._receive(min(end, self._limit))
        return True

    def _receive(self, end: float) -> None:
        """Read what has come, or wait for it, but not for long: a process may end and leave QMP open."""
        poll = select.poll()
        poll.register(self._ours, select.POLLIN)
        asked = time.time()
        if poll.poll(max(0, min(end - time.monotonic(), _SLICE)) * 1000):
            self._take_what_came()
        elif processes.status(self.process) is None:
            self._nothing_there = asked
        else:
            self._closed = True

    def _take_what_came(self) -> None:
        asked = time.time()
        try:
            data = self._ours.recv(_MOST)
        except OSError:
            data = b""
        self._closed = not data
        self.received += data
        self.arrivals.append(Arrival(len(self.received), self._nothing_there, time.time()))
        if len(data) < _MOST:
            self._nothing_there = asked
        self._split()
        if len(self.received) > LONGEST:
            raise Trouble(FAILED, f"it sent more than {LONGEST >> 10} KiB")

    def _split(self) -> None:
        end = self.received.rfind(b"\n") + 1
        for line in bytes(self.received[self._read : end]).split(b"\n"):
            if line.strip():
                self._take(line)
        self._read = max(self._read, end)

    def _take(self, line: bytes) -> None:
        """Use a line as far as it can be used: to say what is wrong with it is for the checker."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if "QMP" in message:
            self._greeted = self._greeted or of_greeting(message) is not None
        elif isinstance(message.get("event"), str):
            self._unclaimed.append(message)
        elif isinstance(message.get("id"), int):
            self._replies[message["id"]] = message


_MOMENT = 0.5
"""Seconds that a process may take to end after it has closed its output."""

_SLICE = 0.1
"""Seconds to wait for anything to read."""

_MOST = 1 << 16
"""Bytes to read at a time; where fewer came, there were no more."""

_AGAIN = 0.1
"""Seconds between a refused command and the next try."""

_TAIL = 4096


def connected(path: str, seconds: float = ANSWER) -> socket.socket:
    """A connection to a unix socket that may not be there yet.

    Raises:
        Trouble: it does not come.
    """
    end = time.monotonic() + seconds
    while True:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(seconds)
        try:
            peer.connect(path)
        except OSError as error:
            peer.close()
            if time.monotonic() >= end:
                raise Trouble(HUNG, f"{os.path.basename(path)}: {error.strerror}") from None
            time.sleep(0.02)
        else:
            return peer
