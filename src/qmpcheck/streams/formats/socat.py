r"""What `socat -v` prints of a connection to QEMU, with what it passes on beside it or without that.

Before each piece of data that it copies it prints a line with the direction and the time. In its copy a
carriage return is a literal `\r`, and a backslash is two. If its output also holds the data itself, as in a
terminal, each message from QEMU comes twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch

_PIECE = re.compile(rb"[<>] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+ +length=\d+ from=\d+ to=\d+\s*")
_HEAD = re.compile(rb"^" + _PIECE.pattern + rb"$", re.MULTILINE)
_PLAIN = re.compile(rb'^\{"(?:QMP|timestamp|return|error|event|id)".*\}\r?$', re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether there is a line that socat prints before a piece of data."""
    return b" length=" in head and _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """The messages of each block."""
    blocks = iter(blocks)
    for block in blocks:
        twice = _PLAIN.search(b"\n".join(block)) is not None
        yield from json.messages(_without_copies(each, twice) for each in chain([block], blocks))


def _without_copies(block: Block, twice: bool) -> Block:
    """The lines of data alone; in place of each other line an empty one, as lines are counted."""
    return [_data(line, twice) for line in block]


def _data(line: bytes, twice: bool) -> bytes:
    if line[:2] in (b"< ", b"> ") and _PIECE.fullmatch(line):
        return b""
    if not line.endswith(rb"\r"):
        return line
    return b"" if twice else line.removesuffix(rb"\r").replace(rb"\\", b"\\")
