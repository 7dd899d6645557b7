"""Expected output of QEMU's iotests, in which whatever differs from run to run is a placeholder.

The tests in shell write bare words (TIMESTAMP, LEN), the ones in Python strings ("USECS"). A time is then
read as the one that QEMU gives where a host has no clock, and any other number as 0. Each test starts several
QEMUs, and only QMP_VERSION, in place of the greeting, shows where.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.lines import numbered
from qmpcheck.streams.formats.message import Batch, End, Message, Stream

_HEAD = re.compile(
    rb'"seconds": +TIMESTAMP\b|"seconds": "SECS"|"microseconds": "USECS"'
    rb'|^(?:\{"QMP_VERSION"\}|QMP_VERSION)\s*$|\AQA output created by \d+',
    re.MULTILINE,
)


def recognises(head: bytes) -> bool:
    """Whether there is one of the placeholders of the iotests."""
    return _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """The messages of each block; a new stream after each greeting."""
    stream = Stream()
    greetings: deque[int] = deque()

    def with_values() -> Iterator[Block]:
        for first, lines in numbered(blocks):
            greetings.extend(number for number, line in enumerate(lines, first) if _GREETING.fullmatch(line))
            yield [*map(_with_values, lines), b""]

    for batch in json.messages(with_values()):
        items: list[Message | End] = []
        for message in batch:
            while greetings and greetings[0] < message.line:
                items.append(End(stream))
                stream = Stream(f"greeting in line {greetings.popleft()}")
            items.append(message._replace(stream=stream))
        yield items


_GREETING = re.compile(rb'\s*(?:\{"QMP_VERSION"\}|QMP_VERSION)\s*')
_PLACEHOLDER = re.compile(
    rb'"(?:SECS|USECS)"|(?<=: )"(?:LEN|OFFSET|SIZE)"'
    rb'|"[^"\\]*(?:\\.[^"\\]*)*"|(?<=[: ])[A-Z][A-Z_]+(?=[,}\] ])'
)


def _with_values(line: bytes) -> bytes:
    """The line with a number in place of each placeholder; other strings stay as they are."""
    return _PLACEHOLDER.sub(_value, line) if b'"' in line else line


def _value(match: re.Match[bytes]) -> bytes:
    word = match[0].strip(b'"')
    if word in (b"TIMESTAMP", b"SECS", b"USECS"):
        return b"-1"
    if not match[0].startswith(b'"') or word in (b"LEN", b"OFFSET", b"SIZE"):
        return b"0"
    return match[0]
