"""qemu.qmp.log, in which Incus logs the monitor of an instance: `[time] QUERY: …`, `REPLY: …`, `Event: …`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import at_line_start

_search = at_line_start(b": {", re.compile(rb"\[\d{4}-\d\d-\d\dT[^\]\s]*\] (?:QUERY|REPLY|Event|EVENT): \{"))


def recognises(head: bytes) -> bool:
    """Whether Incus wrote one of the lines."""
    return _search(head, 0) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.found_by(_search, blocks)
