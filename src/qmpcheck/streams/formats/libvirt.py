"""libvirt's own log, in a file or as syslog or the journal pass it on as text.

libvirt logs most of what passes through a monitor more than once. This is what counts: what was received, as
QEMU_MONITOR_RECV_EVENT or QEMU_MONITOR_RECV_REPLY logs it; the greeting, which only `Line […]` has; and what
was sent, as the first of QEMU_MONITOR_SEND_MSG and QEMU_MONITOR_IO_WRITE logs it, since the former may come
after the reply, and the latter may come in pieces.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats.lines import lines_with
from qmpcheck.streams.formats.message import Batch, End, Message, Stream, decoded
from qmpcheck.streams.formats.objects import object_at

# What precedes a record's own text cannot hold what a guest wrote: no quote, no brace, and of libvirt's own
# line only the fixed fields. Otherwise an error message that quotes a guest could pass for a message of QEMU.
_FIELDS = re.compile(
    rb'(?P<before>(?:(?!: )[^ {"]* )*?)(?P<thread>\d+): (?:debug|info|warning|error) : (?:\w+:\d+ : )?'
)
_TAG = re.compile(rb'((?:[^:{"]|:(?! ))*): ')
_DATE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+\d+: $")

_MOST_WAITING = 256
"""How many messages are remembered until their second copy, or their monitor, is logged."""


class LibvirtRecord(NamedTuple):
    """One record of libvirt's log, whatever carried it.

    Attributes:
        line: the number of its first line in the file, from 1.
        source: the daemon that wrote it, if the carrier mixes several: such as b"virtqemud[4242]".
        thread: the number of the thread that wrote it, or b"" if the carrier drops it.
        text: what follows the fields that every record has.
    """

    line: int
    source: bytes
    thread: bytes
    text: bytes


def recognises(head: bytes) -> bool:
    """Whether libvirt wrote this log, or there are records of its monitors in it."""
    return _HEAD.search(head) is not None or any(
        interesting(record(*line).text)
        for lines in lines_with([head.split(b"\n")], MARKERS)
        for line in lines
    )


_HEAD = re.compile(
    rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: \d+: (?:debug|info|warning|error) : ", re.MULTILINE
)


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    monitors = Monitors()
    for lines in lines_with(blocks, MARKERS):
        yield [item for number, line in lines for item in monitors.of_record(record(number, line))]


MARKERS = (b"QEMU_MONITOR_", b" monitor ", b"Line [{", b"libvirt version: ")
"""One of them is in each line with a record that matters."""


def record(number: int, line: bytes) -> LibvirtRecord:
    """Return the record on a line of text."""
    line = line.rstrip(b"\r\n")
    own = with_fields(number, line)
    if own is None and not interesting(line) and (tag := _TAG.match(line)):
        return LibvirtRecord(number, tag[1].rpartition(b" ")[2], b"", line[tag.end() :])
    return own or LibvirtRecord(number, b"", b"", line)


def with_fields(number: int, text: bytes) -> LibvirtRecord | None:
    """Return the record in a text that begins with libvirt's own fields; None if it has none."""
    fields = _FIELDS.match(text)
    if fields is None:
        return None
    before = fields["before"]
    source = b"" if not before or _DATE.search(before) else before.rstrip(b": ").rpartition(b" ")[2]
    return LibvirtRecord(number, source, fields["thread"], text[fields.end() :])


_RECORD = re.compile(
    rb"QEMU_MONITOR_(?P<kind>RECV_EVENT|RECV_REPLY|SEND_MSG|IO_WRITE): mon=(?P<mon>\w+) "
    rb"(?:event|reply|msg|buf)="
    rb"|QEMU_MONITOR_(?P<change>NEW|CLOSE): mon=(?P<changed>\w+)"
    rb"|(?:Entering|Exited) monitor \(mon=(?P<entered>\w+) vm=\w+ name=(?P<name>.*)\)$"
    rb"|Error on monitor .*? mon=(?P<broken>\w+) vm=\w+ name=(?P<name_of_broken>.*)$"
    rb'|Line \[(?P<greeting>\{"QMP".*)\]$'
    rb"|(?P<begin>libvirt version: )"
)


def interesting(text: bytes) -> bool:
    """Whether a record is about what passes through a monitor."""
    return _RECORD.match(text) is not None


class _LibvirtConnection:
    """What is known of one connection of libvirt to a QEMU."""

    def __init__(self, address: bytes) -> None:
        self.stream = Stream(decoded(address))
        self.answered = False
        self.had_event = False
        self.sent: OrderedDict[bytes, bytes] = OrderedDict()
        """Commands with one copy logged so far, and the kind of record that held it."""


class Monitors:
    """The connections that a log shows, record by record.

    libvirt may use an address again for another connection. A new one begins when the log shows that a
    monitor was created or closed, that the daemon was started, or, if the log's filters omit these, the
    answer to libvirt's first command.
    """

    def __init__(self) -> None:
        self._monitors: dict[tuple[bytes, bytes], _LibvirtConnection] = {}
        self._greetings: list[tuple[LibvirtRecord, bytes]] = []
        """Greetings that no monitor was seen for yet: `Line […]` does not say which one it is."""
        self._unknown = Stream()

    def of_record(self, record: LibvirtRecord) -> list[Message | End]:
        """Return what a record adds: messages, and ends of streams."""
        match = _RECORD.match(record.text)
        if match is None:
            return []
        if match["kind"]:
            return self._message(record, match)
        if match["greeting"]:
            self._greetings = [*self._greetings[-_MOST_WAITING:], (record, match["greeting"])]
        elif match["change"]:
            ended = self._close((record.source, match["changed"]))
            if match["change"] == b"NEW":
                self._monitor((record.source, match["changed"]))
            return ended
        elif match["begin"]:
            # The daemon was started again: none of its connections is left.
            of_source = [key for key in self._monitors if key[0] == record.source]
            return [end for key in of_source for end in self._close(key)]
        else:
            self._name(record, match)
        return []

    def cut(self, line: int, sent: bool) -> Message:
        """Return the placeholder for a message that the carrier lost, together with its monitor."""
        return Message(line, b"", sent, self._unknown, cut=True)

    def _name(self, record: LibvirtRecord, match: re.Match[bytes]) -> None:
        address, name = match["entered"] or match["broken"], match["name"] or match["name_of_broken"]
        stream = self._monitor((record.source, address)).stream
        stream.name, stream.probe = decoded(name or b""), False

    def _message(self, record: LibvirtRecord, match: re.Match[bytes]) -> list[Message | End]:
        kind, key = match["kind"], (record.source, match["mon"])
        text, whole = object_at(record.text, match.end())
        items: list[Message | End] = []
        # The greeting is logged without its monitor, but by the thread that then sends the first command.
        if _is_of_first_command(kind, text):
            if self._monitor(key).answered:
                items += self._close(key)
            items += self._greeting(record, self._monitor(key))
        monitor = self._monitor(key)
        sent = kind in _SENT
        monitor.answered = monitor.answered or kind == b"RECV_REPLY"
        monitor.had_event = monitor.had_event or kind == b"RECV_EVENT"
        monitor.stream.probe = not monitor.had_event and (monitor.stream.probe or _is_of_probe(monitor, text))
        if not sent or _is_first_copy(monitor, kind, text, whole):
            items.append(Message(record.line, text, sent, monitor.stream, cut=not whole))
        return items

    def _monitor(self, key: tuple[bytes, bytes]) -> _LibvirtConnection:
        if key not in self._monitors:
            self._monitors[key] = _LibvirtConnection(key[1])
        return self._monitors[key]

    def _close(self, key: tuple[bytes, bytes]) -> list[Message | End]:
        monitor = self._monitors.pop(key, None)
        return [End(monitor.stream)] if monitor else []

    def _greeting(self, record: LibvirtRecord, monitor: _LibvirtConnection) -> list[Message | End]:
        """Return the greeting that was logged by the same thread as this first command of a monitor."""
        for index, (greeting, text) in enumerate(self._greetings):
            if (greeting.source, greeting.thread) == (record.source, record.thread):
                del self._greetings[index]
                return [Message(greeting.line, text, False, monitor.stream)]
        return []


_SENT = (b"SEND_MSG", b"IO_WRITE")


def _is_of_first_command(kind: bytes, text: bytes) -> bool:
    """Whether the monitor's own thread logs libvirt's first command here, or the answer to it."""
    if kind == b"IO_WRITE":
        return b'"qmp_capabilities"' in text
    return kind == b"RECV_REPLY" and b'"id": "libvirt-1"' in text


def _is_first_copy(monitor: _LibvirtConnection, kind: bytes, text: bytes, whole: bool) -> bool:
    """Whether this is the first of the two records that log a command."""
    if not whole:
        return kind == b"SEND_MSG"
    # It comes after the greeting, and only the thread of this copy says whose that is.
    if b'"qmp_capabilities"' in text:
        return kind == b"IO_WRITE"
    if monitor.sent.get(text, kind) != kind:
        del monitor.sent[text]
        return False
    monitor.sent[text] = kind
    if len(monitor.sent) > _MOST_WAITING:
        monitor.sent.popitem(last=False)
    return True


def _is_of_probe(monitor: _LibvirtConnection, text: bytes) -> bool:
    """Whether libvirt sends this command only to a QEMU that it probes for its capabilities."""
    return not monitor.stream.name and (
        b'"query-cpu-definitions"' in text or b'"unavailable-features":' in text
    )
