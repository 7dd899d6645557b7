"""Run a client against a stream that a release sends, to see whether it survives that."""

from __future__ import annotations

import asyncio
import math
import os
import shlex
import signal
import tempfile
from contextlib import suppress
from typing import IO, NamedTuple

from qmpcheck.qmp import address
from qmpcheck.qmp.address import Address
from qmpcheck.qmp.guardian import Guardian, kill_marked
from qmpcheck.qmp.process import how_ended, last_lines
from qmpcheck.replaying.conversation import Options
from qmpcheck.replaying.script import Script, ScriptStep
from qmpcheck.replaying.server import Server
from qmpcheck.replaying.stream import ReplayStream
from qmpcheck.rulebase import SpecError
from qmpcheck.text import quoted, reason_of, safe

PLACE = "{}"
"""The placeholder for the server's address in a client's command."""


class SurvivalOutcome(NamedTuple):
    """How a client fared with one stream.

    Attributes:
        name: of the stream.
        read: how many lines of events it read, at least.
        lines: how many there were.
        failure: why it did not survive; "" if it did.
        last: the last lines that it was sent; it may not have read all of them.
        output: the last lines that it printed.
    """

    name: str
    read: int
    lines: int
    failure: str
    last: list[bytes]
    output: list[str]


def command(text: str) -> list[str]:
    """Split a client's command into words.

    Raises:
        SpecError: its quotes are not closed, or it does not say where the address goes.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SpecError(f"--exec: {quoted(text)}: {error}") from None
    if not any(PLACE in word for word in words):
        raise SpecError(f"--exec: {quoted(text)}: write {PLACE} in the place of the address of the server")
    return words


class TestedClient(NamedTuple):
    """A client, and how it is run.

    Attributes:
        words: its command.
        seconds: how long it may take for one session.
        address: where it finds the server; None for a Unix socket in a folder of its own.
        speed: that of the server.
        steps: what its script does to it.
    """

    words: list[str]
    seconds: float
    address: Address | None = None
    speed: float = math.inf
    steps: tuple[ScriptStep, ...] = ()


async def survived(stream: ReplayStream, client: TestedClient) -> SurvivalOutcome:
    """Run a client against a stream until it has survived it, or not.

    A client that ends after a session, in order, is run anew for the next one.

    Raises:
        SpecError: the server cannot listen, or the client cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="qmpcheck-") as folder, tempfile.TemporaryFile() as output:
        place = client.address or Address(os.path.join(folder, "qmp"))
        # In step, so that the last line sent is the one that a client failed on.
        options = Options(client.speed, ends=True, in_step=True)
        server = Server(place, stream, Script(client.steps), options)
        try:
            await server.start()
        except (OSError, ValueError) as error:
            raise SpecError(address.why_not_listening(place, error)) from None
        try:
            failure = await _failure_of(client, server, output)
        finally:
            await server.stop()
        sent, last = server.progress.sent, list(server.progress.last)
        counts = [len(each.events) for each in server.sessions]
        read = sum(counts[: server.progress.through]) + sent
        return SurvivalOutcome(
            stream.name, min(read, sum(counts)), sum(counts), failure, last, last_lines(output)[-3:]
        )


async def _failure_of(client: TestedClient, server: Server, output: IO[bytes]) -> str:
    """Run the client until it has read all sessions; return why it did not survive, "" if it did."""
    words = [each.replace(PLACE, str(server.address)) for each in client.words]
    failure = ""
    while not failure and server.progress.through < len(server.sessions):
        failure = await _run(words, server, output, client.seconds)
    return failure


async def _run(words: list[str], server: Server, output: IO[bytes], seconds: float) -> str:
    """Run the client once; return why it did not survive, "" if it did."""
    through, served = server.progress.through, server.served
    with Guardian() as guardian:
        try:
            process = await _started(words, output, guardian)
            try:
                return await _verdict(process, server, seconds, through, served)
            finally:
                await _end(process)
        finally:
            # An interrupt may come when the client runs already, and its process is not known here.
            kill_marked(guardian.mark)


async def _verdict(
    process: asyncio.subprocess.Process, server: Server, seconds: float, through: int, served: int
) -> str:
    """Wait for a client; return why it did not survive, "" if it did.

    Args:
        process: the client's.
        server: what it is connected to.
        seconds: that it may take.
        through: how many sessions were read to their ends before it was started.
        served: how many connections there were before it was started.
    """
    # A client that connects again after all was sent has survived, even if it never ends by itself.
    ended, came_again = map(asyncio.ensure_future, (process.wait(), server.has_come_again.wait()))
    await asyncio.wait([ended, came_again], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    came_again.cancel()
    status, is_through = process.returncode, server.progress.through > through
    if status:
        return how_ended(status)
    if is_through and (status == 0 or server.has_come_again.is_set()):
        return ""
    late = "" if status == 0 else f"time-out, {seconds:g} s: "
    return late + ("it did not end" if is_through else _how_far(server, served))


async def _started(words: list[str], output: IO[bytes], guardian: Guardian) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=guardian.environment(),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise SpecError(safe(f"{words[0]}: {reason_of(error)}")) from None


def _how_far(server: Server, served: int) -> str:
    """Say how far a client came that did not read everything."""
    if server.served == served:
        return "it did not connect"
    if not server.progress.has_negotiated:
        return "it did not negotiate"
    return "it stopped reading" if server.conversations else "it closed the connection too early"


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a client: ask it first, then kill it and what it has started."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


_GRACE = 2.0
"""Seconds that a client may take to end after it was asked to."""
