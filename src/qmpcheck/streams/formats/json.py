"""JSON messages in any layout: over several lines, in an array, with any text between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats.message import Message, Stream
from qmpcheck.streams.formats.objects import FoundObject, Search, objects
from qmpcheck.streams.messages import MESSAGE_KEY, is_sent

# An event's name or time outside of any object is what is left of a message whose beginning was lost.
_START = re.compile(
    rb"\{(?=\s*(?:" + MESSAGE_KEY + rb'|\Z))|"(?:event": ?"[A-Z][A-Z0-9_]*"|microseconds": ?\d)[^\n{]*'
)
_CUT = re.compile(rb"\{\s*" + MESSAGE_KEY)


def recognises(head: bytes) -> bool:
    """Whether there is a message anywhere."""
    return any(batch for batch in messages([head.split(b"\n")]))


def messages(blocks: Iterable[Block]) -> Iterator[list[Message]]:
    """Yield the messages of each block."""
    return found_by(_START.search, blocks, spread=True)


StreamOf = Callable[[FoundObject], Stream]
"""Returns the stream that an object belongs to."""


def found_by(
    search: Search, blocks: Iterable[Block], stream: StreamOf | None = None, spread: bool = False
) -> Iterator[list[Message]]:
    """Yield the messages of each block that `search` finds.

    Args:
        search: finds where an object begins.
        blocks: the blocks of the file.
        stream: returns the stream of each message; None if the file has only one.
        spread: whether a message may extend over several lines.
    """
    only = Stream()
    for found in objects(blocks, search, spread):
        yield of_objects(found, stream or (lambda _: only))


def of_objects(found: Iterable[FoundObject], stream: StreamOf) -> list[Message]:
    """Return the messages among objects: those with QMP's keys, and those cut before any key.

    Args:
        found: the objects.
        stream: returns the stream that an object belongs to.
    """
    batch = []
    for each in found:
        sent = is_sent(each.text)
        # The rest of an event whose beginning was lost: a check must not be green because of that.
        if each.before[0].startswith(b'"'):
            batch.append(Message(each.line, each.before[0], False, stream(each), cut=True))
        elif each.whole and sent is not None:
            batch.append(Message(each.line, each.text, sent, stream(each)))
        elif not each.whole and _CUT.match(each.text):
            batch.append(Message(each.line, each.text, bool(sent), stream(each), cut=True))
    return batch
