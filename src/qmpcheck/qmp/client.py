"""A QMP client: send commands, and keep replies, events, and all bytes with their time of arrival."""

from __future__ import annotations

import json
import math
import select
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from qmpcheck.qmp.connection import CHUNK, Connection, ConnectionFailed
from qmpcheck.qmp.process import Process
from qmpcheck.streams.messages import is_event
from qmpcheck.version import Version, of_greeting


class CommandError(Exception):
    """The server answered a command with an error; it has the command, the error's class and description."""

    def __init__(self, command: str, error: object) -> None:
        members = error if isinstance(error, dict) else {}
        self.command = command
        self.kind, self.description = str(members.get("class")), str(members.get("desc"))
        super().__init__(f"{command}: {self.description}")


class NoAnswer(Exception):
    """The server did not answer in time, or closed the connection; the text says what was expected."""


class DeadlinePassed(Exception):
    """The time for the whole conversation is over; the text says what was expected, if that is known."""


class SentTooMuch(Exception):
    """The server sent more bytes than it may."""


class Arrival(NamedTuple):
    """The time at which some bytes arrived.

    Attributes:
        end: where they end in `received`.
        after: a time at which none of them had arrived yet, in seconds since 1970.
        before: a time at which they had been read.
    """

    end: int
    after: float
    before: float


class Client:
    """The client of one process.

    Args:
        process: the server. After its end, the client does not wait, even if others have its socket open.
        deadline: the time of the monotonic clock at which the conversation must be over.
        patience: how many seconds a reply may take.
        strict: whether the server must send only QMP. If not, other lines are kept and skipped.
        most: how many bytes the server may send.

    Attributes:
        version: the version in the greeting; None until it comes.
        has_greeted: whether a greeting has come.
        events: the events that nobody has removed yet, in order.
        arrivals: when the bytes arrived, in order.
        is_closed: whether nothing more can come.
    """

    def __init__(
        self, process: Process, deadline: float, patience: float = math.inf, strict: bool = True, *, most: int
    ) -> None:
        self.version: Version | None = None
        self.has_greeted = self.is_closed = False
        self.events: list[dict[str, Any]] = []
        self.arrivals: list[Arrival] = []
        self._process = process
        self._deadline, self._patience, self._strict, self._most = deadline, patience, strict, most
        self._connection = Connection(process.peer, strict)
        self._lines = bytearray()
        self._sent = 0
        self._nothing_there = time.time()
        self._number = 0
        self._replies: dict[int, dict[str, Any]] = {}

    @property
    def received(self) -> bytes:
        """All bytes that came, and between them the commands, each on a line of its own."""
        return bytes(self._lines + self._connection.rest)

    def greet(self) -> None:
        """Wait for the greeting, and negotiate capabilities.

        Raises:
            NoAnswer: the greeting does not come, or negotiation is not answered.
            CommandError: negotiation fails.
            ConnectionFailed, DeadlinePassed, SentTooMuch: as their names say.
        """
        self._await(lambda: self.has_greeted, "no QMP greeting")
        self.command("qmp_capabilities")

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Send a command, and return the value of its reply.

        Raises:
            CommandError: the reply is an error.
            NoAnswer: there is no reply.
            ConnectionFailed, DeadlinePassed, SentTooMuch: as their names say.
        """
        number = self.send(name, **arguments)
        self._await(lambda: number in self._replies, f"no reply to {name}")
        reply = self._replies.pop(number)
        if "error" in reply:
            raise CommandError(name, reply["error"])
        return reply.get("return")

    def send(self, name: str, /, **arguments: Any) -> int:
        """Send a command without waiting, and return the `id` of its reply.

        Raises:
            NoAnswer: the server does not read it.
            ConnectionFailed: the connection broke.
        """
        self._number += 1
        message: dict[str, Any] = {"execute": name, "id": self._number}
        if arguments:
            message["arguments"] = arguments
        # Zero would mean not to wait at all.
        seconds = min(self._patience, max(0.001, self._deadline - time.monotonic()))
        line = json.dumps(message).encode() + b"\n"
        try:
            self._connection.send(line, seconds)
        except TimeoutError:
            raise NoAnswer(f"it did not read {name} within {seconds:g} s") from None
        # Commands are kept in place among what was received, so that the whole is a transcript.
        self._lines += line
        self._sent += len(line)
        return self._number

    def _await(self, has_come: Callable[[], bool], otherwise: str) -> None:
        try:
            if self.until(has_come, self._patience):
                return
        except DeadlinePassed:
            raise DeadlinePassed(otherwise) from None
        raise NoAnswer(otherwise if self.is_closed else f"{otherwise} within {self._patience:g} s")

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Read until something is done, the time is over, or nothing more comes; return whether it is done.

        Raises:
            ConnectionFailed, DeadlinePassed, SentTooMuch: as their names say.
        """
        end = time.monotonic() + seconds
        # Look before reading: it may have come with what was read before.
        while not done():
            now = time.monotonic()
            if self.is_closed or now >= end:
                return False
            if now >= self._deadline:
                raise DeadlinePassed
            self._wait(min(end, self._deadline) - now)
        return True

    def _wait(self, seconds: float) -> None:
        """Read what has come, or wait a little: a process may end while its children keep its connection."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        asked = time.time()
        if poll.poll(max(0, min(seconds, _SLICE)) * 1000):
            self._receive()
        elif self._process.status() is None:
            self._nothing_there = asked
        else:
            self.is_closed = True

    def _receive(self) -> None:
        asked, before = time.time(), self._connection.received
        lines = self._connection.receive()
        self.is_closed = self._connection.is_closed
        received = self._connection.received
        self.arrivals.append(Arrival(received + self._sent, self._nothing_there, time.time()))
        if received - before < CHUNK:  # no more was there
            self._nothing_there = asked
        self._lines += lines
        for line in lines.split(b"\n"):
            if line.strip():
                self._take(line)
        if received > self._most:
            raise SentTooMuch(f"it sent more than {self._most >> 10} KiB")

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            if self._strict:
                raise ConnectionFailed("it sent a line that is not a JSON object")
        elif "QMP" in message:
            self.has_greeted, self.version = True, self.version or of_greeting(message)
        elif is_event(message):
            self.events.append(message)
        elif isinstance(message.get("id"), int):
            # By its number, a reply is found even if another one overtakes it.
            self._replies[message["id"]] = message


_SLICE = 0.1
"""How many seconds to wait for something to read."""
