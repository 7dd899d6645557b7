"""One QMP connection: receive what the server sends, byte for byte and line by line, and send messages.

The field's own library, qemu.qmp, cannot be used here: it stops at a line that is no JSON object, at an event
before the greeting and at an error without `id`, and drops a last line that has no end. A checker must
report just these. The tests use it as an independent client.
"""

from __future__ import annotations

import socket
from typing import Any

from qmpcheck.streams import jsontext
from qmpcheck.streams.blocks import LONGEST
from qmpcheck.streams.messages import is_event
from qmpcheck.text import quoted, reason_of
from qmpcheck.wording import plural

NEGOTIATION = b'{"execute": "qmp_capabilities"}\n'
"""The command that ends negotiation: QEMU sends no events before it."""

CHUNK = 1 << 16
"""How many bytes to read at once; if fewer come, there were no more."""


class ConnectionFailed(Exception):
    """The connection broke, or a line is too long; the text says which."""


class NotQMP(ConnectionFailed):
    """The server's first lines are not QMP.

    Attributes:
        lines: the lines before, which are QMP.
    """

    def __init__(self, text: str, lines: bytes) -> None:
        super().__init__(text)
        self.lines = lines


class TooLong(Exception):
    """A message has more bytes than one may have."""


class LineSplitter:
    """Finds the complete lines in what comes chunk by chunk.

    Args:
        longest: the most bytes that a line may have.

    Attributes:
        rest: the beginning of the next line.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self.rest = bytearray()
        self._longest = longest

    def feed(self, chunk: bytes) -> bytes:
        """Return the lines that are complete with this chunk.

        Raises:
            TooLong: the next line is longer than a line may be.
        """
        end = chunk.rfind(b"\n") + 1  # searched only in what is new, so that a long line takes linear time
        whole = bytes(self.rest) + chunk[:end] if end else b""
        if end:
            self.rest.clear()
        self.rest += chunk[end:]
        if len(self.rest) > self._longest:
            raise TooLong
        return whole


class Connection:
    """The client's end of a QMP connection.

    Args:
        peer: a connected socket; whoever made it closes it.
        strict: whether the lines up to the greeting must be QMP.
        longest: the most bytes that a line may have.

    Attributes:
        received: how many bytes have come.
        has_greeted: whether the greeting has come, for a strict connection.
        is_closed: whether the server has closed the connection.
    """

    def __init__(self, peer: socket.socket, strict: bool = True, longest: int = LONGEST) -> None:
        self.received = 0
        self.has_greeted = self.is_closed = False
        self._peer = peer
        self._lines, self._longest = LineSplitter(longest), longest
        self._expects_greeting = strict
        self._has_lines = False

    def fileno(self) -> int:
        """Return the socket's file descriptor, to wait for it."""
        return self._peer.fileno()

    @property
    def rest(self) -> bytearray:
        """The beginning of a line whose end has not come."""
        return self._lines.rest

    @property
    def lost(self) -> str:
        """In words, how much of an unfinished line came; "" for nothing."""
        rest = len(self.rest)
        return f"lost {plural(rest, 'byte')} of an unfinished line" if rest else ""

    def receive(self) -> bytes:
        """Return the lines that are complete now; wait if nothing has come.

        Raises:
            NotQMP: the server's first lines are not QMP.
            ConnectionFailed: the connection broke, or a line is too long.
        """
        try:
            chunk = self._peer.recv(CHUNK)
        except ConnectionResetError:  # the server ended before it had read everything: no error of ours
            chunk = b""
        except OSError as error:
            raise _broken(error) from None
        self.is_closed = not chunk
        self.received += len(chunk)
        try:
            lines = self._lines.feed(chunk)
        except TooLong:
            raise ConnectionFailed(f"a line is longer than {plural(self._longest, 'byte')}") from None
        if lines and self._expects_greeting:
            self._check_first(lines)
        return lines

    def send(self, message: bytes, seconds: float | None = None) -> None:
        """Send a message. It is no error if the server has gone: what it sent before can still be read.

        Args:
            message: the bytes.
            seconds: how long the server may take to read them; None for any time.

        Raises:
            TimeoutError: it took longer.
            ConnectionFailed: the connection broke.
        """
        self._peer.settimeout(seconds)
        try:
            self._peer.sendall(message)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except TimeoutError:
            raise
        except OSError as error:
            raise _broken(error) from None
        finally:
            self._peer.settimeout(None)

    def _check_first(self, lines: bytes) -> None:
        """Look for the greeting. Events may come before it, if a client returns to a monitor."""
        accepted = 0
        for line in lines.split(b"\n")[:-1]:
            message = _message(line)
            if "QMP" in message:
                self.has_greeted, self._expects_greeting = True, False
                return
            if not (is_event(message) and "timestamp" in message):
                place = "before its greeting it sends" if self._has_lines else "its first line is"
                shown = quoted(line.decode(errors="replace").rstrip())
                raise NotQMP(f"it does not speak QMP: {place} {shown}", lines[:accepted])
            accepted += len(line) + 1
            self._has_lines = True


def _message(line: bytes) -> dict[str, Any]:
    """Return the object on a line; {} if there is none."""
    try:
        message = jsontext.parse(line)
    except jsontext.Malformed:
        return {}
    return message if isinstance(message, dict) else {}


def _broken(error: OSError) -> ConnectionFailed:
    return ConnectionFailed(f"the connection broke: {reason_of(error)}")
