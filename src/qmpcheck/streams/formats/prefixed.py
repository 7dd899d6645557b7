"""One JSON message a line, after any text: a time, a level, the name of a function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import objects
from qmpcheck.streams.messages import MESSAGE_KEY, is_sent

_START = re.compile(rb"\{(?=[ \t]*" + MESSAGE_KEY + rb")")
_PREFIX = re.compile(rb'[^{}"\n]*[^\s{}"\[,][^{}"\n]*')


_LOOKED_AT = 50
"""How many objects are looked at."""


def recognises(head: bytes) -> bool:
    """Whether there are messages after other text, most of them complete on their line."""
    lines = head.split(b"\n")
    found = [each for batch in objects([lines], _START.search) for each in batch][:_LOOKED_AT]
    whole = [each for each in found if each.whole and is_sent(each.text) is not None]
    cut = [each for each in found if not each.whole]
    return len(whole) > len(cut) and all(_PREFIX.match(lines[each.line - 1]) for each in whole)


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.found_by(_START.search, blocks)
