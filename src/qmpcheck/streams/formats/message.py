"""What the reader of a log format yields: messages, each of one stream, and the ends of streams."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Stream:
    """One QMP connection in a log, compared by identity.

    Logs often name a VM only after its first messages, so `name` may be filled in while the log is read.

    Attributes:
        key: what distinguishes connections in the log: a monitor's address, a logger's name, a domain, or "".
        name: the VM as people name it; "" until the log names it.
        probe: whether libvirt has only asked this QEMU for its capabilities so far.
    """

    __slots__ = ("key", "name", "probe")

    def __init__(self, key: str = "", name: str = "") -> None:
        self.key = key
        self.name = name
        self.probe = False

    @property
    def vm(self) -> str:
        """The VM for a report: its name and the key, as far as they are known."""
        if self.name and self.key and self.name != self.key:
            return f"{self.name} ({self.key})"
        return self.name or self.key


class StreamsByKey(dict[bytes, Stream]):
    """The streams of a log by what distinguishes them there; a key that is new gets a new stream."""

    def __missing__(self, key: bytes) -> Stream:
        return self.setdefault(key, Stream(decoded(key)))


class Message(msgspec.Struct, frozen=True):
    """One QMP message in a log.

    Attributes:
        line: the number of its first line in the file, from 1.
        text: the JSON as logged, on one line; as far as it goes, if it is `cut`.
        sent: whether the client sent it to QEMU; False for what was received from QEMU.
        stream: the connection that it belongs to.
        cut: whether the log has only a part of it.
    """

    line: int
    text: bytes
    sent: bool
    stream: Stream
    cut: bool = False


class End(msgspec.Struct, frozen=True):
    """The log shows that a connection was closed: `stream` has no more messages."""

    stream: Stream


Batch = Sequence[Message | End]
"""The messages and the ends of streams in one block of a log's lines, in their order."""


def decoded(name: bytes) -> str:
    """Return a name from a log as text; bytes that are not UTF-8 become escapes."""
    return name.decode(errors="backslashreplace")
