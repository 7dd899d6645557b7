"""The log that avocado-vt writes of a QMP monitor: a time to the second, a colon and the message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import at_line_start

_BEFORE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: \{")
_HEAD = re.compile(rb'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: \{"', re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether a line holds a time and an object."""
    return _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.found_by(at_line_start(b": {", _BEFORE), blocks)
