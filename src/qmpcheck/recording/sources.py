"""Record from a socket, or from a command that is started.

Each function returns whether nothing was lost, and reports what happens through `on_message`.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import closing, suppress

from qmpcheck.interrupts import INTERRUPTS, Interrupts
from qmpcheck.qmp.address import Address
from qmpcheck.qmp.process import NotStarted, monitored, signal_name
from qmpcheck.recording.connection_recorder import PATIENCE, ConnectionRecorder
from qmpcheck.recording.transcript import STANDARD_OUTPUT, OnMessage, Stopped, Transcript
from qmpcheck.text import reason_of, safe

_PAUSE = 0.1
"""How many seconds to wait between two attempts to connect, and between two looks at a process."""


def record_socket(
    address: Address,
    transcript: Transcript,
    interrupts: Interrupts,
    on_message: OnMessage,
    again: bool = False,
) -> bool:
    """Record until the peer ends; with `again`, also its successors, until an interrupt."""
    whole = True
    while interrupts.asked is None:
        connection = _connected(address, interrupts, on_message if again else None)
        if connection is None:
            break
        with closing(connection):
            whole &= _recorded(
                ConnectionRecorder(connection, transcript, PATIENCE), interrupts, on_message, again
            )
        if not again:
            break
        interrupts.pause(_PAUSE)
    return whole


def _recorded(
    session: ConnectionRecorder, interrupts: Interrupts, on_message: OnMessage, again: bool
) -> bool:
    try:
        is_over = session.read(interrupts)
    finally:
        if session.lost:
            on_message(session.lost)
    if is_over and not session.has_begun and not again:
        raise Stopped("it closed the connection without a greeting")
    return not (is_over and session.lost)


def _connected(address: Address, interrupts: Interrupts, waiting: OnMessage | None) -> socket.socket | None:
    """Return a connection; None if an interrupt came first.

    Raises:
        Stopped: nobody listens, and it should not wait.
    """
    reported = ""
    while interrupts.asked is None:
        try:
            with interrupts.raising():
                return address.connect()
        except KeyboardInterrupt:
            break
        except (OSError, ValueError) as error:
            reason = safe(f"{address}: {reason_of(error)}")
        if waiting is None:
            raise Stopped(reason)
        # Once for each reason: it tries ten times a second.
        if reason != reported:
            waiting(f"waiting for {reason}")
            reported = reason
        interrupts.pause(_PAUSE)
    return None


def record_command(
    command: Sequence[str], transcript: Transcript, interrupts: Interrupts, on_message: OnMessage
) -> bool:
    """Start a command with a monitor of our own, and record until it ends; pass interrupts on to it.

    It is never killed: a machine may have much to write before it ends. If it dies of a signal that was not
    passed on, what it had not sent yet is lost. So it is if a shell says that of what it ran. Another exit
    status says nothing of that.
    """
    try:
        # If the recording goes to standard output, the command prints to standard error.
        with monitored(command, 2 if transcript.path == STANDARD_OUTPUT else None) as (process, ours):
            whole, status = _recorded_command(process, ours, transcript, interrupts, on_message)
    except NotStarted as error:
        raise Stopped(safe(f"cannot start {command[0]}: {error}")) from None
    number = -status if status < 0 else status - _BY_SIGNAL
    if number not in signal.valid_signals():
        on_message(f"the command ended with exit status {status}")
        return whole
    on_message(f"the command ended with {signal_name(number)}: what it had not sent yet is lost")
    return whole and interrupts.came and number in INTERRUPTS


_BY_SIGNAL = 128
"""A shell exits with that and the number of the signal that its command died of."""


def _recorded_command(
    process: subprocess.Popen[bytes],
    ours: socket.socket,
    transcript: Transcript,
    interrupts: Interrupts,
    on_message: OnMessage,
) -> tuple[bool, int]:
    """Return whether nothing was lost, and the exit status of the process."""
    try:
        with closing(ours):
            session = ConnectionRecorder(ours, transcript, writes_command=True)
            whole = _followed(process, session, interrupts, on_message)
        return whole, _ended(process, interrupts)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        raise


def _followed(
    process: subprocess.Popen[bytes],
    session: ConnectionRecorder,
    interrupts: Interrupts,
    on_message: OnMessage,
) -> bool:
    """Record to the end of the monitor. If recording fails, the command goes on."""
    try:
        while not session.read(interrupts):
            number = interrupts.take()
            if process.poll() is not None:  # what it started may live on
                session.read(interrupts, waits=False)
                break
            process.send_signal(number or signal.SIGTERM)
    except Stopped as error:
        on_message(f"{error}; the command goes on without a recording")
        return False
    finally:
        if session.lost:
            on_message(session.lost)
    if not session.has_begun:
        on_message("its monitor closed without a greeting")
    return session.has_begun and not session.lost


def _ended(process: subprocess.Popen[bytes], interrupts: Interrupts) -> int:
    while True:
        # The command may ignore a signal, or take its time: it gets each that comes.
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_PAUSE)
        if (number := interrupts.take()) is not None:
            process.send_signal(number)
