r"""The log of Kata Containers 1.x: fields in logfmt, with a message in `msg`, quoted by Go."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.lines import lines_with
from qmpcheck.streams.formats.message import Batch, Stream, StreamsByKey
from qmpcheck.streams.formats.objects import FoundObject, object_at
from qmpcheck.streams.messages import MESSAGE_KEY

_MARKER = b'msg="{'
_KEY = MESSAGE_KEY.replace(b'"', rb'\\"')
_START = re.compile(rb'(?:^|\s)msg="\{\s*' + _KEY)
_SUBSYSTEM = re.compile(rb"\bsubsystem=qmp\b")
_MSG = re.compile(rb'(?:^|\s)msg="(?=\{\s*' + _KEY + rb')(?P<text>[^"\\]*(?:\\.[^"\\]*)*)(?P<end>"?)')
_SANDBOX = re.compile(rb'\ssandbox="?([^\s"]+)')


def recognises(head: bytes) -> bool:
    """Whether a line of the subsystem qmp has a message."""
    return any(
        (start := _START.search(line)) and _SUBSYSTEM.search(line, start.end())
        for lines in lines_with([head.split(b"\n")], (_MARKER,))
        for _, line in lines
    )


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block; each sandbox has a stream."""
    streams = StreamsByKey()

    def stream(found: FoundObject) -> Stream:
        line = found.before.string
        # A guest may write a field into the message, so look only before and after it.
        outside = line[: found.before.start()] + line[found.before.end() :]
        sandbox = _SANDBOX.search(outside)
        return streams[sandbox[1] if sandbox else b""]

    for lines in lines_with(blocks, (_MARKER,)):
        yield [message for number, line in lines for message in json.of_objects(_found(number, line), stream)]


def _found(number: int, line: bytes) -> Iterator[FoundObject]:
    match = _MSG.search(line)
    if match and (not match["end"] or b"subsystem=qmp" in line[match.end() :] + line[: match.start()]):
        text, whole = object_at(_unquoted(match["text"]), 0)
        yield FoundObject(number, match, text, whole)


_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_SHORT = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def _unquoted(text: bytes) -> bytes:
    """Return the bytes that Go quoted with %q."""
    return _ESCAPE.sub(_of_escape, text)


def _of_escape(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes([int(escape[1], 16)])
    if number := escape[2] or escape[3]:
        code = int(number, 16)
        return chr(code).encode(errors="replace") if code <= sys.maxunicode else b"?"
    return bytes([_SHORT.get(escape[4][0], escape[4][0])])
