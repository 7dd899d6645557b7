"""JSON messages in any layout: over several lines, in an array, with any text between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats.message import Message, Stream
from qmpcheck.streams.formats.objects import FoundObject, objects
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
    stream = Stream()
    for found in objects(blocks, _START.search, spread=True):
        yield of_objects(found, lambda _: stream)


def of_objects(found: Iterable[FoundObject], stream: Callable[[FoundObject], Stream]) -> list[Message]:
    """Return the messages among objects: those with QMP's keys, and those cut before any key.

    Args:
        found: the objects.
        stream: returns the stream that an object belongs to.
    """
    batch = []
    for each in found:
        sent = is_sent(each.text)
        if each.before[0].startswith(b'"'):
            batch.append(Message(each.line, each.before[0], False, stream(each), cut=True))
        elif each.whole and sent is not None:
            batch.append(Message(each.line, each.text, sent, stream(each)))
        elif not each.whole and _CUT.match(each.text):
            batch.append(Message(each.line, each.text, bool(sent), stream(each), cut=True))
    return batch
