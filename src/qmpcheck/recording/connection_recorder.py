"""Record one connection to a monitor, from its first line to its end."""

from __future__ import annotations

import socket
import time
from contextlib import nullcontext, suppress

from qmpcheck.interrupts import Interrupts
from qmpcheck.qmp.connection import NEGOTIATION, Connection, ConnectionFailed, NotQMP
from qmpcheck.recording.transcript import Stopped, Transcript

PATIENCE = 10.0
"""How many seconds a monitor may take to send its greeting."""

_SILENT = "it does not speak QMP, or its monitor has another client"


class ConnectionRecorder:
    """Records what one peer sends. It sends only `qmp_capabilities`, without which no event comes.

    Args:
        peer: the socket.
        transcript: where the messages are written.
        patience: seconds that the peer may take to send its greeting; None for any number.
        writes_command: whether `qmp_capabilities` is written, too.
    """

    def __init__(
        self,
        peer: socket.socket,
        transcript: Transcript,
        patience: float | None = None,
        *,
        writes_command: bool = False,
    ) -> None:
        self.has_begun = False
        self._connection, self._transcript = Connection(peer), transcript
        self._patience, self._writes_command = patience, writes_command
        self._deadline = None if patience is None else time.monotonic() + patience

    @property
    def lost(self) -> str:
        """In words, how much of an unfinished line came; "" for nothing."""
        return self._connection.lost

    def read(self, interrupts: Interrupts, waits: bool = True) -> bool:
        """Write what comes until the peer's end, an interrupt, or, unless it `waits`, until nothing is there.

        Returns:
            Whether the peer has ended.

        Raises:
            Stopped: it does not speak QMP, a line is too long, or the transcript cannot be written.
        """
        while interrupts.asked is None:
            if interrupts.readable(self._connection, self._left() if waits else 0):
                self._receive(interrupts)
                if self._connection.is_closed:
                    return True
            elif not waits:
                break
            elif self._left() == 0:
                raise Stopped(f"no greeting within {self._patience:g} s: {_SILENT}")
        return False

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _receive(self, interrupts: Interrupts) -> None:
        try:
            lines = self._connection.receive()
            self._write(lines, interrupts)
            if self._connection.has_greeted and not self.has_begun:
                self.has_begun, self._deadline = True, None
                self._transcript.sessions += 1
                if self._writes_command:
                    self._write(NEGOTIATION, interrupts)
                self._connection.send(NEGOTIATION)
        except NotQMP as error:
            self._write(error.lines, interrupts)
            raise Stopped(str(error)) from None
        except ConnectionFailed as error:
            raise Stopped(str(error)) from None

    def _write(self, lines: bytes, interrupts: Interrupts) -> None:
        if not lines:
            return
        may_wait = self._transcript.may_wait
        with suppress(KeyboardInterrupt), interrupts.raising() if may_wait else nullcontext():
            self._transcript.append(lines)  # an interrupt that passes through it came when all was written
