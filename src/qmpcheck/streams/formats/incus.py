"""What Incus logs of an instance's monitor, in qemu.qmp.log: `[time] QUERY: …`, `REPLY: …`, `Event: …`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch, Stream
from qmpcheck.streams.formats.objects import at_line_start, objects

_LINE = rb"\[\d{4}-\d\d-\d\dT[^\]\s]*\] (?:QUERY|REPLY|Event|EVENT): \{"
_BEFORE = re.compile(_LINE)
_HEAD = re.compile(rb"^" + _LINE, re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether a line is one of Incus's."""
    return _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """The messages of each block."""
    stream = Stream()
    for found in objects(blocks, at_line_start(b": {", _BEFORE)):
        yield json.of_objects(found, lambda _: stream)
