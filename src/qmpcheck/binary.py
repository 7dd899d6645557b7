"""Asking a QEMU binary what it says of itself.

The binary is started without a machine, talks QMP over its standard input and output, which every release
can, and is killed with all that it started. Nothing of it remains: no process, no file.
"""

from __future__ import annotations

import asyncio
import glob
import logging
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any, NamedTuple, NoReturn

from qemu.qmp import ConnectError, ExecInterruptedError, ExecuteError, QMPClient, QMPError

from qmpcheck.printable import safe, shortened
from qmpcheck.version import Version, of_greeting

PATIENCE = 20.0
"""Seconds that a binary may take."""

SYSTEM = (
    *("-nodefaults", "-no-user-config", "-display", "none"),
    *("-chardev", "stdio,id=qmp,signal=off", "-qmp", "chardev:qmp"),
)
STORAGE_DAEMON = ("--chardev", "stdio,id=qmp,signal=off", "--monitor", "chardev=qmp")
"""For an emulator, and for a storage daemon: nothing but QMP, over standard input and output."""

_NO_MACHINE = ("-machine", "none", "-S", *SYSTEM)


class Unanswered(Exception):
    """A binary that does not say what it is; the text says why."""


class _Ended(Unanswered):
    """It ended of itself, as one does that does not know its options."""


class Answer(NamedTuple):
    """What a binary says of itself: `schema` is its reply to `query-qmp-schema`."""

    version: Version
    schema: list[Any]


def ask(path: str, seconds: float = PATIENCE) -> Answer:
    """Ask the QEMU, or the storage daemon, at a path.

    Raises:
        Unanswered: it cannot be started, ends at once, speaks no QMP, or takes longer.
    """
    if os.sep not in path:
        path = os.path.join(os.curdir, path)  # a path, and never a command that is looked up
    likely, other = _by_name(path)
    try:
        return _ask(path, likely, seconds)
    except _Ended as error:
        with suppress(Unanswered):
            return _ask(path, other, seconds)
        raise error from None


def _by_name(path: str) -> tuple[Sequence[str], Sequence[str]]:
    """The options for what its name says that it is, and those for the other thing it may be."""
    is_daemon = "storage-daemon" in os.path.basename(path)
    return (STORAGE_DAEMON, _NO_MACHINE) if is_daemon else (_NO_MACHINE, STORAGE_DAEMON)


def _ask(path: str, options: Sequence[str], seconds: float) -> Answer:
    logging.getLogger("qemu").addHandler(logging.NullHandler())  # what it would log is raised here
    with (
        _scratch() as said,
        _started([path, *options], said) as (process, ours),
    ):
        try:
            return asyncio.run(asyncio.wait_for(_talk(ours), seconds))
        except asyncio.TimeoutError:
            raise Unanswered(f"no answer over QMP within {seconds:g} s") from None
        except ExecuteError as error:
            raise Unanswered(f"it does not know query-qmp-schema: {_short(str(error))}") from None
        except (QMPError, OSError) as error:
            raise _reason(error, process, said) from None


def _scratch() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise Unanswered(f"no temporary file: {error.strerror}") from None


async def _talk(ours: socket.socket) -> Answer:
    client = QMPClient()
    try:
        await client.connect(ours)
        schema = await client.execute("query-qmp-schema")
        version = of_greeting(client.greeting and client.greeting._asdict())
    finally:
        with suppress(Exception):  # it is killed anyway
            await client.disconnect()
    if version is None or not isinstance(schema, list):
        raise Unanswered("it speaks QMP, but does not say its version or its schema")
    return Answer(version, schema)


@contextmanager
def _started(
    command: Sequence[str], said: IO[bytes]
) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """The process, and our end of its standard input and output."""
    ours, theirs = socket.socketpair()
    with ours, ending_in_order():
        with theirs:
            process = _popen(command, theirs, said)
        try:
            yield process, ours
        finally:
            kill_session(process.pid)
            process.wait()


def _popen(command: Sequence[str], theirs: socket.socket, said: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, so that all that it starts can be killed with it."""
    end = theirs.fileno()
    try:
        return subprocess.Popen(command, stdin=end, stdout=end, stderr=said, start_new_session=True)  # noqa: S603 -- to start it is what the user asks for
    except OSError as error:
        raise Unanswered(error.strerror or str(error)) from None
    except ValueError as error:  # a null character
        raise Unanswered(str(error)) from None


def kill_session(leader: int) -> None:
    """Kill the leader of a session, who was not waited for yet, and all that it started in it."""
    _kill(os.killpg, leader)
    for _ in range(_ROUNDS):  # one may start another while it is looked for
        members = [*_alive_in(leader)]
        if not members:
            break
        for member in members:
            _kill(os.kill, member)


_ROUNDS = 10


def _kill(how: Callable[[int, int], None], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        how(number, signal.SIGKILL)


def _alive_in(session: int) -> Iterator[int]:
    """The processes of a session that have not ended, where the system tells: they may be in any group."""
    for stat in glob.glob("/proc/[0-9]*/stat"):
        with suppress(OSError), open(stat, "rb") as file:
            state, _, _, its_session, *_ = file.read().rpartition(b")")[2].split()
            if int(its_session) == session and state not in b"ZX":
                yield int(stat.split("/")[2])


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Within it, a request to end unwinds the stack, so that what was started is killed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) != signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


_MOMENT = 1.0
"""Seconds that a process may take to end after it has closed its output."""


def _reason(error: Exception, process: subprocess.Popen[bytes], said: IO[bytes]) -> Unanswered:
    """Why a talk failed: the binary has ended, or said what is no QMP."""
    cause = error.exc if isinstance(error, ConnectError) else error
    if not isinstance(cause, (EOFError, ConnectionError, ExecInterruptedError)):
        return Unanswered(f"it speaks no QMP: {_short(str(cause))}")
    try:
        status = process.wait(_MOMENT)
    except subprocess.TimeoutExpired:
        return Unanswered("it speaks no QMP: it closed its output")
    how = f"exit status {status}" if status >= 0 else f"signal {-status}"
    last = _last_line(said)
    return _Ended(f"it ended without an answer ({how})" + (f": {last}" if last else ""))


def _last_line(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL))
    lines = said.read().decode(errors="replace").split("\n")
    return _short(next((line for line in reversed(lines) if line.strip()), ""))


_TAIL = 4096


def _short(text: str) -> str:
    return safe(shortened(" ".join(text.split()), 200))
