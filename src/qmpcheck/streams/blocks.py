"""Cut bytes into blocks of lines.

A block is the result of splitting a text at its newlines, so its last entry is the part after the last
newline. That part is empty, except at the end of a file whose last line has no newline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO

BLOCK = 1 << 19
"""How many bytes are read at once."""

LONGEST = 64 << 20
"""The most bytes that a line may have; QEMU itself accepts no longer message."""

_HEAD = 256
"""How many bytes of a longer line are kept, to show where it begins."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LongLine(bytes):
    """A block's entry for a line of more than `LONGEST` bytes, which is read but not kept.

    It consists of the first bytes of the line and an ellipsis, so that it is never empty, blank or JSON.

    Attributes:
        length: how many bytes the line had, without its newline.
    """

    length: int

    def __new__(cls, head: bytes, length: int) -> LongLine:
        """Create the entry for a line that begins with `head` and has `length` bytes."""
        line = super().__new__(cls, head + b"...")
        line.length = length
        return line


Block = list[bytes]

Advance = Callable[[int], object]
"""Takes the number of bytes that were read, after their lines were processed."""


def lines_of(block: Block) -> list[bytes]:
    """Return the lines of a block; the last one may lack its newline."""
    return block if block[-1] else block[:-1]


def blocks(file: IO[bytes], size: int = BLOCK, advance: Advance = int) -> Iterator[Block]:
    """Yield a stream from its start, in blocks of about `size` bytes.

    A byte-order mark at the very start is dropped. A line longer than `size` makes a longer block, and one
    longer than `LONGEST` is a `LongLine`.

    Args:
        file: the stream.
        size: the most bytes that are read at once.
        advance: takes the number of bytes that were read.
    """
    return from_chunks(chunks(file, size, advance))


def from_chunks(chunks: Iterable[bytes]) -> Iterator[Block]:
    """Yield blocks of lines from a stream that comes in chunks of at most `LONGEST` bytes each."""
    return _in_lines(_without_mark(iter(chunks)))


def chunks(file: IO[bytes], size: int, advance: Advance) -> Iterator[bytes]:
    """Yield what is there, without waiting for more: what was read is never lost to an interrupt."""
    read = getattr(file, "read1", file.read)
    while chunk := read(size):
        yield chunk
        advance(len(chunk))


def _in_lines(chunks: Iterable[bytes]) -> Iterator[Block]:
    # Splitting a chunk once is much faster than reading a file line by line.
    begun = _UnfinishedLine()
    for chunk in chunks:
        lines = chunk.split(b"\n")
        begun.add(lines[0])
        if len(lines) > 1:
            lines[0] = begun.end()
            begun.add(lines[-1])
            lines[-1] = b""
            yield lines
    rest = begun.end()
    if rest:
        yield [rest]


class _UnfinishedLine:
    """The line that has begun but not ended. If it is too long, its bytes are only counted."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._head, self._length = b"", 0

    def add(self, part: bytes) -> None:
        # A hostile stream may have a line without end: its bytes must not fill the memory.
        self._head += part[: _HEAD - len(self._head)]
        self._length += len(part)
        if self._length <= LONGEST:
            self._parts.append(part)
        else:
            self._parts.clear()

    def end(self) -> bytes:
        """Return the line, and begin the next one."""
        line = b"".join(self._parts) if self._length <= LONGEST else LongLine(self._head, self._length)
        self._parts.clear()
        self._head, self._length = b"", 0
        return line


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    for chunk in chunks:
        start += chunk
        if start[: len(_BYTE_ORDER_MARK)] != _BYTE_ORDER_MARK[: len(start)]:
            break
        if len(start) >= len(_BYTE_ORDER_MARK):
            start = start.removeprefix(_BYTE_ORDER_MARK)
            break
    # `start` has the chunks that were needed to see whether there is a byte-order mark.
    yield start
    yield from chunks
