"""What is recorded: a socket that listens, or a command that is started.

Each function says whether nothing was lost. What it has to tell, it tells when it happens, through `hear`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

from qmpcheck.printable import safe
from qmpcheck.recording.address import Address
from qmpcheck.recording.interruption import INTERRUPTS, Interruption
from qmpcheck.recording.session import PATIENCE, Session
from qmpcheck.recording.transcript import STANDARD_OUTPUT, Stopped, Transcript

Hear = Callable[[str], None]

_PAUSE = 0.1
"""Seconds between two attempts to connect, and between two looks at a process."""


def record_socket(
    address: Address, transcript: Transcript, interruption: Interruption, hear: Hear, again: bool = False
) -> bool:
    """Record until the peer ends; with `again`, also the ones that come after it, until an interrupt."""
    whole = True
    while interruption.asked is None:
        connection = _connected(address, interruption, hear if again else None)
        if connection is None:
            break
        with closing(connection):
            whole &= _recorded(Session(connection, transcript, PATIENCE), interruption, hear, again)
        if not again:
            break
        interruption.pause(_PAUSE)
    return whole


def _recorded(session: Session, interruption: Interruption, hear: Hear, again: bool) -> bool:
    try:
        is_over = session.read(interruption)
    finally:
        if session.lost:
            hear(session.lost)
    if is_over and not session.has_begun and not again:
        raise Stopped("it closed the connection without a greeting")
    return not (is_over and session.lost)


def _connected(address: Address, interruption: Interruption, waiting: Hear | None) -> socket.socket | None:
    """A connection; None where an interrupt came first.

    Raises:
        Stopped: there is none, and nobody is to hear that it is waited for.
    """
    told = ""
    while interruption.asked is None:
        try:
            with interruption.raising():
                return address.connect()
        except KeyboardInterrupt:
            break
        except (OSError, ValueError) as error:
            reason = safe(f"{address}: {getattr(error, 'strerror', None) or error}")
        if waiting is None:
            raise Stopped(reason)
        if reason != told:
            waiting(f"waiting for {reason}")
            told = reason
        interruption.pause(_PAUSE)
    return None


def record_command(
    command: Sequence[str], transcript: Transcript, interruption: Interruption, hear: Hear
) -> bool:
    """Start a command with a monitor of our own, and record until it ends; interrupts are passed on to it.

    It is never killed: a machine may have much to write before it ends. If it dies of a
    signal that was not passed on, what it had not sent yet is lost. Its exit status says nothing of that.
    """
    process, ours = _started(command, transcript.path == STANDARD_OUTPUT)
    with process:
        try:
            with closing(ours):
                whole = _followed(process, Session(ours, transcript), interruption, hear)
            status = _ended(process, interruption)
        except BaseException:
            process.send_signal(signal.SIGTERM)
            raise
    if status >= 0:
        hear(f"the command ended with exit status {status}")
        return whole
    hear(f"the command ended with signal {-status}: what it had not sent yet is lost")
    return whole and interruption.came and -status in INTERRUPTS


def _followed(
    process: subprocess.Popen[bytes], session: Session, interruption: Interruption, hear: Hear
) -> bool:
    """Record to the end of the monitor. What stops the recording does not stop the command."""
    try:
        while not session.read(interruption):
            number = interruption.take()
            if process.poll() is not None:  # what it started may live on
                session.read(interruption, waits=False)
                break
            process.send_signal(number or signal.SIGTERM)
    except Stopped as error:
        hear(f"{error}; the command goes on without a recording")
        return False
    finally:
        if session.lost:
            hear(session.lost)
    if not session.has_begun:
        hear("its monitor closed without a greeting")
    return session.has_begun and not session.lost


def _ended(process: subprocess.Popen[bytes], interruption: Interruption) -> int:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_PAUSE)
        if (number := interruption.take()) is not None:
            process.send_signal(number)


def _started(command: Sequence[str], quiet: bool) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process, and our end of its monitor. The terminal stays its own, but for what is being written."""
    ours, theirs = socket.socketpair()
    end = theirs.fileno()
    with theirs:
        try:
            process = subprocess.Popen(  # noqa: S603 -- to start it is what the user asks for
                [*command, *_monitor(command, end)], pass_fds=[end], stdout=2 if quiet else None
            )
        except (OSError, ValueError) as error:
            ours.close()
            reason = getattr(error, "strerror", None) or error
            raise Stopped(safe(f"cannot start {command[0]}: {reason}")) from None
    return process, ours


def _monitor(command: Sequence[str], end: int) -> list[str]:
    """The options that give it a monitor at a file descriptor, whatever else it has."""
    chardev = f"socket,id=qmpcheck,fd={end}"
    names = map(os.path.basename, command)  # the first may be of what starts it, such as timeout
    program = next((name for name in names if name.startswith("qemu-")), "")
    if "storage-daemon" in program:
        return ["--chardev", chardev, "--monitor", "chardev=qmpcheck"]
    return ["-chardev", chardev, "-qmp", "chardev:qmpcheck"]
