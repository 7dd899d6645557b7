"""A small process that cleans up if qmpcheck is killed, so that no QEMU and no folder is left.

It is this file, run by itself. It waits for the end of its standard input, which comes when all processes
that could still start a QEMU have ended in any way: a child of qmpcheck has that pipe open until it runs its
program. In a session of its own, the guardian gets no signal from a terminal.

It finds processes by a variable in their environment, which their children inherit. That works where there is
a /proc; elsewhere only the folder is removed.
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


class Guardian:
    """A context in which marked processes, and a folder, do not outlive qmpcheck.

    Leaving it normally cleans up nothing.

    Args:
        folder: the folder's path; it need not exist yet. "" for none.
        grace: seconds that a process may take to end after SIGTERM; 0 kills it at once.

    Attributes:
        mark: the beginning of a variable for the environment of the processes.

    Raises:
        OSError: when entered, if the guardian cannot be started.
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

    def __exit__(self, *_: object) -> None:
        # All was cleaned up in order, so nothing is left for it to do.
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def environment(self, name: str = "") -> dict[str, str]:
        """Return our environment with the guardian's mark, followed by a name for the process."""
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
    """Send a signal to all marked processes; return whether there were any."""
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
    """Kill marked processes until none has appeared for a while.

    A process that is just starting a program has closed our pipe already, but its environment cannot be read
    yet.
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
    os.read(0, 1)  # returns when the last process that has the pipe open has ended
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
