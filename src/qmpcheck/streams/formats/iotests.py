"""Expected output of QEMU's iotests, with placeholders for whatever differs from run to run.

The tests in shell write bare words (TIMESTAMP, LEN), the ones in Python strings ("USECS"). A time is read
as the timestamp of a host without a clock, and any other number as 0. QMP_VERSION stands for a greeting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch

_HEAD = re.compile(
    rb'"seconds": +TIMESTAMP\b|"seconds": "SECS"|"microseconds": "USECS"'
    rb'|^(?:\{"QMP_VERSION"\}|QMP_VERSION)\s*$|\AQA output created by \d+',
    re.MULTILINE,
)


def recognises(head: bytes) -> bool:
    """Whether there is a placeholder of the iotests."""
    return _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.messages([*map(_with_values, block)] for block in blocks)


_GREETING = re.compile(rb'\s*(?:\{"QMP_VERSION"\}|QMP_VERSION)\s*')
_PLACEHOLDER = re.compile(
    rb'(?P<time>"(?:SECS|USECS)"|\bTIMESTAMP\b)|(?P<number>(?<="len": )"LEN"|(?<="offset": )"OFFSET")'
    rb'|(?P<string>"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z))|(?<=[: ])(?:[A-Z][A-Z_]+|\([a-z]+\))(?=[,}\] ])'
)


def _with_values(line: bytes) -> bytes:
    """Return the line with a value in place of each placeholder."""
    if _GREETING.fullmatch(line):
        return b'{"QMP": {}}'
    return _PLACEHOLDER.sub(_value, line) if b'"' in line else line


def _value(match: re.Match[bytes]) -> bytes:
    return b"-1" if match["time"] else match["string"] or b"0"
