"""One connection from its greeting to its end."""

from __future__ import annotations

import socket
import time
from contextlib import nullcontext, suppress

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
        self.has_begun = False
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
                self._write(self._whole(chunk), interruption)
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
        if not lines:
            return
        if not self.has_begun:
            _expect_greeting(lines)
        may_wait = self._transcript.may_wait
        with suppress(KeyboardInterrupt), interruption.raising() if may_wait else nullcontext():
            self._transcript.append(lines)  # an interrupt that passes through it came when all was written
        if not self.has_begun:
            self._begin()

    def _begin(self) -> None:
        self.has_begun, self._deadline = True, None
        self._transcript.sessions += 1
        try:
            self._connection.sendall(_SET_OUT)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it sent before it went is still to be read
        except OSError as error:
            raise Stopped(f"the connection broke: {error.strerror or error}") from None


def _expect_greeting(lines: bytes) -> None:
    first = lines.partition(b"\n")[0]
    try:
        message = jsontext.parse(first)
    except jsontext.Malformed:
        message = None
    if not (isinstance(message, dict) and "QMP" in message):
        raise Stopped(
            f"it speaks no QMP: its first line is {quoted(first.decode(errors='replace').rstrip())}"
        )
