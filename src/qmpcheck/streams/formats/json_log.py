r"""A log of JSON objects, one a line, with a message in one of their strings: Go's loggers, or Docker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.lines import lines_with, unescaped
from qmpcheck.streams.formats.message import Batch, Stream
from qmpcheck.streams.formats.objects import FoundObject, objects
from qmpcheck.streams.messages import MESSAGE_KEY, is_sent

_MARKER = b'{\\"'
"""The beginning of an object in a string."""

_ENTRY = re.compile(rb'\{[ \t]*"')
_START = re.compile(rb"\{(?=[ \t]*" + MESSAGE_KEY + rb")")
_CUT = re.compile(_START.pattern.replace(b'"', rb'\\"'))


class _Time(msgspec.Struct):
    seconds: int
    microseconds: int


class _Event(msgspec.Struct):
    event: str
    timestamp: _Time


_event = msgspec.json.Decoder(_Event)
_entry = msgspec.json.Decoder(dict[str, Any])


def recognises(head: bytes) -> bool:
    """Whether there is a whole event of QEMU in such a string, and most messages there are whole."""
    found = [each for line in head.split(b"\n") if _MARKER in line for each in _found(0, line)]
    whole = [each for each in found if each.whole and is_sent(each.text) is not None]
    cut = [each for each in found if not each.whole]
    return len(whole) > len(cut) and any(map(_is_event, whole))


def _is_event(found: FoundObject) -> bool:
    try:
        _event.decode(found.text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    only = Stream()
    for lines in lines_with(blocks, (_MARKER,)):
        found = (each for number, line in lines for each in _found(number, line))
        yield json.of_objects(found, lambda _: only)


def _found(number: int, line: bytes) -> Iterator[FoundObject]:
    """Yield the objects in the strings of a line that may be messages."""
    for batch in objects([[text] for text in _texts(line)], _START.search):
        for each in batch:
            yield each._replace(line=number)


def _texts(line: bytes) -> Iterator[bytes]:
    """Yield the strings of an entry, each on one line; of an entry that is cut, the part with the message."""
    begin = _ENTRY.search(line)
    if begin is None:
        return
    text = line[begin.start() :]
    try:
        entry = _entry.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if cut := _CUT.search(text):
            yield unescaped(text[cut.start() :])
        return
    if is_sent(text) is not None:
        return  # it is a message itself, and what a guest wrote into it is none
    for value in entry.values():
        if isinstance(value, str):
            yield value.replace("\n", " ").encode(errors="replace")
