"""A session of qmp-shell: replies are JSON, and events are what Python prints for a dictionary.

That form keeps every value, since numbers, strings, true, false and null each have a form of their own. So
events can be written as JSON again. Commands are there only if qmp-shell prints them, with -v.
"""

from __future__ import annotations

import ast
import json as standard_json
import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch

_EVENT = re.compile(rb"^(?:\(QEMU\) )*(?=\{'(?:event|timestamp|data)': )", re.MULTILINE)

_CUT = b'{"event": "'
"""What the reader of JSON reports as a message that is cut."""


def recognises(head: bytes) -> bool:
    """Whether there is an event as Python prints it."""
    return b"{'" in head and _EVENT.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """The messages of each block."""
    return json.messages([_as_json(line) if b"{'" in line else line for line in block] for block in blocks)


def _as_json(line: bytes) -> bytes:
    """The line with JSON in place of an event that Python printed."""
    if not _EVENT.match(line):
        return line
    try:
        event = ast.literal_eval(line[line.index(b"{") :].decode())
        return standard_json.dumps(event).encode()
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return _CUT
