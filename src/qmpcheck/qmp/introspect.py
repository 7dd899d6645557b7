"""Ask a QEMU binary to describe itself.

The binary is started without a machine, speaks QMP over standard input and output, as every release can, and
is killed together with its children. No process and no file is left.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from qmpcheck.interrupts import exit_on_signal
from qmpcheck.qmp.client import Client, CommandError, DeadlinePassed, NoAnswer, SentTooMuch
from qmpcheck.qmp.connection import CHUNK, ConnectionFailed, NotQMP
from qmpcheck.qmp.process import STORAGE_DAEMON, SYSTEM, NotStarted, Process, ProcessGroup, how_ended
from qmpcheck.text import one_line, reason_of
from qmpcheck.version import Version

PATIENCE = 20.0
"""How many seconds a binary may take."""

_NO_MACHINE = ("-machine", "none", "-S", *SYSTEM)

_MOST = 8 << 20
"""How many bytes it may send; its schema has a quarter of a megabyte."""


class Unanswered(Exception):
    """A binary does not describe itself; the text says why."""


class _Ended(Unanswered):
    """It ended by itself, as binaries do that do not know the options."""


class Answer(NamedTuple):
    """What a binary says about itself.

    Attributes:
        version: of QEMU.
        schema: its reply to `query-qmp-schema`.
        target: what it emulates, such as `x86_64`; "" if it emulates no machine.
        machines: the types of machines that it has, with their other names.
        types: the types of its object model.
    """

    version: Version
    schema: list[Any]
    target: str = ""
    machines: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()


def ask(path: str, seconds: float = PATIENCE) -> Answer:
    """Ask the QEMU, or the storage daemon, at a path.

    Raises:
        Unanswered: it cannot be started, ends at once, speaks no QMP, or takes longer.
    """
    if os.sep not in path:
        path = os.path.join(os.curdir, path)  # a path, and never a command that is looked up
    # Distributions rename binaries, so that the name is only a hint.
    kinds: list[Sequence[str]] = [_NO_MACHINE, STORAGE_DAEMON]
    likely, other = reversed(kinds) if "storage-daemon" in os.path.basename(path) else kinds
    try:
        return _ask(path, likely, seconds)
    except _Ended as error:
        with suppress(Unanswered):
            return _ask(path, other, seconds)
        raise error from None


def block_drivers(path: str, seconds: float = PATIENCE) -> frozenset[str]:
    """Return the block drivers that an emulator says it has; none if it does not say.

    Its schema has the names of all drivers, also of those that it was built without, or does not allow.
    """
    try:
        with exit_on_signal(), ProcessGroup() as group:
            command = [os.path.abspath(path), *_NO_MACHINE, "-drive", "format=help"]
            with group.started(command) as process:
                text = _output(process, time.monotonic() + seconds)
    except (NotStarted, OSError):
        return frozenset()
    # Drivers that may only read are on a line of their own, with another beginning.
    listed = re.search(r"^Supported formats: (.*)$", text, re.MULTILINE)
    return frozenset(listed[1].split()) if listed else frozenset()


def _output(process: Process, deadline: float) -> str:
    """Return what a process writes until it ends, or until the deadline."""
    output = bytearray()
    with suppress(OSError):  # a timeout is one
        while len(output) < _MOST and (seconds := deadline - time.monotonic()) > 0:
            process.peer.settimeout(seconds)
            chunk = process.peer.recv(CHUNK)
            if not chunk:
                break
            output += chunk
    return output.decode(errors="replace")


def _ask(path: str, options: Sequence[str], seconds: float) -> Answer:
    try:
        with exit_on_signal(), ProcessGroup() as group, group.started([path, *options]) as process:
            return _talk(process, seconds)
    except NotStarted as error:
        raise Unanswered(str(error)) from None
    except OSError as error:
        raise Unanswered(reason_of(error)) from None


def _talk(process: Process, seconds: float) -> Answer:
    client = Client(process, time.monotonic() + seconds, most=_MOST)
    try:
        client.greet()
        schema = client.command("query-qmp-schema")
        target = _values(client, "query-target", "arch")
        machines = _values(client, "query-machines", "name", "alias")
        types = _values(client, "qom-list-types", "name")
    except DeadlinePassed as error:
        raise Unanswered(f"{error} within {seconds:g} s") from None
    except CommandError as error:
        raise Unanswered(f"it does not know {error.command}: {one_line(error.description)}") from None
    except NotQMP as error:
        raise Unanswered(str(error)) from None
    except (ConnectionFailed, SentTooMuch) as error:
        raise Unanswered(f"it does not speak QMP: {error}") from None
    except NoAnswer:
        raise _reason(process) from None
    if client.version is None or not isinstance(schema, list):
        raise Unanswered("it speaks QMP, but does not say its version or its schema")
    return Answer(client.version, schema, "".join(target), machines, types)


def _values(client: Client, command: str, *members: str) -> frozenset[str]:
    """Return the values of members in what a command returns: an object, or a list of objects."""
    try:
        answer = client.command(command)
    except CommandError:  # older releases lack some of these commands
        return frozenset()
    objects = answer if isinstance(answer, list) else [answer]
    found = (each.get(member) for each in objects if isinstance(each, dict) for member in members)
    return frozenset(value for value in found if isinstance(value, str))


_MOMENT = 1.0
"""How many seconds a process may take to end after it has closed its output."""


def _reason(process: Process) -> Unanswered:
    """Say why nothing more came from a process."""
    status = process.status(_MOMENT)
    if status is None:
        return Unanswered("it does not speak QMP: it closed its output")
    last = one_line((process.last_lines() or [""])[-1])
    return _Ended(f"it ended without an answer ({how_ended(status)})" + (f": {last}" if last else ""))
