"""Blocks of lines with the number of each block's first line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block, lines_of


def numbered(blocks: Iterable[Block]) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of each block, and the number of the first of them in the file, from 1."""
    first = 1
    for block in blocks:
        lines = lines_of(block)
        yield first, lines
        first += len(lines)
