"""A session of qmp-shell: replies are JSON, and events are what Python prints for a dictionary.

That form loses nothing: numbers, strings, true, false and null all look different. So events can be turned
back into JSON. Commands are there only if qmp-shell prints them, with -v.
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
"""A text that is reported as a message that is cut."""


def recognises(head: bytes) -> bool:
    """Whether there is an event as Python prints it."""
    return b"{'" in head and _EVENT.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.messages([_as_json(line) if b"{'" in line else line for line in block] for block in blocks)


def _as_json(line: bytes) -> bytes:
    """Return the line with JSON in place of an event that Python printed."""
    if not _EVENT.match(line):
        return line
    try:
        # Literals only: nothing that is in a log is executed.
        event = ast.literal_eval(line[line.index(b"{") :].decode())
        return standard_json.dumps(event).encode()
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return _CUT
