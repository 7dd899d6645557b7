"""Bytes to blocks of lines, so that blocks can be checked apart.

A block is what splitting whole lines at the newlines gives: its last entry is what stands behind the last
newline, and is empty but at the end of a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO

BLOCK = 1 << 19
"""Bytes read at once."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Block = list[bytes]

Advance = Callable[[int], object]
"""Is told how many bytes more were read, once their lines are dealt with."""


def lines_of(block: Block) -> list[bytes]:
    """The lines of a block, the last of which may lack its newline."""
    return block if block[-1] else block[:-1]


def blocks(file: IO[bytes], size: int = BLOCK, advance: Advance = int) -> Iterator[Block]:
    """A stream from its start, in blocks of about `size` bytes.

    A byte-order mark at the very start is dropped. A line longer than `size` makes a longer block.

    Args:
        file: holds the stream.
        size: how many bytes are read at once, at most.
        advance: is told of progress.
    """
    return from_chunks(_chunks(file, size, advance))


def from_chunks(chunks: Iterable[bytes]) -> Iterator[Block]:
    """The same for a stream that comes in chunks of any length."""
    return _without_mark(_in_lines(chunks))


def stretches(file: IO[bytes], length: int) -> Iterator[tuple[int, int]]:
    """Where to cut a file into stretches of whole lines, about `length` bytes each: (begin, end) pairs."""
    begin = 0
    while begin < (end := _line_start(file, begin + length)):
        yield begin, end
        begin = end


def stretch(file: IO[bytes], begin: int, end: int, size: int = BLOCK) -> Iterator[Block]:
    """The blocks of one stretch of a file."""
    file.seek(begin)
    found = _in_lines(file.read(min(size, end - at)) for at in range(begin, end, size))
    return found if begin else _without_mark(found)


def _line_start(file: IO[bytes], at: int) -> int:
    """Where the first line begins that begins at byte `at` or later; the file's end where none does."""
    at = file.seek(at - 1)
    while chunk := file.read(BLOCK):
        newline = chunk.find(b"\n")
        if newline >= 0:
            return at + newline + 1
        at += len(chunk)
    return file.seek(0, 2)


def _chunks(file: IO[bytes], size: int, advance: Advance) -> Iterator[bytes]:
    """What can be had at once, so that nothing waits for more or is lost with it."""
    read = getattr(file, "read1", file.read)
    while chunk := read(size):
        yield chunk
        advance(len(chunk))


def _in_lines(chunks: Iterable[bytes]) -> Iterator[Block]:
    begun: list[bytes] = []
    for chunk in chunks:
        lines = chunk.split(b"\n")
        begun.append(lines[0])
        if len(lines) > 1:
            lines[0] = b"".join(begun)
            begun = [lines[-1]]
            lines[-1] = b""
            yield lines
    rest = b"".join(begun)
    if rest:
        yield [rest]


def _without_mark(blocks: Iterator[Block]) -> Iterator[Block]:
    for first in blocks:
        first[0] = first[0].removeprefix(_BYTE_ORDER_MARK)
        yield first
        break
    yield from blocks
