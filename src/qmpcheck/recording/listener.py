"""A socket that QEMUs connect to: a thread records what they send, while the test goes on."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from typing import NamedTuple

from qmpcheck.interrupts import Interrupts
from qmpcheck.recording import transcript
from qmpcheck.recording.connection_recorder import PATIENCE, ConnectionRecorder
from qmpcheck.recording.transcript import Stopped

_MOMENT = 10.0
"""How many seconds to read at the end what was sent before; a peer that never pauses is cut off."""


class RecordedConnection(NamedTuple):
    """A connection: its file, what went wrong, and what was lost of a line; "" for nothing."""

    path: str
    problem: str
    lost: str


class Listener:
    """A context in which each peer that connects is recorded to a file of its own, one after the other.

    A machine that is restarted with the same options is the next peer. At the end, what was sent before is
    still read.

    Args:
        path: where the socket is made.
        files: the names of the files that are written.
    """

    def __init__(self, path: str, files: Iterator[str]) -> None:
        self.recordings: list[RecordedConnection] = []
        self._path, self._files = path, files
        self._interrupts = Interrupts(signals=())

    def __enter__(self) -> Listener:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.bind(self._path)
            self._socket.listen()
            self._interrupts.__enter__()
        except BaseException:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._run, name="qmpcheck", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # The first one ends the waiting for a peer, the second one a peer that never pauses.
        self._interrupts.ask(signal.SIGTERM)
        self._thread.join(_MOMENT)
        self._interrupts.ask(signal.SIGTERM)
        self._thread.join()
        self._interrupts.__exit__()
        self._socket.close()

    def _run(self) -> None:
        while self._is_called():
            connection, _ = self._socket.accept()
            with connection:
                self.recordings.append(self._record(connection, next(self._files)))

    def _is_called(self) -> bool:
        """Wait until a peer has connected, or the end; return whether one has."""
        if not self._interrupts.came and self._interrupts.readable(self._socket, None):
            return True
        self._interrupts.take()
        return self._interrupts.readable(self._socket, 0)

    def _record(self, connection: socket.socket, path: str) -> RecordedConnection:
        session = None
        try:
            file = transcript.opened(path)
            session = ConnectionRecorder(connection, file, PATIENCE)
            try:
                problem = self._read(session)
            finally:
                file.finish()
        except Stopped as error:
            problem = str(error)
        return RecordedConnection(path, problem, session.lost if session else "")

    def _read(self, session: ConnectionRecorder) -> str:
        """Read to the peer's end or ours; return what went wrong."""
        is_over = not self._interrupts.came and session.read(self._interrupts)
        if not is_over:
            self._interrupts.take()
            is_over = session.read(self._interrupts, waits=False)
        if session.has_begun:
            return ""
        return "it closed the connection without a greeting" if is_over else "it has not sent a greeting"
