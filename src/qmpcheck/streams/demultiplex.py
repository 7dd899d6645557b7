"""Separate the streams of a recorded file, such as the VMs in a log; each goes to a checker of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

import msgspec

from qmpcheck.streams import formats
from qmpcheck.streams.blocks import BLOCK, Advance, Block, chunks, from_chunks, lines_of
from qmpcheck.streams.formats.message import Message, Stream
from qmpcheck.streams.source import Unreadable


class Part(msgspec.Struct, frozen=True):
    """Consecutive messages of one stream.

    Attributes:
        stream: the same object for every part of one stream.
        lines: one JSON message each, without a newline in it.
        numbers: for each of `lines`, its line number in the file, from 1.
        cut: the numbers of the lines with incomplete messages, which are not in `lines`.
        lost: how many of the incomplete messages may have been events.
        is_cut: whether the last of `lines` lacks its newline: the file ends within it.
        ended: whether the log shows that this part is the stream's last.
    """

    stream: Stream
    lines: list[bytes]
    numbers: Sequence[int]
    cut: list[int]
    lost: int
    ended: bool
    is_cut: bool = False


def opened_parts(
    file: IO[bytes], name: str | None = None, advance: Advance = int, path: str = ""
) -> tuple[formats.Format, Iterator[Part]]:
    """Return the format of a file that is read from its beginning, and the parts of its streams.

    Args:
        file: the file, decompressed.
        name: of the format; None to recognise it.
        advance: takes the number of bytes that were read.
        path: of the file; its suffix may say the format.

    Raises:
        Unreadable: the format is unknown, or cannot be read; or, at the end of the parts, there were none,
            and the format says why that may be.
    """
    # A pipe cannot be read twice: what was read to recognise the format is put before the rest.
    head, is_whole = _head(file)
    format = formats.named(name) if name else formats.recognised(head.removeprefix(b"\xef\xbb\xbf"), path)
    rest = iter(()) if is_whole else chunks(file, BLOCK, advance)
    found = parts(from_chunks(chain(_counted(head, advance), rest)), format)
    return format, _some(found, format.if_empty) if format.if_empty else found


def _some(found: Iterator[Part], if_empty: str) -> Iterator[Part]:
    part = None
    for part in found:
        yield part
    if part is None:
        raise Unreadable(if_empty)


def parts(blocks: Iterable[Block], format: formats.Format) -> Iterator[Part]:
    """Yield the parts of a file's streams: for each block of lines its messages, stream by stream.

    Only incomplete messages are kept from one block to the next. In plain JSONL every line counts as a
    message, and nobody looks at it here.
    """
    # The usual case, and the fastest: whole blocks pass through.
    if format is formats.JSONL:
        stream = Stream()
        first = 1
        for block in blocks:
            lines = lines_of(block)
            yield Part(stream, lines, range(first, first + len(lines)), [], 0, False, bool(block[-1]))
            first += len(lines)
        return
    begun: set[Stream] = set()
    for batch in format.messages(blocks):
        found: dict[Stream, list[Message]] = {}
        for item in batch:
            stream = item.stream
            if isinstance(item, Message):
                found.setdefault(stream, []).append(item)
                begun.add(stream)
            elif stream in begun:  # the end of a stream without messages is no news
                yield _part(stream, found.pop(stream, []), ended=True)
                begun.remove(stream)
        for stream, messages in found.items():
            yield _part(stream, messages, ended=False)


def _part(stream: Stream, messages: list[Message], ended: bool) -> Part:
    whole = [message for message in messages if not message.cut]
    return Part(
        stream,
        [message.text for message in whole],
        [message.line for message in whole],
        [message.line for message in messages if message.cut],
        # A reply or a command that is cut hides no event.
        sum(message.cut and not message.text.startswith(_NO_EVENT) for message in messages),
        ended,
    )


_NO_EVENT = (b'{"return"', b'{"id"', b'{"error"', b'{"QMP"', b'{"execute"', b'{"exec-oob"')
"""The beginnings of messages that are no events: QEMU and its clients write these keys first."""


def _counted(head: bytes, advance: Advance) -> Iterator[bytes]:
    yield head
    advance(len(head))  # after its lines were processed, as with every chunk


def _head(file: IO[bytes]) -> tuple[bytes, bool]:
    """Return the first bytes of a file, to recognise its format, and whether that is the whole file."""
    pieces: list[bytes] = []
    missing = formats.HEAD
    read = getattr(file, "read1", file.read)
    while missing and (piece := read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces), missing > 0
