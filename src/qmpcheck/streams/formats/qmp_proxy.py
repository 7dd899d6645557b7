"""What libvirt's virt-qemu-qmp-proxy sends: QMP, except that an event's data is a string with the JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import on_one_line

_DATA = re.compile(rb'"data"\s*:\s*("\{[^"\\]*(?:\\.[^"\\]*)*")')


class _LoggedEvent(msgspec.Struct):
    event: str
    data: str


_events = msgspec.json.Decoder(_LoggedEvent)


def recognises(head: bytes) -> bool:
    """Whether there is an event whose data is a string with an object in it."""
    found = json.messages([head.split(b"\n")]) if _DATA.search(head) else ()
    return any(_is_from_proxy(message.text) for batch in found for message in batch)


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block, with the data as QEMU sent it."""
    for batch in json.messages(blocks):
        yield [msgspec.structs.replace(message, text=_as_sent(message.text)) for message in batch]


def _is_from_proxy(text: bytes) -> bool:
    return _as_sent(text) != text


def _as_sent(text: bytes) -> bytes:
    """Return the event with the object in place of the string; any other text is unchanged."""
    string = _DATA.search(text)
    try:
        data = _events.decode(text).data.encode()
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError):
        return text
    return text[: string.start(1)] + on_one_line(data) + text[string.end(1) :] if string else text
