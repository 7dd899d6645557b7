"""QEMU's own trace of its monitors: the trace events monitor_qmp_respond and handle_qmp_command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch, Stream, StreamsByKey
from qmpcheck.streams.formats.objects import FoundObject, at_line_start

# The second form is the one that simpletrace.py prints, whose strings end after 512 bytes.
_LINE = (
    rb'(?:[^{}"\n]*?: )?(?:\d+@\d+\.\d+:)?'
    rb"(?:monitor_qmp_respond|handle_qmp_command) "
    rb"(?:mon (?P<mon>0x\w+) re(?:sp|q): |[\d.]+ pid=\d+ mon=(?P<simple>0x\w+) (?:json|req)=)\{"
)
_search = at_line_start(b"_qmp_", re.compile(_LINE))

PRINTED = re.compile(
    rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: starting up libvirt version: ", re.MULTILINE
)
"""The first line of a file in which libvirt keeps what a QEMU prints: a trace can begin anywhere in it."""


def recognises(head: bytes) -> bool:
    """Whether a line is a trace of a message."""
    return _search(head, 0) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block; each monitor has a stream."""
    streams = StreamsByKey()

    def stream(found: FoundObject) -> Stream:
        return streams[found.before["mon"] or found.before["simple"]]

    return json.found_by(_search, blocks, stream, spread=True)
