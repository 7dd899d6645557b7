"""Find lines of a file, with their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from qmpcheck.streams.blocks import Block, lines_of


def numbered(blocks: Iterable[Block]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of each block, after the number of the first one in the file, from 1."""
    first = 1
    for block in blocks:
        lines = lines_of(block)
        yield first, lines
        first += len(lines)


def lines_with(blocks: Iterable[Block], markers: tuple[bytes, ...]) -> Iterator[list[tuple[int, bytes]]]:
    """Yield for each block the lines that contain a marker, each after its number in the file, from 1.

    A block is searched as a whole, since most lines of a log contain none.
    """
    number = 1
    for block in blocks:
        text = b"\n".join(block)
        found, counted = [], 0
        for start, end in sorted({place for marker in markers for place in _lines_around(marker, text)}):
            number += text.count(b"\n", counted, start)
            counted = start
            found.append((number, text[start:end]))
        number += text.count(b"\n", counted)
        yield found


def _lines_around(marker: bytes, text: bytes) -> Iterator[tuple[int, int]]:
    """Yield the begin and the end of each line that contains the marker."""
    at = 0
    while (at := text.find(marker, at)) >= 0:
        start, at = text.rfind(b"\n", 0, at) + 1, line_end(text, at)
        yield start, at


def line_end(text: bytes, at: int) -> int:
    """Return the position of the next newline, or of the text's end."""
    end = text.find(b"\n", at)
    return len(text) if end < 0 else end


def unescaped(escaped: bytes) -> bytes:
    """Return the content of a JSON string that may lack its end."""
    try:
        return msgspec.json.decode(b'"' + escaped + b'"', type=str).encode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return escaped.replace(b'\\"', b'"')
