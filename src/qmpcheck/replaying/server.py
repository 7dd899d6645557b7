"""The QMP server: it listens, and serves any number of clients at once, each by a `Conversation`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from qmpcheck.qmp.address import Address
from qmpcheck.replaying.conversation import Common, Conversation, Options, ReplayProgress
from qmpcheck.replaying.script import Script
from qmpcheck.replaying.stream import ReplaySession, ReplayStream


class Server:
    """Serves clients until it is stopped, in the running event loop.

    Args:
        address: where to listen.
        stream: what is played.
        script: what else happens to clients.
        options: how sessions are played.
        on_command: takes what a client sends, as JSON values.

    Attributes:
        address: where it listens; with the port that it got if port 0 was asked for.
        sessions: what is sent: the first one to whoever connects, until a client was sent all of it, then the
            second one, and after the last one the first again.
        conversations: the open ones.
        served: how many clients have connected.
        progress: how far the clients have come.
        has_come_again: set when a client connects after all sessions were sent to their ends.
    """

    def __init__(
        self,
        address: Address,
        stream: ReplayStream,
        script: Script | None = None,
        options: Options = Options(),  # noqa: B008 -- it is frozen
        on_command: Callable[[Any], None] = lambda _: None,
    ) -> None:
        self.address = address
        self.sessions = stream.sessions or [ReplaySession()]
        self.progress = ReplayProgress()
        script = script or Script()
        self._common = Common(stream.release, script, options, self.progress, on_command, self.restart)
        self.conversations: set[Conversation] = set()
        self.served = 0
        self.has_come_again = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            OSError: there is no such place, or another server listens there.
        """
        listener = self.address.listen()
        if self.address.port is not None:
            self.address = Address(self.address.place, listener.getsockname()[1])
        listener.setblocking(False)
        self._listener = listener
        self._accepting = self._start(self._accept(listener))

    async def stop(self) -> None:
        """Listen no more, and end all connections."""
        self._close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, event: str, data: dict[str, Any]) -> None:
        """Send an event to all clients that have negotiated: now, or as soon as its rate limit allows."""
        for conversation in self.conversations:
            conversation.send(event, data)

    def hang_up(self) -> None:
        """End all connections."""
        for conversation in self.conversations:
            conversation.abort()

    def restart(self, seconds: float) -> None:
        """End all connections, and listen again after some seconds."""
        self._close()
        self._start(self._start_after(seconds))

    async def _start_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while self._listener is None:
            with suppress(OSError):  # another process may listen there for a moment
                await self.start()
            await asyncio.sleep(_PAUSE)

    def _close(self) -> None:
        self.hang_up()
        if self._accepting:
            self._accepting.cancel()
        if self._listener:
            self._listener.close()
            self.address.remove()
        self._listener = self._accepting = None

    async def _accept(self, listener: socket.socket) -> None:
        """Serve all who connect. asyncio's own server fails if there are too many of them."""
        while True:
            connection = None
            with suppress(OSError):
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            if connection:
                self._start(self._converse(connection))
            else:  # too many are open: wait until others have gone
                await asyncio.sleep(_PAUSE)

    async def _converse(self, connection: socket.socket) -> None:
        # A client that comes back before it has got all of a session gets it once more.
        session = self.sessions[self.progress.through % len(self.sessions)]
        self.served += 1
        if self.progress.through >= len(self.sessions):
            self.has_come_again.set()
        conversation = Conversation(self._common, session, *await asyncio.open_connection(sock=connection))
        self.conversations.add(conversation)
        try:
            await conversation.run()
        finally:
            conversation.abort()
            self.conversations.discard(conversation)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


_PAUSE = 0.1
"""How many seconds to wait before trying again to listen or to accept."""
