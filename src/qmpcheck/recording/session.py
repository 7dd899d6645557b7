"""One connection to a monitor, from its first line to its end."""

from __future__ import annotations

import socket
import time
from contextlib import nullcontext, suppress
from typing import Any

from qmpcheck.printable import quoted
from qmpcheck.recording.interruption import Interruption
from qmpcheck.recording.lines import Lines, TooLong
from qmpcheck.recording.transcript import Stopped, Transcript
from qmpcheck.streams import jsontext
from qmpcheck.streams.blocks import LONGEST
from qmpcheck.wording import plural

PATIENCE = 10.0
"""Seconds that a socket may take to greet."""

_CHUNK = 1 << 16
_SILENT = "it speaks no QMP, or its monitor has another client"
_SET_OUT = b'{"execute": "qmp_capabilities"}\n'


class Session:
    """Writes down what one peer sends. It is sent nothing but the command without which no event comes."""

    def __init__(
        self,
        connection: socket.socket,
        transcript: Transcript,
        patience: float | None = None,
        longest: int = LONGEST,
    ) -> None:
        self.has_begun = self._has_sent = False
        self._connection, self._transcript, self._lines = connection, transcript, Lines(longest)
        self._patience, self._longest = patience, longest
        self._deadline = None if patience is None else time.monotonic() + patience

    @property
    def lost(self) -> str:
        """What came of a line that did not end, in words; empty where nothing did."""
        rest = len(self._lines.rest)
        return f"lost {plural(rest, 'byte')} of a line that was not finished" if rest else ""

    def read(self, interruption: Interruption, waits: bool = True) -> bool:
        """Write what comes; whether to the peer's end. An interrupt ends it, or that nothing comes at once.

        Raises:
            Stopped: it speaks no QMP, a line is too long, or the transcript cannot be written.
        """
        while interruption.asked is None:
            if interruption.readable(self._connection, self._left() if waits else 0):
                chunk = self._received()
                if not chunk:
                    return True
                if lines := self._whole(chunk):
                    self._write(lines, interruption)
            elif not waits:
                break
            elif self._left() == 0:
                raise Stopped(f"no greeting within {self._patience:g} s: {_SILENT}")
        return False

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _received(self) -> bytes:
        try:
            return self._connection.recv(_CHUNK)
        except ConnectionResetError:  # it died with something unread
            return b""
        except OSError as error:
            raise Stopped(f"the connection broke: {error.strerror or error}") from None

    def _whole(self, chunk: bytes) -> bytes:
        try:
            return self._lines.feed(chunk)
        except TooLong:
            raise Stopped(f"a line is longer than {plural(self._longest, 'byte')}") from None

    def _write(self, lines: bytes, interruption: Interruption) -> None:
        """Write whole lines. A client that comes back to a monitor may be sent events before the greeting."""
        accepted, begins = (len(lines), False) if self.has_begun else _greeted(lines)
        if accepted:
            self._append(lines[:accepted], interruption)
        if accepted < len(lines):
            line = lines[accepted:].partition(b"\n")[0].decode(errors="replace").rstrip()
            place = "before its greeting it sends" if self._has_sent or accepted else "its first line is"
            raise Stopped(f"it speaks no QMP: {place} {quoted(line)}")
        self._has_sent = True
        if begins:
            self._begin()

    def _append(self, lines: bytes, interruption: Interruption) -> None:
        may_wait = self._transcript.may_wait
        with suppress(KeyboardInterrupt), interruption.raising() if may_wait else nullcontext():
            self._transcript.append(lines)  # an interrupt that passes through it came when all was written

    def _begin(self) -> None:
        self.has_begun, self._deadline = True, None
        self._transcript.sessions += 1
        try:
            self._connection.sendall(_SET_OUT)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it sent before it went is still to be read
        except OSError as error:
            raise Stopped(f"the connection broke: {error.strerror or error}") from None


def _greeted(lines: bytes) -> tuple[int, bool]:
    """How many bytes of a monitor's first lines are QMP, and whether the greeting is among them.

    Until the greeting, only events are; after it, everything is taken.
    """
    accepted = 0
    for line in lines.split(b"\n")[:-1]:
        message = _message(line)
        if "QMP" in message:
            return len(lines), True
        if not (isinstance(message.get("event"), str) and "timestamp" in message):
            break
        accepted += len(line) + 1
    return accepted, False


def _message(line: bytes) -> dict[str, Any]:
    """The object that a line holds; {} where it holds none."""
    try:
        message = jsontext.parse(line)
    except jsontext.Malformed:
        return {}
    return message if isinstance(message, dict) else {}
