"""The streams of a recorded file, part by part: what a checker of one stream is fed with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, NamedTuple

from qmpcheck.streams import formats
from qmpcheck.streams.blocks import BLOCK, Block, from_chunks
from qmpcheck.streams.formats.lines import numbered
from qmpcheck.streams.formats.message import Message, Stream


class Part(NamedTuple):
    """Messages of one stream that follow one another in it.

    Attributes:
        stream: the same object for every part of one stream.
        lines: one JSON message each, without a newline in it.
        numbers: for each of `lines`, its line number in the file, from 1.
        cut: the numbers of lines that hold a message of the stream of which the log did not keep all; such
            messages are not in `lines`.
        ended: whether the log shows that this part is the stream's last.
    """

    stream: Stream
    lines: list[bytes]
    numbers: Sequence[int]
    cut: list[int]
    ended: bool


def opened_parts(file: IO[bytes], name: str | None = None) -> tuple[formats.Format, Iterator[Part]]:
    """The format of a file that is read from its beginning, and the parts of its streams.

    Args:
        file: the file, decompressed.
        name: of the format; it is recognised if this is None.

    Raises:
        Unreadable: the format is not known, or cannot be read.
    """
    head = _head(file)
    format = formats.named(name) if name else formats.recognised(head.removeprefix(b"\xef\xbb\xbf"))
    rest = iter(lambda: file.read(BLOCK), b"")
    return format, parts(from_chunks(chain([head], rest)), format)


def parts(blocks: Iterable[Block], format: formats.Format) -> Iterator[Part]:
    """The parts of a file's streams: for each block of lines the messages in it, stream by stream.

    Nothing is kept from one block to the next but messages that are not complete. In plain JSONL every line
    is taken for a message, and not looked at.
    """
    if format is formats.JSONL:
        stream = Stream()
        for first, lines in numbered(blocks):
            yield Part(stream, lines, range(first, first + len(lines)), [], False)
        return
    begun: set[Stream] = set()
    for batch in format.messages(blocks):
        found: dict[Stream, list[Message]] = {}
        for item in batch:
            stream = item.stream
            if isinstance(item, Message):
                found.setdefault(stream, []).append(item)
                begun.add(stream)
            elif stream in begun:
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
        ended,
    )


def _head(file: IO[bytes]) -> bytes:
    """The first bytes of a file, as many as its format is recognised by."""
    pieces: list[bytes] = []
    missing = formats.HEAD
    while missing and (piece := file.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
