"""Start QEMU processes with a monitor of ours, and make sure that none of them is left over."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from qmpcheck.qmp.guardian import Guardian, kill_marked
from qmpcheck.text import reason_of

SYSTEM = (
    *("-nodefaults", "-no-user-config", "-display", "none"),
    *("-chardev", "stdio,id=qmp,signal=off", "-qmp", "chardev:qmp"),
)
STORAGE_DAEMON = ("--chardev", "stdio,id=qmp,signal=off", "--monitor", "chardev=qmp")
"""For an emulator, and for a storage daemon: nothing but QMP, over standard input and output."""


class NotStarted(Exception):
    """A process cannot be started; the text says why."""


class GroupClosed(Exception):
    """A process is not started, as its group is closed already."""


class Process:
    """A process that a group has started.

    Args:
        popen: the process, which leads a session.
        peer: our end of its standard input and output.
        errors: the file for its standard error.
        mark: the variable in its environment by which it and its children are found.

    Attributes:
        peer: our end of its standard input and output.
    """

    def __init__(
        self, popen: subprocess.Popen[bytes], peer: socket.socket, errors: IO[bytes], mark: str
    ) -> None:
        self.peer = peer
        self._popen, self._errors, self._mark = popen, errors, mark

    def status(self, seconds: float = 0) -> int | None:
        """Return its exit status, negative for a signal; None if it still runs after this many seconds."""
        end = time.monotonic() + seconds
        while True:  # without reaping it, as long as its number is needed to kill what it has started
            result = os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if result:
                return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
            if time.monotonic() >= end:
                return None
            time.sleep(_PAUSE)

    def last_lines(self) -> list[str]:
        """Return the last lines of its standard error that are not blank, of 4 KiB at most."""
        return last_lines(self._errors)

    def kill(self) -> None:
        """Kill it and its children, without reaping it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self.status(_MOMENT)
        kill_marked(self._mark)

    def reap(self) -> None:
        """Wait for it to end."""
        # Its number is free for other processes from here on.
        self._popen.wait()


_PAUSE = 0.01
"""How many seconds to wait before looking again whether a process has ended."""

_MOMENT = 1.0
"""How many seconds a killed process may take to end before its children are looked for."""

_TAIL = 4096
"""How many bytes at the end of what a process has printed are searched for the last lines."""


def last_lines(output: IO[bytes]) -> list[str]:
    """Return the last lines of a file that are not blank, of 4 KiB at most."""
    output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL))
    lines = output.read().decode(errors="replace").split("\n")
    return [line.rstrip() for line in lines if line.strip()]


class ProcessGroup:
    """A context in which processes can be started; at its end, they and their children are killed.

    A guardian does the same if qmpcheck itself is killed. Threads may share a group.

    Args:
        parent: where to make a private folder for the processes; None for no folder.

    Attributes:
        folder: the path of the private folder, which is removed at the end; "" without one.

    Raises:
        OSError: when entered, if the folder or the guardian cannot be created.
    """

    def __init__(self, parent: str | None = None) -> None:
        self.folder = "" if parent is None else os.path.join(parent, f"qmpcheck-{secrets.token_hex(4)}")
        self._guardian = Guardian(self.folder)
        self._lock = threading.Lock()
        self._left: set[Process] = set()
        self._count = 0
        self.is_closed = False

    def __enter__(self) -> ProcessGroup:
        self._guardian.__enter__()
        try:
            if self.folder:
                os.mkdir(self.folder, 0o700)
        except BaseException:
            self._guardian.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._guardian.__exit__()

    def close(self) -> None:
        """Kill all processes that are left, and allow no more."""
        with self._lock:
            self.is_closed = True
            for process in self._left:
                process.kill()

    @contextmanager
    def started(self, command: Sequence[str], folder: str | None = None) -> Iterator[Process]:
        """Start a process that speaks QMP over standard input and output; kill it afterwards.

        Args:
            command: what to run.
            folder: where to run it.

        Raises:
            GroupClosed: the group is closed.
            NotStarted: it cannot be started.
        """
        with _scratch() as errors:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                process = self._start(command, folder, ours, theirs, errors)
                theirs.close()  # or the end of the process would not close the connection
                try:
                    yield process
                finally:
                    process.kill()
                    with self._lock:  # whoever closes the group kills no process that was reaped
                        self._left.discard(process)
                    process.reap()

    def _start(
        self,
        command: Sequence[str],
        folder: str | None,
        ours: socket.socket,
        theirs: socket.socket,
        errors: IO[bytes],
    ) -> Process:
        """Start a process in a session of its own, so that it can be killed with its process group."""
        with self._lock:
            if self.is_closed:
                raise GroupClosed
            self._count += 1
            name = f"{self._count}."  # no other one begins with it
            try:
                popen = subprocess.Popen(  # noqa: S603 -- to start it is what the user asks for
                    command,
                    cwd=folder,
                    env=self._guardian.environment(name),
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=errors,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:  # a null character
                raise NotStarted(reason_of(error)) from None
            process = Process(popen, ours, errors, self._guardian.mark + name)
            self._left.add(process)
            return process


def signal_name(number: int) -> str:
    """Return a signal in words: `signal 11, SIGSEGV`, or only the number if it has no name."""
    named = {each.value: f", {each.name}" for each in signal.Signals}
    return f"signal {number}{named.get(number, '')}"


def how_ended(status: int) -> str:
    """Return the exit status of a process in words; a negative one is that of a signal.

    A shell whose program was ended by a signal adds 128 to its number.
    """
    if status < 0:
        return signal_name(-status)
    is_of_shell = status - 128 in {each.value for each in signal.Signals}
    return f"exit status {status}" + (f": {signal_name(status - 128)}" if is_of_shell else "")


def _scratch() -> IO[bytes]:
    """Return a temporary file without a name."""
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise NotStarted(f"no temporary file: {reason_of(error)}") from None


GRACE = 10.0
"""If qmpcheck is killed, how many seconds a monitored command may take to end before it is killed, too."""


@contextmanager
def monitored(
    command: Sequence[str], stdout: int | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """Run a command that starts a QEMU, with one more monitor; yield the process, and our end of the monitor.

    The command keeps the terminal. At the end, wait for the process.

    Args:
        command: the command, to which options are added.
        stdout: a file descriptor for its standard output; None for ours.

    Raises:
        NotStarted: it cannot be started.
    """
    with ExitStack() as stack:
        # A descriptor and no path: nobody else can connect, and nothing is left in a folder.
        ours, theirs = map(stack.enter_context, socket.socketpair())
        end = theirs.fileno()
        try:
            guardian = stack.enter_context(Guardian(grace=GRACE))
            popen = subprocess.Popen(  # noqa: S603 -- to start it is what the user asks for
                [*command, *_monitor_options(command, end)],
                env=guardian.environment(),
                pass_fds=[end],
                stdout=stdout,
            )
        except (OSError, ValueError) as error:
            raise NotStarted(reason_of(error)) from None
        stack.enter_context(popen)
        theirs.close()
        yield popen, ours


def _monitor_options(command: Sequence[str], end: int) -> list[str]:
    """Return the options that add a monitor at a file descriptor."""
    chardev = f"socket,id=qmpcheck,fd={end}"
    names = map(os.path.basename, command)  # the first may be of what starts it, such as timeout
    program = next((name for name in names if name.startswith("qemu-")), "")
    if "storage-daemon" in program:
        return ["--chardev", chardev, "--monitor", "chardev=qmpcheck"]
    return ["-chardev", chardev, "-qmp", "chardev:qmpcheck"]
