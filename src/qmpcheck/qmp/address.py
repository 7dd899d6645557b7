"""The address of a monitor, as users write it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import stat
from contextlib import suppress
from typing import NamedTuple

from qmpcheck.rulebase import SpecError
from qmpcheck.text import quoted, reason_of, safe

_SECONDS = 10.0
"""How many seconds connecting may take."""

_BACKLOG = 128
"""How many clients may wait to be accepted."""

_LOOPBACK = "127.0.0.1"
_LAST_PORT = 65535
_PORT = re.compile(r"tcp::?([0-9]{1,5})")
_TCP = re.compile(r"(?:tcp:)?(\[[^\]]+\]|[^/:\[\]]+):([0-9]{1,5})")


class Address(NamedTuple):
    """The path of a Unix socket; with a port, a host."""

    place: str
    port: int | None = None

    def __str__(self) -> str:
        return self.place if self.port is None else f"{self.place}:{self.port}"

    def connect(self) -> socket.socket:
        """Connect to it.

        Raises:
            OSError: it cannot be reached.
        """
        if self.port is None:
            return _unix(self.place)
        connection = socket.create_connection((self.place, self.port), _SECONDS)
        if connection.getsockname() == connection.getpeername():  # to a port of its own, as nobody had it
            connection.close()
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        connection.settimeout(None)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a peer may vanish without a word
        return connection

    def listen(self) -> socket.socket:
        """Return a socket that listens there; fail if the path exists already.

        Raises:
            OSError: nothing can listen there.
        """
        if self.port is not None:
            family = socket.AF_INET6 if ":" in self.place else socket.AF_INET
            return socket.create_server((self.place, self.port), family=family, backlog=_BACKLOG)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(self.place)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
        return listener

    def remove(self) -> None:
        """Remove the path of a Unix socket that listened there."""
        if self.port is None:
            with suppress(OSError):
                os.unlink(self.place)


def parse_address(words: list[str]) -> Address | None:
    """Return the address in these words; None if they are a command."""
    word = words[0]
    if len(words) > 1:
        return None
    if word.startswith("unix:"):
        return Address(word.removeprefix("unix:"))
    if (match := _TCP.fullmatch(word)) and int(match[2]) <= _LAST_PORT:
        return Address(match[1].strip("[]"), int(match[2]))
    # What is no program is more likely a socket that is not there yet.
    return Address(word) if _is_socket(word) or shutil.which(word) is None else None


def listening(word: str) -> Address:
    """Return the address to listen at: tcp:HOST:PORT, tcp:PORT (loopback), unix:PATH, or a path with a slash.

    Raises:
        SpecError: it is none of these, or its port is one that no machine has.
    """
    if (match := _PORT.fullmatch(word)) and int(match[1]) <= _LAST_PORT:
        return Address(_LOOPBACK, int(match[1]))
    if (match := _TCP.fullmatch(word)) and int(match[2]) <= _LAST_PORT:
        return Address(match[1].strip("[]"), int(match[2]))
    is_path = "/" in word and not word.startswith("tcp:")
    if not word.startswith("unix:") and not is_path:  # more likely a mistyped port or host
        raise SpecError(f"{quoted(word)}: expected unix:PATH, tcp:PORT or tcp:HOST:PORT")
    return Address(word.removeprefix("unix:"))


def why_not_listening(address: Address, error: OSError | ValueError) -> str:
    """Say why nothing can listen at an address, from the error of `listen`; safe to print."""
    place = safe(str(address))
    number = error.errno if isinstance(error, OSError) and address.port is None else None
    if number == errno.EADDRINUSE:
        return f"{place}: something exists there already; name another path"
    if number == errno.ENOENT:
        return f"{place}: no such folder: {safe(os.path.dirname(address.place) or '.')}"
    return f"{place}: {safe(reason_of(error))}"


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
