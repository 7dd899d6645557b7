"""A QMP client that knows nothing but lines, for the tests of the server."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

PATIENCE = 30
"""Seconds; what takes longer has failed."""

NEGOTIATE = {"execute": "qmp_capabilities"}


class Talk:
    def __init__(self, connection: socket.socket, file: BinaryIO) -> None:
        self.connection, self._file = connection, file

    def send(self, *messages: dict[str, Any] | bytes) -> None:
        for each in messages:
            self.connection.sendall(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n")

    def line(self) -> bytes:
        """The next line; empty where the server has ended the connection."""
        try:
            return self._file.readline()
        except ConnectionResetError:
            return b""

    def read(self) -> Any:
        return json.loads(self.line())

    def ask(self, name: str, **arguments: Any) -> Any:
        """The reply to a command; events before it are dropped."""
        self.send({"execute": name, "arguments": arguments})
        while "event" in (reply := self.read()):
            pass
        return reply.get("return", reply.get("error"))

    def rest(self) -> list[bytes]:
        """All lines up to the end of the connection."""
        return [*iter(self.line, b"")]


@contextmanager
def connected(path: str, *, negotiate: bool = True) -> Iterator[Talk]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        with connection.makefile("rb") as file:
            talk = Talk(connection, file)
            if negotiate:
                assert "QMP" in talk.read()
                talk.send(NEGOTIATE)
                assert talk.read() == {"return": {}}
            yield talk
