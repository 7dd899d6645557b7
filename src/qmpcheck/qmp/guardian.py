"""A small process that cleans up if qmpcheck is killed: no QEMU is left, and no folder.

It is this file, run by itself. It waits for its standard input to end, which only happens when all processes
that could still start a QEMU have ended, however they did. A child of qmpcheck holds that pipe until it
runs its program, so none is missed. In a session of its own, the guardian gets no signal from a terminal.

The processes are found by a variable in their environment, which all that they start inherit. That works
where there is a /proc; elsewhere only the folder is removed.
"""

from __future__ import annotations

import glob
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType


class Guardian:
    """Within it, processes that are started with its mark, and a folder, do not outlive qmpcheck.

    Leaving it in order cleans up nothing.

    Args:
        folder: the folder's path; it need not exist yet. "" for none.
        grace: seconds that a process may take to end after it was asked to; 0 kills it at once.

    Attributes:
        mark: the beginning of a variable for the environment of the processes.

    Raises:
        OSError: on entering, the guardian cannot be started.
    """

    def __init__(self, folder: str = "", grace: float = 0) -> None:
        self.mark = f"QMPCHECK_RUN_{secrets.token_hex(8)}="
        self._folder, self._grace = folder, grace

    def __enter__(self) -> Guardian:
        program = (sys.executable, "-I", "-S", os.path.abspath(__file__))  # without site-packages: 15 ms
        self._process = subprocess.Popen(  # noqa: S603 -- this file
            [*program, self.mark, str(self._grace), self._folder],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def environment(self, name: str = "") -> dict[str, str]:
        """Our environment with the guardian's mark, and a name of the process's own after it."""
        return {**os.environ, self.mark.rstrip("="): name}


def kill_marked(mark: str) -> None:
    """Kill all processes with a variable in their environment that begins with a mark."""
    for _ in range(_ROUNDS):  # one may start another while it is looked for
        if not _signal_marked(mark, signal.SIGKILL):
            break
        time.sleep(_PAUSE)


_ROUNDS = 100
_PAUSE = 0.01


def _signal_marked(mark: str, number: int) -> bool:
    """Send a signal to all of them; whether there were any."""
    found = False
    for process in _marked(os.fsencode(mark)):
        found = True
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)
    return found


def _marked(mark: bytes) -> Iterator[int]:
    for path in glob.glob("/proc/[0-9]*/environ"):
        with suppress(OSError), open(path, "rb") as file:
            if any(variable.startswith(mark) for variable in file.read().split(b"\0")):
                yield int(path.split("/")[2])


def _kill_all_that_appear(mark: str) -> None:
    """Kill them until none was there for a while.

    While a process begins to run a program, its end of our pipe is closed already, and its environment cannot
    be read yet.
    """
    now = time.monotonic()
    end, quiet_until = now + _LONGEST, now + _QUIET
    while now < min(end, quiet_until):
        if _signal_marked(mark, signal.SIGKILL):
            quiet_until = now + _QUIET
        time.sleep(_PAUSE)
        now = time.monotonic()


_QUIET, _LONGEST = 1.0, 60.0
"""Seconds."""


def _main(mark: str, grace: float, folder: str) -> None:
    os.read(0, 1)
    end = time.monotonic() + grace
    if grace:
        _signal_marked(mark, signal.SIGTERM)
    while time.monotonic() < end and any(_marked(os.fsencode(mark))):
        time.sleep(_PAUSE)
    _kill_all_that_appear(mark)
    if folder:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
