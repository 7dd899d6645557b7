"""The formats that QMP is recorded in: one module, and one row of `FORMATS`, for each.

A format's module has two functions. `recognises(head)` says whether the first bytes of a file are in this
format. `messages(blocks)` takes a file's blocks of lines and yields one batch of messages for each block, and
perhaps one more at the end, so that the messages of a growing file come as soon as they are written. JSONL
needs no `messages`: its lines are messages.
"""

from __future__ import annotations

import enum
import functools
import importlib
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from qmpcheck.streams.source import Unreadable
from qmpcheck.text import quoted
from qmpcheck.wording import alternatives

if TYPE_CHECKING:
    import argparse

    from qmpcheck.streams.blocks import Block
    from qmpcheck.streams.formats.message import Batch

HEAD = 1 << 18
"""How many bytes at the beginning of a file, decompressed, are read to recognise its format."""


class Loss(enum.IntFlag):
    """What a format does not keep, in all of its files or in some."""

    NOTHING = 0
    TIMESTAMPS = enum.auto()
    """QEMU's own timestamps of the events."""
    GREETING = enum.auto()
    """The greeting, and with it the version of QEMU."""
    COMMANDS = enum.auto()
    """What the client sent, or a part of it."""
    REPLIES = enum.auto()
    """What QEMU answered, or a part of it."""
    ORDER = enum.auto()
    """Whether an event came before or after a reply."""
    EVENTS = enum.auto()
    """Some of the events."""


_WORDS = {
    Loss.TIMESTAMPS: "QEMU's timestamps",
    Loss.GREETING: "the greeting",
    Loss.COMMANDS: "commands",
    Loss.REPLIES: "replies",
    Loss.ORDER: "the order of events and replies",
    Loss.EVENTS: "some events",
}


@functools.cache
def _in_words(lost: Loss) -> str:
    if Loss.REPLIES in lost:
        lost &= ~Loss.ORDER  # of events and replies: that goes without saying
    words = [words for loss, words in _WORDS.items() if loss in lost]
    return alternatives(words, "and") if words else ""


class Format(msgspec.Struct, frozen=True):
    """A format that can be read."""

    name: str
    summary: str
    loses: Loss = Loss.NOTHING
    is_lenient: bool = False
    """Whether lines without a message are skipped, even if they may be damaged messages."""
    if_empty: str = ""
    """Why a file in this format has no message, in words; "" if nothing is known about that."""

    @property
    def may_lack(self) -> str:
        """What a file in this format may lack, in words; "" if nothing."""
        return _in_words(self.loses)

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with `head` is in this format."""
        return bool(_module(self.name).recognises(head))

    def messages(self, blocks: Iterable[Block]) -> Iterator[Batch]:
        """Yield the messages in a file's blocks of lines, in batches."""
        batches: Iterator[Batch] = _module(self.name).messages(blocks)
        return batches


JSONL = Format("jsonl", "one JSON message per line")

_LIBVIRT_IS_QUIET = (
    "no QMP message in it; libvirt logs them only with the right filters: "
    'virt-admin -c virtqemud:///system daemon-log-filters "1:qemu 3:*"'
)

FORMATS = (
    JSONL,
    Format(
        "kubevirt",
        "virt-launcher's log of KubeVirt",
        Loss.GREETING,
        if_empty="no QMP message in it; to have virt-launcher log them, annotate the VirtualMachineInstance "
        'with kubevirt.io/libvirt-log-filters: "1:qemu 3:*"',
    ),
    Format(
        "journald",
        "libvirt's log from journalctl -o json, export or verbose",
        Loss.GREETING | Loss.COMMANDS,
        if_empty=_LIBVIRT_IS_QUIET,
    ),
    Format(
        "libvirt",
        "the log of libvirtd or virtqemud: a file, syslog, or journalctl",
        Loss.GREETING,
        if_empty=_LIBVIRT_IS_QUIET,
    ),
    Format(
        "trace",
        "QEMU's trace of monitor_qmp_respond and handle_qmp_command",
        if_empty="no QMP message in it; QEMU traces them with -trace monitor_qmp_respond -trace "
        "handle_qmp_command, and libvirt has them in the log of libvirtd or virtqemud",
    ),
    Format(
        "virsh",
        "virsh qemu-monitor-event",
        Loss.TIMESTAMPS | Loss.GREETING | Loss.COMMANDS | Loss.REPLIES | Loss.ORDER,
    ),
    Format("incus", "qemu.qmp.log of Incus", Loss.GREETING | Loss.REPLIES | Loss.ORDER | Loss.EVENTS),
    Format("avocado", "the QMP monitor's log of avocado-vt"),
    Format("python", "the DEBUG log of the Python library qemu.qmp"),
    Format("logfmt", "the log of Kata Containers 1.x"),
    Format("qmp-proxy", "virt-qemu-qmp-proxy, which sends data as a string"),
    Format(
        "iotests",
        "expected output of QEMU's iotests",
        Loss.TIMESTAMPS | Loss.GREETING | Loss.ORDER | Loss.EVENTS,
    ),
    Format("qmp-shell", "a session of qmp-shell", Loss.GREETING | Loss.COMMANDS | Loss.ORDER, True),
    Format("socat", "socat -v between a client and QEMU"),
    Format("prefixed", "one JSON message per line, after any text", is_lenient=True),
    Format("json", "JSON messages in any layout, with any text between them", is_lenient=True),
    Format("json-log", "one JSON object per line, with a message in one of its strings", is_lenient=True),
)
"""All formats, in the order in which they are tried: the more special ones come first."""


def names() -> list[str]:
    """Return the names of the formats that can be read, as `--input` takes them."""
    return [each.name for each in FORMATS]


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add `--input FORMAT`, which names the format of a command's input files."""
    parser.add_argument(
        "--input",
        choices=names(),
        metavar="FORMAT",
        help=f"the format of the files, if it is not detected correctly: {', '.join(names())}",
    )


def named(name: str) -> Format:
    """Return the format with a name, one of `names()`."""
    return next(each for each in FORMATS if each.name == name)


def recognised(head: bytes, path: str = "") -> Format:
    """Return the format of a file that begins with `head`, its first `HEAD` bytes.

    Args:
        head: of the file's content.
        path: of the file. If it ends in `.jsonl`, the file is no session of a terminal and no text with
            messages in it, so a line without a message is an error, unless no line has one.

    Raises:
        Unreadable: the file is in no known format, or in one that cannot be read; the text says what to do.
    """
    if b"\0" in head[:_TAR_HEADER]:
        from qmpcheck.streams.formats.unreadable import ARCHIVE  # most files are text

        if ARCHIVE.pattern.match(head):  # in a tar of recordings, most lines are messages
            raise Unreadable(ARCHIVE.instead)
    is_named_jsonl = re.search(r"\.(jsonl|ndjson)(\.[a-z0-9]+)?$", path.lower()) is not None
    # The last ones find messages in any text, so that they come after the formats that cannot be read.
    for format in FORMATS[:-_IN_ANY_TEXT]:
        if format.recognises(head) and not (is_named_jsonl and format.is_lenient):
            return format
    from qmpcheck.streams.formats.trace import PRINTED
    from qmpcheck.streams.formats.unreadable import REPR, instead_of

    if PRINTED.search(head):
        return named("trace")
    if instead := instead_of(head):
        raise Unreadable(instead)
    if is_named_jsonl and (b"{" in head or not head.strip()) and b"\0" not in head:
        return JSONL
    for format in FORMATS[-_IN_ANY_TEXT:]:
        if format.recognises(head):
            return format
    raise Unreadable(REPR.instead if REPR.pattern.search(head) else _unknown(head))


_IN_ANY_TEXT = 3
"""How many of the last formats find messages in any text."""

_TAR_HEADER = 512
"""Bytes of the header of the first file in a tar."""


def _unknown(head: bytes) -> str:
    if b"\0" in head:
        return "a binary file; expected a recording or a log, which are text (or gzip or Zstandard of it)"
    lines = enumerate(head.split(b"\n"), 1)
    number, line = next((number, line) for number, line in lines if line.strip())
    looks = quoted(line.strip().decode(errors="backslashreplace"))
    return (
        f"no known format, and no QMP message in the first {HEAD >> 10} KiB; line {number} is {looks}; "
        f"if you know the format, name it with --input; --help lists the formats"
    )


@functools.cache
def _module(name: str):  # type: ignore[no-untyped-def]
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
