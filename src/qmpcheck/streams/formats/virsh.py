"""What `virsh qemu-monitor-event` prints, with or without its --timestamp, --pretty and --loop.

It prints the content of messages, so messages are put together from that. With --timestamp it prints its own
time in place of QEMU's; such events get the timestamp of a host without a clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats.message import Batch, Message, StreamsByKey, decoded
from qmpcheck.streams.formats.objects import FoundObject, at_line_start, objects

_LINE = (
    rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+\d+: event (?P<untimed>\S+)"
    rb"|event (?P<timed>\S+) at (?P<seconds>-?\d+)\.(?P<micros>\d+)) "
    rb"for domain (?:'(?P<quoted>[^\n]+?)'|(?P<bare>[^\n']+?)): (?:<null>\r?$|\{)"
)
_search = at_line_start(b" for domain ", re.compile(_LINE, re.MULTILINE))


def recognises(head: bytes) -> bool:
    """Whether a line reports an event of a domain."""
    return _search(head, 0) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block; each domain has a stream."""
    streams = StreamsByKey()
    for found in objects(blocks, _search, spread=True):
        yield [_message(each, streams) for each in found]


def _message(found: FoundObject, streams: StreamsByKey) -> Message:
    before = found.before
    domain = before["quoted"] or before["bare"]
    event = json.dumps(decoded(before["timed"] or before["untimed"])).encode()
    data = b', "data": ' + found.text if found.text else b""
    text = b'{"timestamp": %s, "event": %s%s}' % (_timestamp(before), event, data)
    return Message(found.line, text, False, streams[domain], cut=not found.whole)


def _timestamp(before: re.Match[bytes]) -> bytes:
    seconds, micros = before["seconds"], before["micros"]
    # Either libvirt printed only its own time, or the host had no clock.
    if not seconds or seconds.startswith(b"-"):
        return b'{"seconds": -1, "microseconds": -1}'
    return b'{"seconds": %s, "microseconds": %d}' % (seconds, int(micros[:6]))
