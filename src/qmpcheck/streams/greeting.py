"""Find the version that the greetings of a stream name."""

from __future__ import annotations

import msgspec

from qmpcheck.version import Version, of_greeting


def version(head: bytes) -> Version | None:
    """Return the version in the first greeting of these lines that has one; None if there is none."""
    found = map(of_line, head.split(b"\n"))
    return next(filter(None, found), None)


def of_line(line: bytes) -> Version | None:
    """Return the version in a line, if it is a greeting; None otherwise."""
    if b'"QMP"' not in line:  # nearly every line: decoding all would take long
        return None
    line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        return of_greeting(msgspec.json.decode(line))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        from qmpcheck.streams import jsontext  # QEMU's greeting needs none

        try:
            return of_greeting(jsontext.parse(line))
        except jsontext.Malformed:
            return None
