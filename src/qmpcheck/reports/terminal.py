"""Tables and colours for a terminal. Tables are no wider than it is, where words allow that."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import IO

_GAP = 2
"""Characters between two columns; tabulate makes a column wider than its header by as many."""


def table(
    rows: Iterable[Sequence[object]],
    headers: Sequence[str],
    out: IO[str],
    widest: int | None = None,
    align: Sequence[str] | None = None,
) -> str:
    """Return a table, without a newline at its end.

    Args:
        rows: the cells of each row; None for an empty one.
        headers: the names of the columns.
        out: where the table goes; if it is no terminal, nothing is wrapped but what `widest` bounds.
        widest: characters that a cell may have, whatever the terminal.
        align: "left" or "right" for each column; left if it is not given.
    """
    from tabulate import tabulate

    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    columns = [*zip(*cells, strict=True)] if cells else [() for _ in headers]
    widths = [max(map(_width, column), default=0) for column in columns]
    # Only spaces are broken at: names and paths stay whole, to be found and copied.
    words = [max((_width(word) for cell in column for word in cell.split()), default=0) for column in columns]
    words = [width if width <= _SHORT else word for word, width in zip(words, widths, strict=True)]
    least = [max(word, len(head) + _GAP) for word, head in zip(words, headers, strict=True)]
    room = _terminal_width() if out.isatty() else None
    limits = _limits([min(each, widest or each) for each in widths], least, room)
    return tabulate(
        [[*map(_wrapped, row, limits)] for row in cells],
        headers=headers,
        disable_numparse=True,
        colalign=align if cells else None,
    )


_SHORT = 12
"""A column that is no wider is not wrapped: `2 of 7` over three lines saves no room."""


def _wrapped(cell: str, limit: int) -> str:
    """Break a cell at spaces only, not at hyphens as tabulate would: `guest-reset` is one word."""
    if _width(cell) <= limit:
        return cell
    import textwrap

    return textwrap.fill(cell, limit, break_long_words=False, break_on_hyphens=False)


def is_narrow(out: IO[str]) -> bool:
    """Whether `out` is a terminal too narrow for a wide text and a column of places beside it."""
    return out.isatty() and _terminal_width() < _NARROW


_NARROW = 110


def _terminal_width() -> int:
    import shutil  # imports what unpacks archives

    return shutil.get_terminal_size().columns


def _width(text: str) -> int:
    return len(re.sub(r"\x1b\[\d*m", "", text))


def _limits(widths: Sequence[int], least: Sequence[int], room: int | None) -> list[int]:
    """Return how wide each column may be.

    Args:
        widths: how wide the columns are.
        least: how narrow they can be.
        room: the characters that all may take; None for any number.
    """
    limits = [*widths]

    def total() -> int:
        return sum(map(max, limits, least)) + _GAP * (len(limits) - 1)

    # Take a character at a time from the widest column: tables are small.
    while room is not None and total() > room:
        over = [at for at, limit in enumerate(limits) if limit > least[at]]
        if not over:
            break
        limits[max(over, key=limits.__getitem__)] -= 1
    return limits


RED, GREEN, YELLOW = "31", "32", "33"

Paint = Callable[[str, str], str]
"""Takes a colour and a text; returns the text in that colour, or unchanged."""


def painter(out: IO[str]) -> Paint:
    """Return the function that colours text for `out`.

    NO_COLOR and FORCE_COLOR decide, as no-color.org and force-color.org define them; without them, only a
    terminal with colours gets some.
    """
    can = out.isatty() and os.environ.get("TERM") != "dumb"
    if os.environ.get("NO_COLOR") or not (can or os.environ.get("FORCE_COLOR")):
        return lambda _, text: text
    return lambda colour, text: f"\x1b[{colour}m{text}\x1b[0m"
