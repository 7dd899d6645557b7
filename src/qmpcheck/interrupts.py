"""Handle signals that ask qmpcheck to end: stop waiting without losing anything, and clean up."""

from __future__ import annotations

import selectors
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, Protocol

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class HasFileno(Protocol):
    """A socket, or something with a file descriptor."""

    def fileno(self) -> int:
        """Return the file descriptor."""


def _is_ignored_hangup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


class Interrupts:
    """A context in which a signal only stops the waiting.

    A hangup that is ignored, as under `nohup`, stays ignored.

    Args:
        signals: the signals; none in a thread, which gets no signals: others call `ask` for it.

    Attributes:
        came: whether there was one.
        asked: the signal that nobody has handled yet.
    """

    def __init__(self, signals: Sequence[int] = INTERRUPTS) -> None:
        self._signals = signals
        self.came = False
        self.asked: int | None = None
        self._raises = False

    def __enter__(self) -> Interrupts:
        # A handler of signals may only do so little: it writes a byte, and whatever waits wakes up.
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        heard = [each for each in self._signals if not _is_ignored_hangup(each)]
        self._before = {each: signal.signal(each, self._on_signal) for each in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        self._ours.close()
        self._theirs.close()

    def ask(self, number: int) -> None:
        """Stop the waiting, from any thread."""
        self.came, self.asked = True, number
        # If the socket is full, earlier bytes are still unread, and end the waiting, too.
        with suppress(BlockingIOError):
            self._theirs.send(b"\n")

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.ask(number)
        if self._raises:
            raise KeyboardInterrupt

    def take(self) -> int | None:
        """Return the signal that has come, and mark it as handled."""
        number, self.asked = self.asked, None
        return number

    def pause(self, seconds: float) -> None:
        """Wait, but only until an interrupt."""
        self._select(seconds)

    def readable(self, connection: HasFileno, seconds: float | None) -> bool:
        """Wait until there is something to read; return False if the time is over or an interrupt came."""
        return self._select(seconds, connection) and self.asked is None

    def _select(self, seconds: float | None, *connections: HasFileno) -> bool:
        with selectors.DefaultSelector() as selector:
            for each in (self._ours, *connections):
                selector.register(each, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        if self._ours in ready:
            self._ours.recv(1 << 10)
        return any(each in ready for each in connections)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Let signals raise KeyboardInterrupt inside; only for blocking calls that lose no data then."""
        self._raises = True
        try:
            yield
        finally:
            self._raises = False


@contextmanager
def exit_on_signal() -> Iterator[None]:
    """A context in which a signal unwinds the stack, so that everything that was started is killed."""
    # Only the main thread can handle signals.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) != signal.SIG_IGN]
    before = {number: signal.signal(number, _exit) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
