"""Waiting that an interrupt ends, and that loses nothing by it."""

from __future__ import annotations

import selectors
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _is_ignored_hangup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


class Interruption:
    """Within it, an interrupt or a request to end stops the waiting and nothing else.

    `came` tells that there was one; `asked` is the signal that nobody has taken up yet. A thread, which gets
    no signals, is given none and hears of them by `ask`. A hangup that is ignored, as under
    `nohup`, stays so.
    """

    def __init__(self, signals: Sequence[int] = INTERRUPTS) -> None:
        self._signals = signals
        self.came = False
        self.asked: int | None = None
        self._raises = False

    def __enter__(self) -> Interruption:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        heard = [each for each in self._signals if not _is_ignored_hangup(each)]
        self._before = {each: signal.signal(each, self._on_signal) for each in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        self._ours.close()
        self._theirs.close()

    def ask(self, number: int) -> None:
        """Stop the waiting; from any thread."""
        self.came, self.asked = True, number
        with suppress(BlockingIOError):
            self._theirs.send(b"\n")

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.ask(number)
        if self._raises:
            raise KeyboardInterrupt

    def take(self) -> int | None:
        """The signal that was asked for, and from now on is not."""
        number, self.asked = self.asked, None
        return number

    def pause(self, seconds: float) -> None:
        """Wait, but not after an interrupt."""
        self._select(seconds)

    def readable(self, connection: socket.socket, seconds: float | None) -> bool:
        """Wait until there is something to read; False where time, or an interrupt, came first."""
        return self._select(seconds, connection) and self.asked is None

    def _select(self, seconds: float | None, *connections: socket.socket) -> bool:
        with selectors.DefaultSelector() as selector:
            for each in (self._ours, *connections):
                selector.register(each, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        if self._ours in ready:
            self._ours.recv(1 << 10)
        return any(each in ready for each in connections)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Within it, an interrupt is raised: for calls that wait and that nothing is lost with."""
        self._raises = True
        try:
            yield
        finally:
            self._raises = False
