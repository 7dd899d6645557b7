"""Formats that show QMP's events but lose too much to be checked, and what to do instead."""

from __future__ import annotations

import re
from typing import NamedTuple


class UnreadableFormat(NamedTuple):
    """A format that is recognised but not read.

    Attributes:
        name: of the format.
        pattern: matches in the head of a file in this format.
        instead: why it cannot be read, and what to do instead.
    """

    name: str
    pattern: re.Pattern[bytes]
    instead: str


ARCHIVE = UnreadableFormat(
    "archive",
    # tar, xz, bzip2, zip and 7z; the others are binary files like any other
    re.compile(rb"\A(?:(?s:.{257})ustar|\xfd7zXZ\0|BZh[1-9]1AY|PK\x03\x04|7z\xbc\xaf)"),
    "this is an archive, or compressed by something other than gzip or Zstandard; unpack it first",
)
"""Not text, but there may be whole recordings in it."""

REPR = UnreadableFormat(
    "repr",
    re.compile(rb"\{'(?:QMP|event|timestamp|return|execute)': "),
    "the messages are written as Python prints dictionaries, not as JSON; write them with json.dumps()",
)
"""A session in a terminal may show both; then the JSON is read."""

UNREADABLE = (
    ARCHIVE,
    UnreadableFormat(
        "UTF-16",
        re.compile(rb"\A(?:\xff\xfe|\xfe\xff|(?:[\t\n\r -~]\x00){4}|(?:\x00[\t\n\r -~]){4})"),
        "this is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8",
    ),
    UnreadableFormat(
        "UTM",
        re.compile(rb"^(?:.{0,200}\] )?Debug JSON (?:recieved <-|received <-|send ->) ", re.MULTILINE),
        "UTM's debug log prints messages as property lists, in which true is 1 and null is missing; "
        "give the QEMU a second monitor (-qmp unix:PATH,server=on,wait=off) and use qmpcheck record",
    ),
    UnreadableFormat(
        "kata",
        re.compile(
            rb'msg="got QMP event" .{0,500}?event=|msg="Executing QMP command: '
            rb"|\bgot QMP event\b.{0,500}?\bmap\[|The QMP received \w+ event"
        ),
        "Kata Containers 2 and 3 log events as Go prints them, without types; trace QEMU itself instead "
        "(-trace monitor_qmp_respond -D FILE), or use qmpcheck record on a second monitor",
    ),
    UnreadableFormat(
        "proxmox",
        re.compile(rb"^(?:.*: )?\d+: got QMP event: \w+\s*$", re.MULTILINE),
        "Proxmox's qmeventd logs only the names of events; use qmpcheck record on the VM's socket instead",
    ),
    UnreadableFormat(
        "xapi",
        re.compile(rb"Got QMP event, domain-\d+: \w+"),
        "xenopsd logs only the names of events; use qmpcheck record on the VM's socket instead",
    ),
)
"""All such formats, in the order in which they are tried; `REPR` comes after the formats that can be read."""


def instead_of(head: bytes) -> str | None:
    """Return what to do with a file that begins with `head`; None if it has none of these formats."""
    return next((each.instead for each in UNREADABLE if each.pattern.search(head)), None)
