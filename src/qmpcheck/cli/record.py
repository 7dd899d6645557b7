"""Record what a QEMU sends over QMP, byte for byte: its greeting, replies and events.

SOCKET is unix:PATH, tcp:HOST:PORT, or either without the prefix. record sends nothing but qmp_capabilities.
The recording ends when QEMU does, or at an interrupt.

COMMAND starts a QEMU or a storage daemon; record adds a monitor to its options. What it sends until it ends
is recorded, and interrupts are passed on to it. Its exit status does not count, but if it is killed by a
signal, messages may be lost.

With --proxy LISTEN, clients connect to LISTEN instead of SOCKET, one after the other. Bytes and file
descriptors are passed on unchanged in both directions, and FILE has both, in order, so that `validate` can
check what QEMU promises about commands.

FILE always ends with a whole line. What was lost is reported.

Exit status: 0 the recording is complete; 2 something was lost, or nothing could be recorded; 130 interrupted.

Examples: qmpcheck record unix:/run/vm.sock -o stream.jsonl
          qmpcheck record -o stream.jsonl -- qemu-system-x86_64 -M q35
"""

from __future__ import annotations

import argparse

from qmpcheck.cli.messages import CLEAN, INTERRUPTED, UNUSABLE, notify
from qmpcheck.interrupts import Interrupts
from qmpcheck.qmp import address
from qmpcheck.recording import sources, transcript
from qmpcheck.recording.transcript import Stopped, Transcript
from qmpcheck.rulebase import SpecError
from qmpcheck.wording import plural

_USAGE = """qmpcheck record -o FILE [--reconnect] [--proxy LISTEN] SOCKET
       qmpcheck record -o FILE -- COMMAND [ARGUMENT...]"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = _USAGE
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOCKET | COMMAND",
        help="a single word that is not the name of a program is taken for a socket",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="a new or empty file; - is standard output (COMMAND's own output then goes to standard error)",
    )
    parser.add_argument(
        "--proxy",
        metavar="LISTEN",
        help="listen at unix:PATH, tcp:PORT or tcp:HOST:PORT, pass on what clients and SOCKET send each "
        "other, and record both directions",
    )
    parser.add_argument(
        "--reconnect",
        action="store_true",
        help="wait until SOCKET is there, and again whenever QEMU ends, until an interrupt",
    )


def run(options: argparse.Namespace) -> int:
    where = address.parse_address(options.source)
    for option, given in (("--reconnect", options.reconnect), ("--proxy", options.proxy)):
        if given and where is None:
            raise SpecError(f"{option} is for a SOCKET, not for a COMMAND")
    if options.proxy:
        address.listening(options.proxy)  # before a file is made
    try:
        file = transcript.opened(options.output)
    except Stopped as error:
        raise SpecError(str(error)) from None
    with Interrupts() as interrupts:
        whole = _recorded(options, where, file, interrupts)
        _sum_up(file)
    if not whole:
        return UNUSABLE
    return INTERRUPTED if interrupts.came else CLEAN


def _recorded(
    options: argparse.Namespace,
    where: address.Address | None,
    file: Transcript,
    interrupts: Interrupts,
) -> bool:
    """Record, and return whether nothing was lost."""
    whole = True
    try:
        if where is None:
            whole = sources.record_command(options.source, file, interrupts, notify)
        elif options.proxy:
            from qmpcheck.recording import proxy

            record = proxy.ProxyRecorder(file, notify)
            whole = proxy.record_proxy(
                address.listening(options.proxy), where, record, interrupts, options.reconnect
            )
        else:
            whole = sources.record_socket(where, file, interrupts, notify, options.reconnect)
    except Stopped as error:
        notify(str(error))
        whole = False
    # Whatever stopped the recording, what came until then must be on the disk.
    try:
        file.finish()
    except Stopped as error:
        notify(str(error))
        whole = False
    return whole


def _sum_up(file: Transcript) -> None:
    counts = (
        f"{plural(file.lines, 'line')}, {plural(file.events, 'event')}, {plural(file.sessions, 'session')}"
    )
    notify(f"recorded {counts} to {file.name}")
