"""A proxy between clients and a monitor: it passes on what either side sends, and records both.

Clients and QEMU do not notice it: bytes and file descriptors pass unchanged, a side that reads slowly slows
down the other, and when one side ends, so does the other. Like QEMU, it serves one client at a time. Messages
also pass if they cannot be recorded.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress

from qmpcheck.interrupts import Interrupts
from qmpcheck.qmp.address import Address, why_not_listening
from qmpcheck.qmp.connection import LineSplitter, TooLong
from qmpcheck.recording.transcript import OnMessage, Stopped, Transcript
from qmpcheck.streams.blocks import LONGEST
from qmpcheck.text import reason_of, safe
from qmpcheck.wording import plural

_CHUNK = 1 << 16
_MOST_FDS = 253
"""The most file descriptors that Linux passes with one message."""


def record_proxy(
    listen: Address,
    monitor: Address,
    record: ProxyRecorder,
    interrupts: Interrupts,
    again: bool = False,
) -> bool:
    """Serve clients until an interrupt, or the end of the monitor; with `again`, wait for its return.

    Args:
        listen: where clients connect.
        monitor: where QEMU listens.
        record: records what passes.
        interrupts: end it.
        again: whether a monitor that has ended is expected to come back.

    Returns:
        Whether everything was recorded.

    Raises:
        Stopped: there is no place to listen, or no monitor.
    """
    with _listening(listen) as listener:
        while (client := _accepted(listener, interrupts)) is not None:
            with closing(client):
                server = _reached(monitor, interrupts, record.on_message if again else None)
                if server is None:
                    continue  # after an interrupt, no client is accepted any more
                with closing(server):
                    client_ended = ProxiedConnection(client, server, record).run(interrupts)
                record.end()
            if not client_ended and not again:
                break
    return record.is_whole


def _reached(monitor: Address, interrupts: Interrupts, missing: OnMessage | None) -> socket.socket | None:
    """Return a connection to the monitor; None if there is none now, or an interrupt came first.

    Args:
        monitor: where QEMU listens.
        interrupts: end the waiting.
        missing: takes the reason if there is no monitor; None if it is not expected to come back.

    Raises:
        Stopped: there is no monitor, and it is not expected to come back.
    """
    try:
        with interrupts.raising():
            return monitor.connect()
    except KeyboardInterrupt:
        return None
    except (OSError, ValueError) as error:
        reason = safe(f"{monitor}: {reason_of(error)}")
    if missing is None:
        raise Stopped(reason)
    missing(reason)
    return None


@contextmanager
def _listening(address: Address) -> Iterator[socket.socket]:
    """Yield a socket that listens at an address; remove its path at the end."""
    try:
        listener = address.listen()
    except (OSError, ValueError) as error:
        raise Stopped(why_not_listening(address, error)) from None
    with closing(listener):
        try:
            yield listener
        finally:
            address.remove()


def _accepted(listener: socket.socket, interrupts: Interrupts) -> socket.socket | None:
    """Return the next client; None if an interrupt came first."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        return listener.accept()[0] if _selected(selector, interrupts) else None


def _selected(
    selector: selectors.BaseSelector, interrupts: Interrupts
) -> list[tuple[selectors.SelectorKey, int]]:
    """Wait until something is ready, and return it; [] if an interrupt came first."""
    try:
        with interrupts.raising():
            return [] if interrupts.asked is not None else selector.select()
    except KeyboardInterrupt:
        return []


class ProxyRecorder:
    """Records both directions, each message on one line.

    Attributes:
        on_message: takes what the user must know, as it happens.
        is_whole: whether nothing was lost.
    """

    def __init__(self, transcript: Transcript, on_message: OnMessage) -> None:
        self.is_whole = True
        self._transcript: Transcript | None = transcript
        self.on_message = on_message
        self._begin()

    def _begin(self) -> None:
        self._received, self._sent = LineSplitter(), CommandSplitter()

    def received(self, chunk: bytes) -> None:
        """Record bytes from QEMU, line by line."""
        try:
            self._append(self._received.feed(chunk))
        except TooLong:
            self._stop(f"a line is longer than {plural(LONGEST, 'byte')}")

    def sent(self, chunk: bytes) -> None:
        """Record bytes from the client, command by command, in whatever layout they come."""
        try:
            self._append(b"".join(text + b"\r\n" for text in self._sent.feed(chunk)))
        except TooLong:
            self._stop(f"a command is longer than {plural(LONGEST, 'byte')}")

    def end(self) -> None:
        """End the connection: messages that are incomplete are lost, and reported."""
        for what, rest in (("line", len(self._received.rest)), ("command", self._sent.rest)):
            if rest:
                self.on_message(f"lost {plural(rest, 'byte')} of an unfinished {what}")
        if self._transcript:
            self._transcript.sessions += 1
        self._begin()

    def _append(self, lines: bytes) -> None:
        if not lines or not self._transcript:
            return
        try:
            self._transcript.append(lines)
        except Stopped as error:
            self._stop(str(error))

    def _stop(self, reason: str) -> None:
        if self._transcript:
            self.on_message(f"{reason}; the connection goes on without a recording")
        self._transcript, self.is_whole = None, False
        self._begin()


class CommandSplitter:
    """Finds the JSON objects in what a client sends, with or without line ends.

    What is between them is no message, and skipped: QEMU answers it with an error.
    """

    def __init__(self) -> None:
        self._text = bytearray()
        self._at = self._depth = 0
        self._quote = b""

    @property
    def rest(self) -> int:
        """How many bytes of an unfinished object there are."""
        return len(self._text) if self._depth else 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the objects that are complete with this chunk, each on one line.

        Raises:
            TooLong: the next object is longer than one may be.
        """
        self._text += chunk
        found: list[bytes] = []
        while match := (_IN_STRING if self._quote else _OUTSIDE).search(self._text, self._at):
            self._at = match.end()
            if self._step(match[0], match.start()):
                if self._text.startswith(b"{"):
                    found.append(_LINE_END.sub(b" ", bytes(self._text[: self._at])))
                self._cut(self._at)
        is_escape = self._quote and self._text.endswith(b"\\")  # what it escapes has not come yet
        # Tokens that were read already are not searched again, so that the time stays linear.
        self._at = max(self._at, len(self._text) - bool(is_escape))
        if not self._depth:
            self._cut(len(self._text))
        if len(self._text) > LONGEST:
            raise TooLong
        return found

    def _step(self, token: bytes, begin: int) -> bool:
        """Take the next token; return whether a value ends with it."""
        if self._quote:
            self._quote = b"" if token == self._quote else self._quote
        elif token in (b'"', b"'"):
            self._quote = token if self._depth else b""
        elif token in (b"{", b"["):
            if not self._depth:
                self._cut(begin)
            self._depth += 1
        elif self._depth:
            self._depth -= 1
            return self._depth == 0
        return False

    def _cut(self, begin: int) -> None:
        del self._text[:begin]
        self._at = max(0, self._at - begin)


_OUTSIDE = re.compile(rb"[\"'{}\[\]]")
_IN_STRING = re.compile(rb"\\.|[\"']", re.DOTALL)
_LINE_END = re.compile(rb"\s*\n\s*")


class ProxiedConnection:
    """A client and its connection to the monitor."""

    def __init__(self, client: socket.socket, server: socket.socket, record: ProxyRecorder) -> None:
        self._up = _Direction(client, server, record.sent)
        self._down = _Direction(server, client, record.received)

    def run(self, interrupts: Interrupts) -> bool:
        """Pass on until one side has ended and the other has got all; return whether the client was first."""
        client_ended = False
        while interrupts.asked is None and not self._is_over:
            with selectors.DefaultSelector() as selector:
                for place, events in self._wanted().items():
                    selector.register(place, events)
                ready: dict[object, int] = {
                    key.fileobj: events for key, events in _selected(selector, interrupts)
                }
            # First what QEMU has sent: it was written before QEMU read the next command.
            for direction in (self._down, self._up):
                direction.step(ready)
            client_ended = client_ended or (self._up.has_ended and not self._down.has_ended)
        return client_ended

    @property
    def _is_over(self) -> bool:
        is_gone = self._up.has_ended and self._down.is_deaf  # the client, wholly
        return self._down.has_ended or is_gone

    def _wanted(self) -> dict[socket.socket, int]:
        events: dict[socket.socket, int] = {}
        for direction in (self._up, self._down):
            place, event = direction.wanted
            if event:
                events[place] = events.get(place, 0) | event
        return events


class _Direction:
    """The bytes that one side sends to the other.

    Attributes:
        has_ended: whether the sender has ended, and the receiver has got everything and knows that.
        is_deaf: whether the receiver has stopped reading, so that what comes is only recorded.
    """

    def __init__(self, source: socket.socket, sink: socket.socket, write: Callable[[bytes], None]) -> None:
        self.has_ended = self.is_deaf = False
        self._source, self._sink, self._write = source, sink, write
        # Only Unix sockets pass file descriptors, as with `getfd` and `add-fd`.
        self._passes_fds = {source.family, sink.family} == {socket.AF_UNIX}
        self._pending = memoryview(b"")
        self._fds: list[int] = []
        source.setblocking(False)

    @property
    def wanted(self) -> tuple[socket.socket, int]:
        """The socket to wait for next, and the event on it; 0 for none.

        More is read only after everything has been passed on, so that a slow receiver slows down the sender.
        """
        if self._pending:
            return self._sink, selectors.EVENT_WRITE
        return self._source, 0 if self.has_ended else selectors.EVENT_READ

    def step(self, ready: Mapping[object, int]) -> None:
        """Read or write, if the socket is ready for that."""
        place, event = self.wanted
        if ready.get(place, 0) & event:
            if event == selectors.EVENT_READ:
                self._read()
            self._pass_on()

    def _read(self) -> None:
        try:
            if self._passes_fds:
                chunk, self._fds, *_ = socket.recv_fds(self._source, _CHUNK, _MOST_FDS)
            else:
                chunk = self._source.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:  # it died with something unread
            chunk = b""
        if chunk:
            self._write(chunk)
            self._pending = memoryview(chunk)
        else:
            self.has_ended = True
            with suppress(OSError):
                self._sink.shutdown(socket.SHUT_WR)

    def _pass_on(self) -> None:
        try:
            while self._pending and not self.is_deaf:
                sent = (
                    socket.send_fds(self._sink, [self._pending], self._fds)
                    if self._fds
                    else self._sink.send(self._pending)
                )
                self._pending = self._pending[sent:]
                self._close_fds()
        except BlockingIOError:
            return
        except OSError:
            self.is_deaf = True
        self._pending = memoryview(b"")
        self._close_fds()

    def _close_fds(self) -> None:
        for number in self._fds:
            os.close(number)
        self._fds = []
