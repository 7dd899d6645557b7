"""The DEBUG log of QEMU's Python library qemu.qmp: an arrow, and the message over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch, Stream, StreamsByKey
from qmpcheck.streams.formats.objects import FoundObject, at_line_start, objects

_search = at_line_start(b"--", re.compile(rb"[^\n{}]*?(?P<arrow>-->|<--) \{"))

# What precedes the arrow is the application's choice; with logging's defaults it is `DEBUG:NAME OF THE
# LOGGER:`. A logger's name ends in the client's, which may have blanks if a colon follows it.
_WORD = rb"[^\s:\]]+"
_LOGGER = re.compile(
    rb"\bqemu\.qmp\.(?:qmp_client|protocol)"
    rb"(?:\.(?P<vm>" + _WORD + rb"(?:(?: (?!DEBUG\b)" + _WORD + rb")*(?=:)|)))?"
)


def recognises(head: bytes) -> bool:
    """Whether a message begins after an arrow."""
    return _search(head, 0) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block; each name of a client has a stream."""
    streams = StreamsByKey()

    def stream(found: FoundObject) -> Stream:
        logger = _LOGGER.search(found.before[0])
        return streams[(logger and logger["vm"]) or b""]

    for found in objects(blocks, _search, spread=True):
        yield [
            # The arrow says who sent it, even if the message is cut before any key.
            msgspec.structs.replace(message, sent=each.before["arrow"] == b"-->")
            for each in found
            for message in json.of_objects([each], stream)
        ]
