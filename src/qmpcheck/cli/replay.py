"""Be the QEMU that a client is tested with: a QMP server that plays a recording, or what a release can send.

It speaks the protocol as QEMU does: greeting, negotiation, out-of-band execution, errors. A command that the
recording answered gets that answer; any other gets an empty answer, and the events that it causes in that
release. --script FILE adds errors, delays, hang-ups, restarts and events of other releases.

With --listen, it serves any number of clients at once, until an interrupt; each sees the stream from its
beginning.

With --exec, it runs a client against each stream, and reports those that the client does not survive. A
client survives if it reads all events, and then exits with status 0 or connects again:

  qmpcheck replay --spec 9.2..11.1 --exec 'my-client --socket {}'

Exit status: 0; with --exec, 1 if the client did not survive a stream; 2 nothing could be served.

Example: qmpcheck replay --spec 11.1 --listen unix:/tmp/qmp
"""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import sys
from collections.abc import Iterator

from qmpcheck.cli.arguments import whole_number
from qmpcheck.cli.messages import CLEAN, FINDINGS, notify
from qmpcheck.qmp import address
from qmpcheck.replaying import script, stream
from qmpcheck.replaying.conversation import Options
from qmpcheck.replaying.script import Script
from qmpcheck.replaying.server import Server
from qmpcheck.replaying.stream import ReplayStream
from qmpcheck.replaying.survival import SurvivalOutcome, TestedClient
from qmpcheck.reports.terminal import table
from qmpcheck.rulebase import SpecError
from qmpcheck.text import quoted, safe, shortened
from qmpcheck.wording import plural

_USAGE = """qmpcheck replay (FILE | --spec SPEC) --listen ADDRESS
       qmpcheck replay (FILE | --spec SPEC[..SPEC]) --exec COMMAND"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = _USAGE
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a recording in any format that validate reads"
    )
    parser.add_argument(
        "--spec",
        metavar="SPEC",
        help="the release to be, such as 11.1, or with --exec each of 9.2..11.1; with a FILE, the release "
        "that it is from (default: the one that its greeting names)",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        help="serve at unix:PATH, tcp:PORT (for this machine only) or tcp:HOST:PORT; port 0 means a free one",
    )
    parser.add_argument(
        "--exec",
        metavar="COMMAND",
        help="a client to run against each stream; {} in it is the path of the socket, or HOST:PORT",
    )
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=60.0,
        metavar="SECONDS",
        help="with --exec, how long the client may take for one stream (default: 60)",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="max|N",
        help="how much faster than their timestamps to send events (default: 1; with --exec max)",
    )
    parser.add_argument(
        "--script",
        metavar="FILE",
        help="a TOML file with errors, delays and hang-ups to add: in each [[meet]] command, after or "
        "connect, and what happens then, which docs/test-clients.md explains",
    )
    parser.add_argument(
        "--events",
        type=whole_number,
        metavar="N",
        help="the number of events to generate (default: as many as it takes to show all)",
    )
    parser.add_argument(
        "--seed",
        type=whole_number,
        default=0,
        metavar="S",
        help="a number; each gives a different stream (default: 0)",
    )


def run(options: argparse.Namespace) -> int:
    if options.listen is None and options.exec is None:
        raise SpecError("name an address to listen at (--listen), or a client to run (--exec)")
    steps = script.load(options.script) if options.script else ()
    where = address.listening(options.listen) if options.listen is not None else None
    if options.exec is None:
        [played] = _streams(options)
        assert where
        speed = 1.0 if options.speed is None else options.speed
        asyncio.run(_serve(Server(where, played, Script(steps), Options(speed))))
        return CLEAN
    from qmpcheck.replaying import survival

    speed = math.inf if options.speed is None else options.speed
    client = TestedClient(survival.command(options.exec), options.timeout, where, speed, steps)
    return _survive(_streams(options), client)


def _streams(options: argparse.Namespace) -> list[ReplayStream]:
    if options.file is not None:
        if options.events is not None:
            raise SpecError("--events is for generated streams, not for a FILE")
        if options.spec is not None and ".." in options.spec and "/" not in options.spec:
            raise SpecError("a FILE is of one release; leave it out to play a range of releases")
        return [stream.recorded(options.file, options.spec)]
    if options.spec is None:
        raise SpecError("name a FILE to play, or a release with --spec")
    specs = stream.specs(options.spec)
    if len(specs) > 1 and options.exec is None:
        raise SpecError(f"--spec {safe(options.spec)}: --listen takes one release; a range needs --exec")
    return [stream.generated(spec, options.events, options.seed) for spec in specs]


async def _serve(server: Server) -> None:
    """Serve until an interrupt."""
    try:
        await server.start()
    except (OSError, ValueError) as error:
        raise SpecError(address.why_not_listening(server.address, error)) from None
    try:
        notify(f"listening at {safe(str(server.address))}")
        await _interrupted()
    finally:
        await server.stop()
    notify(f"served {plural(server.served, 'client')}")


async def _interrupted() -> None:
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:  # as under `nohup`
            loop.add_signal_handler(each, came.set)
    await came.wait()


def _survive(streams: list[ReplayStream], client: TestedClient) -> int:
    from qmpcheck.interrupts import exit_on_signal
    from qmpcheck.replaying import survival

    # A client that was sent nothing would survive: that must not count as a success.
    for each in streams:
        if not any(session.events for session in each.sessions):
            raise SpecError(f"{safe(each.name)}: no event in it")
    with exit_on_signal():
        outcomes = [asyncio.run(survival.survived(each, client)) for each in streams]
    print("\n".join(_report(outcomes)))
    return FINDINGS if any(each.failure for each in outcomes) else CLEAN


def _report(outcomes: list[SurvivalOutcome]) -> Iterator[str]:
    rows = [
        (safe(each.name), f"{each.read} of {each.lines}", safe(each.failure) or "survived")
        for each in outcomes
    ]
    yield table(rows, ("stream", "events", "client"), sys.stdout)
    for each in outcomes:
        if each.failure:
            yield f"\n{safe(each.name)}: {safe(each.failure)}"
            sent = [line.decode(errors="replace") for line in each.last]
            for what, lines in (("last messages to it", sent), ("last lines that it printed", each.output)):
                if lines:
                    yield f"  {what}:"
                    yield from (f"    {safe(shortened(line.expandtabs(), 300))}" for line in lines)


def _speed(text: str) -> float:
    return math.inf if text == "max" else _positive(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number greater than 0, not {quoted(text)}")
    return number
