r"""What `socat -v` prints of a connection to QEMU, with what it passes on beside it or without that.

Before each piece of data that it copies it prints a line with the direction and the time. In its copy a
carriage return is a literal `\r`, and a backslash is two. If its output also holds the data itself, as in a
terminal, each message from QEMU comes twice.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch

_PIECE = re.compile(rb"[<>] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+ +length=\d+ from=\d+ to=\d+\s*")
_HEAD = re.compile(rb"^" + _PIECE.pattern + rb"$", re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether there is a line that socat prints before a piece of data."""
    return b" length=" in head and _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.messages(_once(blocks))


def _once(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the lines of data, each once, and empty lines in place of others, since lines are counted."""
    copies: deque[bytes] = deque()
    for block in blocks:
        yield [_data(line, copies) for line in block]


def _data(line: bytes, copies: deque[bytes]) -> bytes:
    """Return the line, if it is the first with this data. `copies` are lines whose data may still follow."""
    if line[:2] in (b"< ", b"> ") and _PIECE.fullmatch(line):
        copies.clear()
        return b""
    if line.endswith(rb"\r"):
        copies.append(line.removesuffix(rb"\r").replace(rb"\\", b"\\"))
        return copies[-1]
    if copies and line.rstrip(b"\r") == copies[0]:
        copies.popleft()
        return b""
    return line
