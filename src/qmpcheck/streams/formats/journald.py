"""libvirt's log as `journalctl -o json`, `-o export` or `-o verbose` writes it.

An entry has fields; MESSAGE is a record of libvirt's log, without the prefix that it has in a file.
journalctl does not write every message as text: one with a carriage return, such as a command, is an array of
bytes in JSON, a string of bytes with its length in an export, and omitted by `-o verbose`. A field of more
than 4096 bytes is null in JSON unless --all is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import libvirt
from qmpcheck.streams.formats.lines import lines_with, numbered
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import LONGEST

_JSON = re.compile(rb'\s*\{(?=[^\n]*"(?:__REALTIME_TIMESTAMP|__CURSOR|_BOOT_ID)")(?=[^\n]*"MESSAGE" ?:)')
_EXPORT = re.compile(rb"\s*[A-Z_0-9]+=[^\n]*\n(?:[^\n]+\n)*?__(?:CURSOR|REALTIME_TIMESTAMP)=|\s*__CURSOR=")
_VERBOSE = re.compile(rb"(?:[^\n]*\n)?\w[^\n]* \[s=[0-9a-f]+;i=[0-9a-f]+;")


def recognises(head: bytes) -> bool:
    """Whether this is the beginning of an output of journalctl with fields."""
    return any(pattern.match(head) for pattern in (_JSON, _EXPORT, _VERBOSE))


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    monitors = libvirt.Monitors()
    for entries in _entries(iter(blocks)):
        yield [item for entry in entries for item in _messages(monitors, entry)]


class _JournalEntry(NamedTuple):
    """An entry of the journal: the number of the line that its message begins on, and the fields that matter.

    `text` is None if journalctl omitted the message.
    """

    line: int
    text: bytes | None
    process: bytes
    function: bytes = b""
    priority: bytes = b""


_INFO = b"6"
"""The log level of the records of libvirt that have a monitor's address."""


def _messages(monitors: libvirt.Monitors, entry: _JournalEntry) -> Batch:
    if entry.text is not None:
        text = entry.text.rstrip(b"\r\n")
        # a daemon whose standard error goes to the journal writes its own fields, too
        record = libvirt.with_fields(entry.line, text) or libvirt.LibvirtRecord(entry.line, b"", b"", text)
        return monitors.of_record(record._replace(source=entry.process))
    if entry.function == b"qemuMonitorSend":
        return [monitors.cut(entry.line, sent=True)]
    if entry.function == b"qemuMonitorJSONIOProcessLine" and entry.priority == _INFO:
        return [monitors.cut(entry.line, sent=False)]
    return []


def _entries(blocks: Iterator[Block]) -> Iterator[list[_JournalEntry]]:
    """Yield the entries of each block, and at the end those that were not complete before."""
    for block in blocks:
        start = b"\n".join(block)
        # The first block shows in which of the three ways all of the file is written.
        read = (
            _in_json if start.lstrip().startswith(b"{") else _verbose if _VERBOSE.match(start) else _exported
        )
        yield from read(chain([block], blocks))


class _JsonEntry(msgspec.Struct):
    message: str | list[int] | None = msgspec.field(default="", name="MESSAGE")
    process: str | list[str] | None = msgspec.field(default="", name="_PID")
    function: str | list[str] | None = msgspec.field(default="", name="CODE_FUNC")
    priority: str | list[str] | None = msgspec.field(default="", name="PRIORITY")


_decoder = msgspec.json.Decoder(_JsonEntry)

_ARRAYS = (b'"MESSAGE":[', b'"MESSAGE" : [')
"""The beginning of a message that is an array of bytes, in which no marker can be searched for."""


def _in_json(blocks: Iterable[Block]) -> Iterator[list[_JournalEntry]]:
    for lines in lines_with(blocks, (b"qemuMonitor", *_ARRAYS, *libvirt.MARKERS)):
        yield [entry for number, line in lines for entry in _of_json(number, line)]


def _of_json(number: int, line: bytes) -> Iterator[_JournalEntry]:
    try:
        entry = _decoder.decode(line)
        message = bytes(entry.message) if isinstance(entry.message, list) else _encoded(entry.message)
    except (ValueError, RecursionError):  # no JSON, or numbers that are no bytes
        return
    fields = (entry.process, entry.function, entry.priority)
    yield _JournalEntry(number, message, *(_encoded(field) or b"" for field in fields))


def _encoded(field: str | list[str] | None) -> bytes | None:
    """Return a field's value, or the first of its values; None if journalctl omitted it."""
    value = field[0] if isinstance(field, list) and field else field
    return value.encode(errors="surrogatepass") if isinstance(value, str) else None


def _verbose(blocks: Iterable[Block]) -> Iterator[list[_JournalEntry]]:
    """Yield the entries of `-o verbose`: a time in column 0, then an indented line for each field."""
    line, fields = 0, {}
    for first, lines in numbered(blocks):
        entries = []
        for number, text in enumerate(lines, first):
            if text.startswith((b"    MESSAGE=", b"    _PID=")):
                name, _, value = text.strip().partition(b"=")
                fields[name] = value
                line = number if name == b"MESSAGE" else line
            elif fields and text and text[:1] != b" ":
                entries.append(_of_fields(line, fields))
                fields = {}
        yield entries
    yield [_of_fields(line, fields)] if fields else []


def _exported(blocks: Iterable[Block]) -> Iterator[list[_JournalEntry]]:
    """Yield the entries of `-o export`, which end at an empty line; a sized field has a name without `=`."""
    line, fields = 0, {}
    counted: _SizedField | None = None
    for first, lines in numbered(blocks):
        entries = []
        for number, text in enumerate(lines, first):
            if counted:
                if counted.add(text):
                    fields[counted.name] = counted.value()
                    counted = None
            elif text.startswith((b"MESSAGE=", b"_PID=")):
                name, _, value = text.partition(b"=")
                fields[name] = value
                line = number if name == b"MESSAGE" else line
            elif not text:
                entries += [_of_fields(line, fields)] if fields else []
                fields = {}
            elif b"=" not in text:
                counted = _SizedField(text)
                line = number if text == b"MESSAGE" else line
        yield entries
    yield [_of_fields(line, fields)] if fields else []


def _of_fields(line: int, fields: dict[bytes, bytes]) -> _JournalEntry:
    return _JournalEntry(line, fields.get(b"MESSAGE", b""), fields.get(b"_PID", b""))


class _SizedField:
    """A field of an export that is written as its length, 8 bytes in little-endian order, and its bytes."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self._lines: list[bytes] = []
        self._size = -1
        self._length = 0

    def add(self, line: bytes) -> bool:
        """Add one more line; return whether the field ends with it."""
        self._lines.append(line)
        before, self._size = self._size, self._size + 1 + len(line)
        if before < _LENGTH <= self._size:
            self._length = int.from_bytes(b"\n".join(self._lines)[:_LENGTH], "little")
        return self._size >= _LENGTH and (self._length > LONGEST or self._size >= _LENGTH + self._length)

    def value(self) -> bytes:
        """The bytes; b"" if the length is impossible."""
        return b"\n".join(self._lines)[_LENGTH : _LENGTH + self._length] if self._length <= LONGEST else b""


_LENGTH = 8
"""How many bytes a length has."""
