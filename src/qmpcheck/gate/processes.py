"""The processes of a run: none of them survives it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from qmpcheck.binary import kill_session
from qmpcheck.gate.trouble import CRASHED, Stopped, Trouble

Process = subprocess.Popen[bytes]


class Processes:
    """Starts processes, each in a session of its own, and kills all that are left when the run is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: set[Process] = set()
        self._closed = False

    @contextmanager
    def started(self, command: Sequence[str], folder: str, end: int, said: IO[bytes]) -> Iterator[Process]:
        """A process, within; afterwards it and all that it started are dead.

        Args:
            command: what to run.
            folder: where.
            end: its standard input and output.
            said: its standard error.

        Raises:
            Stopped: the run is over.
            Trouble: it cannot be started.
        """
        with self._lock:
            if self._closed:
                raise Stopped
            process = _popen(command, folder, end, said)
            self._left.add(process)
        try:
            yield process
        finally:
            with self._lock:
                self._left.discard(process)
                _kill(process)

    def close(self) -> None:
        """Kill all that are left, and let no other start."""
        with self._lock:
            self._closed = True
            for process in self._left:
                _signal(process)

    @property
    def closed(self) -> bool:
        """Whether the run is over."""
        return self._closed


def _popen(command: Sequence[str], folder: str, end: int, said: IO[bytes]) -> Process:
    try:
        return subprocess.Popen(  # noqa: S603 -- to start it is what the user asks for
            command, cwd=folder, stdin=end, stdout=end, stderr=said, start_new_session=True
        )
    except OSError as error:
        raise Trouble(CRASHED, f"it cannot be started: {error.strerror}") from None


def _kill(process: Process) -> None:
    _signal(process)
    process.wait()


def _signal(process: Process) -> None:
    """Kill its whole session; as it is not waited for yet, no other one can have its number."""
    if process.returncode is None:
        kill_session(process.pid)


def status(process: Process, seconds: float = 0) -> int | None:
    """Its exit status, negative for a signal; None where it still runs. It is not waited for."""
    end = time.monotonic() + seconds
    while True:
        result = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if result:
            return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
        if time.monotonic() >= end:
            return None
        time.sleep(_OFTEN)


_OFTEN = 0.01
