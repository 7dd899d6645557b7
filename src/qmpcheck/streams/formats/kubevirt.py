"""KubeVirt's virt-launcher: one JSON object a line, with a record of libvirt's log in its `msg`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import libvirt
from qmpcheck.streams.formats.lines import lines_with, unescaped
from qmpcheck.streams.formats.message import Batch

_HEAD = re.compile(
    rb'^[^{\n]*\{[^\n]*"component": ?"virt-launcher"|^[^{\n]*\{[^\n]*"msg": ?"QEMU_MONITOR_', re.MULTILINE
)


class _LogEntry(msgspec.Struct):
    msg: str = ""
    thread: str = ""


_decoder = msgspec.json.Decoder(_LogEntry)


def recognises(head: bytes) -> bool:
    """Whether virt-launcher wrote one of the lines, or the `msg` of one is a record of a monitor."""
    return b'"msg"' in head and _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    monitors = libvirt.Monitors()
    for lines in lines_with(blocks, libvirt.MARKERS):
        yield [item for number, line in lines for item in monitors.of_record(_record(number, line))]


_MSG = re.compile(rb'"msg": ?"((?:[^"\\]|\\.)*)')


def _record(number: int, line: bytes) -> libvirt.LibvirtRecord:
    """Return the record in an entry; if the entry is cut, as much of it as there is."""
    # Some collectors of logs cut long lines, so that an entry is no valid JSON.
    try:
        entry = _decoder.decode(line[max(line.find(b"{"), 0) :])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        begun = _MSG.search(line)
        text = unescaped(begun[1]) if begun else b""
        return libvirt.LibvirtRecord(number, b"", b"", text)
    return libvirt.LibvirtRecord(number, b"", entry.thread.encode(), entry.msg.rstrip("\r\n").encode())
