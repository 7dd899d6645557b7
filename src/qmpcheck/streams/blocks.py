"""Bytes to blocks: every block is whole lines, so that blocks can be checked apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

BLOCK = 1 << 19
"""Bytes read at once."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def blocks(file: IO[bytes], size: int = BLOCK) -> Iterator[bytes]:
    """A stream from its start, in blocks that end with a newline; only the last one may not.

    A byte-order mark at the very start is dropped. A line longer than `size` makes a longer block.
    """
    return from_chunks(_chunks(file, size))


def from_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same for a stream that comes in chunks of any length."""
    return _without_mark(_whole_lines(chunks))


def stretches(file: IO[bytes], length: int) -> Iterator[tuple[int, int]]:
    """Where to cut a file into stretches of whole lines, about `length` bytes each: (begin, end) pairs."""
    begin = 0
    while begin < (end := _line_start(file, begin + length)):
        yield begin, end
        begin = end


def stretch(file: IO[bytes], begin: int, end: int, size: int = BLOCK) -> Iterator[bytes]:
    """The blocks of one stretch of a file."""
    file.seek(begin)
    lines = _whole_lines(file.read(min(size, end - at)) for at in range(begin, end, size))
    return lines if begin else _without_mark(lines)


def _line_start(file: IO[bytes], at: int) -> int:
    """Where the first line begins that begins at byte `at` or later; the file's end where none does."""
    at = file.seek(at - 1)
    while chunk := file.read(BLOCK):
        newline = chunk.find(b"\n")
        if newline >= 0:
            return at + newline + 1
        at += len(chunk)
    return file.seek(0, 2)


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    """What can be had at once, so that nothing waits for more or is lost with it."""
    read = getattr(file, "read1", file.read)
    while chunk := read(size):
        yield chunk


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending: list[bytes] = []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((*pending, chunk[:end]))
            pending = []
        pending.append(chunk[end:])
    rest = b"".join(pending)
    if rest:
        yield rest


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for first in blocks:
        yield first.removeprefix(_BYTE_ORDER_MARK)
        break
    yield from blocks
