"""One client of a server: send it a session at its pace, and answer its commands."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from qmpcheck.replaying import qemujson
from qmpcheck.replaying.machine import Caused, ReplayedMachine
from qmpcheck.replaying.pace import PacedEvent, ReplayClock, Throttle
from qmpcheck.replaying.protocol import Negotiator, ServerReply, failure
from qmpcheck.replaying.qemujson import BadInput
from qmpcheck.replaying.release import CommandFailed, ReplayedRelease
from qmpcheck.replaying.script import Script, ScriptStep
from qmpcheck.replaying.stream import ReplaySession, SentMessage, call
from qmpcheck.streams.messages import MICROSECONDS

_CHUNK = 1 << 12
"""How many bytes of one client are read before it is another client's turn."""

_MOMENT = 0.01
"""How many seconds it may take to find out that a client has closed its end."""

_SOME_LINE = b'{"timestamp": {"seconds": 0, "microseconds": 0}, "event": "RESUME"}'
"""What a connection breaks off in, if no event is left to send."""


class Options(NamedTuple):
    """How sessions are played.

    Attributes:
        speed: how many times faster than they were recorded; infinity for as fast as possible.
        ends: whether the connection always ends after the last event.
        in_step: whether the next event is sent only after the client has read the last one.
    """

    speed: float = 1
    ends: bool = False
    in_step: bool = False


class ReplayProgress:
    """How far the clients of a server have come.

    Attributes:
        has_negotiated: whether any client has negotiated.
        through: how many sessions were sent to their ends.
        sent: how many lines of the next session were sent to the newest client.
        last: the last lines that were sent; a client that fails may have read one ahead.
    """

    def __init__(self) -> None:
        self.has_negotiated = False
        self.through = self.sent = 0
        self.last: deque[bytes] = deque(maxlen=2)


class Common(NamedTuple):
    """What all conversations of a server share.

    Attributes:
        release: what is played.
        script: what else happens to clients.
        options: how sessions are played.
        progress: how far the clients have come.
        on_command: takes what clients send, as JSON values.
        restart: ends all conversations, and listens again after so many seconds.
    """

    release: ReplayedRelease
    script: Script
    options: Options
    progress: ReplayProgress
    on_command: Callable[[Any], None]
    restart: Callable[[float], None]


class Conversation:
    """One connection, which is served until either side ends it.

    While a client does not read, nothing more is read from it, so that what is kept for it stays small.

    Args:
        common: what it shares with the others.
        session: what this client is sent.
        reader, writer: the two directions of the connection.
    """

    def __init__(
        self,
        common: Common,
        session: ReplaySession,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._sent = 0
        self._common, self._session = common, session
        self._reader, self._writer = reader, writer
        self._input = qemujson.QemuJsonReader()
        self._negotiator = Negotiator(common.release, self._answer)
        self._machine = ReplayedMachine(common.release.rule_base, common.release.rules)
        self._throttle = Throttle(common.release.rule_base, self._send_soon, common.options.speed)
        self._answered: Counter[str] = Counter()
        self._clock = ReplayClock(None, common.options.speed)
        self._lock = asyncio.Lock()
        self._playing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the client until one side has ended the connection."""
        try:
            await self._meet(self._common.script.on_connect())
            for each in self._session.early:
                await self._write(each.line + b"\r\n")
            await self._write(qemujson.line(self._session.greeting or self._common.release.greeting))
            while chunk := await self._reader.read(_CHUNK):
                for value in self._input.feed(chunk):
                    await self._take(value)
                await asyncio.sleep(0)  # let the other clients have their turn
        except OSError:  # the client went away
            pass
        finally:
            self._throttle.stop()
            if self._playing:
                self._playing.cancel()
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()  # until it has read the rest

    def send(self, name: str, data: dict[str, Any]) -> None:
        """Send an event that happens now. Before negotiation it is lost, as in QEMU."""
        if self._negotiator.has_negotiated:
            self._throttle.offer((name, data))

    def hang_up(self) -> None:
        """End the connection, after what was written so far."""
        self._writer.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    # what the client sends

    async def _take(self, value: Any) -> None:
        """Answer what the client has sent, with the events that it causes, and do what the script says."""
        if isinstance(value, BadInput):
            await self._write(qemujson.line(failure(CommandFailed(str(value)))))
            return
        self._common.on_command(value)
        had_negotiated = self._negotiator.has_negotiated
        steps = self._common.script.on_command(_name(value))
        reply = self._reply(value, steps)
        caused = self._caused(reply)
        # QEMU sends some events before the reply to the command that causes them, others after it.
        for event in caused:
            if event.is_early:
                self._throttle.offer((event.name, event.data))
        await self._pause(steps)
        await self._write(qemujson.line(reply.message))
        for event in caused:
            if not event.is_early:
                self._throttle.offer((event.name, event.data))
        await self._meet(steps)
        if reply.command == "quit":
            self.hang_up()
        if self._negotiator.has_negotiated and not had_negotiated:
            self._playing = asyncio.get_running_loop().create_task(self._play())

    def _reply(self, value: Any, steps: list[ScriptStep]) -> ServerReply:
        """Return the reply to a message that the script has, or else QEMU's."""
        identity = {"id": value["id"]} if isinstance(value, dict) and "id" in value else {}
        for step in steps:
            if step.error:
                return ServerReply({**identity, **failure(CommandFailed(step.error.desc, step.error.kind))})
        reply = self._negotiator.reply(value)
        for step in steps:
            if step.returns is not msgspec.UNSET:
                return ServerReply({"return": step.returns, **identity}, reply.command, reply.arguments)
        return reply

    def _answer(self, name: str, arguments: dict[str, Any]) -> Any:
        """Return the value of a command's reply: the one in the recording, or the one of the release.

        Raises:
            CommandFailed: the reply is an error.
        """
        key = call(name, arguments)
        if replies := self._session.replies.get(key):
            # A client that asks more often than the recorded one gets the last answer again.
            reply = replies[min(self._answered[key], len(replies) - 1)]
            self._answered[key] += 1
            if isinstance(error := reply.get("error"), dict):
                raise CommandFailed(str(error.get("desc")), str(error.get("class")))
            return reply.get("return")
        return self._common.release.answer(name, arguments, self._machine.status)

    def _caused(self, reply: ServerReply) -> list[Caused]:
        """Return the events that a command causes.

        A command that the recording answered causes none: its events are in the recording, too.
        """
        if reply.arguments is None or call(reply.command, reply.arguments) in self._session.replies:
            return []
        return self._machine.caused(reply.command, reply.arguments)

    # what the server sends

    async def _play(self) -> None:
        """Send the session's events at their pace, as long as the client is there."""
        with suppress(OSError):
            await self._play_all()

    async def _play_all(self) -> None:
        progress = self._common.progress
        progress.has_negotiated, progress.sent = True, 0
        begin = next((each.time for each in self._session.events if each.time is not None), None)
        self._clock = ReplayClock(begin, self._common.options.speed)
        await self._meet(self._common.script.after(0))
        for each in self._session.events:
            await self._clock.until(each.time)
            await self._play_one(each)
            await self._meet(self._common.script.after(self._sent))
            if self._writer.is_closing():
                return
        if self._common.options.in_step:  # find out whether the client closed its end with something unread
            await asyncio.sleep(_MOMENT)
        progress.through, progress.sent = progress.through + 1, 0
        if self._session.ends or self._common.options.ends:
            self.hang_up()

    async def _play_one(self, each: SentMessage) -> None:
        if each.event:
            self._machine.take_event(each.event, each.data)
            self._throttle.sent((each.event, each.data))
        self._sent += 1
        self._common.progress.sent = self._sent
        self._common.progress.last.append(each.line)
        await self._write(each.line + b"\r\n")
        if self._common.options.in_step:
            await self._until_read()

    async def _until_read(self) -> None:
        """Wait until the client has read everything that it was sent, if the system can tell."""
        # Most clients read at once, so begin without a pause.
        pause = 0.0
        while not self._writer.is_closing() and _unread(self._writer):
            await asyncio.sleep(pause)
            pause = min(0.01, pause + 0.0001)

    def _send_soon(self, event: PacedEvent) -> None:
        name, data = event
        self._machine.take_event(name, data)
        now = self._clock.now()
        stamp = {"seconds": now // MICROSECONDS, "microseconds": now % MICROSECONDS}
        message = {"timestamp": stamp, "event": name, **({"data": data} if data else {})}
        self._writer.write(qemujson.line(message))

    async def _write(self, line: bytes) -> None:
        self._writer.write(line)
        async with self._lock:  # before Python 3.11, only one task can wait in drain()
            await self._writer.drain()

    # the script

    async def _pause(self, steps: Iterable[ScriptStep]) -> None:
        for step in steps:
            await asyncio.sleep(step.delay)

    async def _meet(self, steps: list[ScriptStep]) -> None:
        """Do what the script says, except answers and, for commands, delays: `_take` did those."""
        for step in steps:
            if not step.command:
                await asyncio.sleep(step.delay)
            for event in step.send:
                self._send_soon((event.event, event.data))
            if step.hang_up == "in-a-line":
                rest = self._session.events[self._sent :]
                line = rest[0].line if rest else _SOME_LINE
                await self._write(line[: len(line) // 2])
            if step.hang_up:
                self.hang_up()
            if step.restart is not None:
                self._common.restart(step.restart)


def _name(value: Any) -> str:
    """Return the name of the command in a message; "" if it has none."""
    name = value.get("execute", value.get("exec-oob")) if isinstance(value, dict) else ""
    return name if isinstance(name, str) else ""


def _unread(writer: asyncio.StreamWriter) -> bool:
    """Whether there is something that the client has not read; False if the system does not say."""
    import fcntl
    import struct
    import termios

    transport = writer.transport
    if transport.get_write_buffer_size():
        return True
    connection: socket.socket = writer.get_extra_info("socket")
    try:
        unread = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except OSError:
        return False
    return bool(struct.unpack("i", unread)[0])
