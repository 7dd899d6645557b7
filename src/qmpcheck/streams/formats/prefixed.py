"""One JSON message a line, after any text: a time, a level, the name of a function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch, Stream
from qmpcheck.streams.formats.objects import MESSAGE_KEY, is_sent, objects

_START = re.compile(rb"(?=\{[ \t]*" + MESSAGE_KEY + rb")")
_PREFIX = re.compile(rb'[^{}"\n]*[^\s{}"][^{}"\n]*')


def recognises(head: bytes) -> bool:
    """Whether the first messages stand after other text, each whole on its line."""
    first = next(iter(objects([head.split(b"\n")], _START.search)))[:10]
    lines = head.split(b"\n")
    return any(is_sent(each.text) is not None for each in first) and all(
        each.whole and _PREFIX.match(lines[each.line - 1]) for each in first
    )


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """The messages of each block."""
    stream = Stream()
    for found in objects(blocks, _START.search):
        yield json.of_objects(found, lambda _: stream)
