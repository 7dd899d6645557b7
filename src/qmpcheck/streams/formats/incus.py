"""qemu.qmp.log, in which Incus logs the monitor of an instance: `[time] QUERY: …`, `REPLY: …`, `Event: …`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import at_line_start

_LINE = rb"\[\d{4}-\d\d-\d\dT[^\]\s]*\] (?:QUERY|REPLY|Event|EVENT): \{"
_BEFORE = re.compile(_LINE)
_HEAD = re.compile(rb"^" + _LINE, re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether Incus wrote one of the lines."""
    return _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.found_by(at_line_start(b": {", _BEFORE), blocks)
