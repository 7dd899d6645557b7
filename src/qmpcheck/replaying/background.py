"""A server for tests: it runs in a thread beside the test, which says what it does."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from qmpcheck import keypath
from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.codes import CODES, STREAM_CODES, TIME_CODES, Allowance, Severity
from qmpcheck.finding import Finding
from qmpcheck.qmp.address import Address
from qmpcheck.replaying import qemujson, script, stream
from qmpcheck.replaying.conversation import Options
from qmpcheck.replaying.release import ReplayedRelease
from qmpcheck.replaying.script import Script
from qmpcheck.replaying.server import Server
from qmpcheck.replaying.stream import ReplayStream
from qmpcheck.specs import catalogue
from qmpcheck.text import safe
from qmpcheck.wording import did_you_mean

_PATIENCE = 10.0
"""Seconds that a client may take to do what a test waits for."""


class ServerSettings(NamedTuple):
    """What a test's server plays.

    Attributes:
        spec: the name of a release; None for the recording's, or without a recording the newest.
        recording: the path of a recording; None for none.
        events: without a recording, how many events to generate; None for as many as show everything.
        seed: each number gives another stream.
        speed: how many times faster than their timestamps events come.
        script: the path of a script; None for none.
    """

    spec: str | None = None
    recording: str | os.PathLike[str] | None = None
    events: int | None = 0
    seed: int = 0
    speed: float = math.inf
    script: str | os.PathLike[str] | None = None


def of_settings(settings: ServerSettings) -> QMPServer:
    """Make the server that settings describe.

    Raises:
        SpecError: there is no such spec, or a file cannot be read.
    """
    if settings.recording is not None:
        played = stream.recorded(os.fspath(settings.recording), settings.spec)
    else:
        spec = catalogue.find(settings.spec or "latest")
        is_silent = settings.events == 0
        played = (
            ReplayStream(spec.name, ReplayedRelease(spec))
            if is_silent
            else stream.generated(spec, settings.events, settings.seed)
        )
    steps = script.load(os.fspath(settings.script)) if settings.script is not None else ()
    return QMPServer(played, Script(steps), Options(settings.speed))


class QMPServer:
    """A context in which a server listens at a Unix socket in a folder of its own.

    Args:
        played: what it plays; without sessions, only the test sends events.
        steps: what else happens to clients.
        options: how sessions are played.

    Attributes:
        path: where clients connect.
        commands: what clients have sent so far, as JSON values, in order.
    """

    def __init__(
        self,
        played: ReplayStream,
        steps: Script | None = None,
        options: Options = Options(),  # noqa: B008 -- it is frozen
    ) -> None:
        self.commands: list[Any] = []
        # Not in the test's own folder: the path of a Unix socket has room for some hundred bytes only.
        self._folder = tempfile.mkdtemp(prefix="qmpcheck-")
        self.path = os.path.join(self._folder, "qmp")
        self._server = Server(Address(self.path), played, steps, options, self._on_command)
        self._rule_base = played.release.rule_base
        # Each event is checked by itself: rules over time say nothing about it.
        checked = CheckOptions(codes=STREAM_CODES - TIME_CODES, series=played.release.series)
        self._checker = Checker(self._rule_base, checked)
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="qmp_server", daemon=True)

    def __enter__(self) -> QMPServer:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result()
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def send(self, event: str, *, unchecked: bool = False, **data: Any) -> None:
        """Send an event to all clients that have negotiated: now, or as soon as its rate limit allows.

        Args:
            event: its name.
            unchecked: whether it may be an event that the release cannot send.
            data: the members of its data; those with a dash in their names by `**{"qom-path": …}`.

        Raises:
            ValueError: the release has no such event, or none with such data.
        """
        __tracebackhide__ = True  # a test shows its own line, not these
        if not unchecked:
            self._check(event, data)
        self._do(lambda: self._server.send(event, data))

    def _check(self, event: str, data: dict[str, Any]) -> None:
        __tracebackhide__ = True
        message: dict[str, Any] = {"event": event, "timestamp": {"seconds": 1, "microseconds": 0}}
        self._checker.feed([qemujson.line(message | ({"data": data} if data else {}))])
        wrong = [each for each in self._checker.finish().listed if each.severity is Severity.ERROR]
        if wrong:
            raise ValueError(
                "; ".join(self._reason(each) for each in wrong) + "; to send it anyway, add unchecked=True"
            )

    def _reason(self, finding: Finding) -> str:
        """Return a finding about an event in words, with the names that may have been meant."""
        evidence, rule = CODES[finding.code].evidence, self._rule_base.events.get(finding.event)
        if rule is None:
            hint = did_you_mean(finding.event, self._rule_base.events)
            return f"{safe(finding.event)}: {finding.message}{hint}"
        hint = ""
        if evidence and evidence.allowed_by is Allowance.MEMBER and finding.path[:-1] == ("data",):
            hint = did_you_mean(str(finding.path[-1]), [each.name for each in rule.data.members])
        return f"{safe(finding.event)}: {keypath.as_text(finding.path)}: {finding.message}{hint}"

    def hang_up(self) -> None:
        """End all connections; clients can connect again."""
        self._do(self._server.hang_up)

    def restart(self, seconds: float = 0) -> None:
        """End all connections, and listen again after some seconds."""
        self._do(lambda: self._server.restart(seconds))

    def wait_for(self, command: str, seconds: float = _PATIENCE) -> dict[str, Any]:
        """Wait for a command, and return the first such message that a client has sent.

        Raises:
            TimeoutError: no client sends it within that time.
        """
        __tracebackhide__ = True
        with self._changed:
            if not self._changed.wait_for(lambda: self._first(command), seconds):
                came = ", ".join(str(each.get("execute")) for each in self.commands if isinstance(each, dict))
                raise TimeoutError(f"no {command} within {seconds:g} s; the clients sent {came or 'nothing'}")
            return self._first(command) or {}

    def _first(self, command: str) -> dict[str, Any] | None:
        for each in self.commands:
            if isinstance(each, dict) and command in (each.get("execute"), each.get("exec-oob")):
                return each
        return None

    def _on_command(self, command: Any) -> None:
        with self._changed:
            self.commands.append(command)
            self._changed.notify_all()

    def _do(self, what: Callable[[], Any]) -> None:
        """Do something in the server's thread, and wait until it is done."""

        async def done() -> None:
            what()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result()
