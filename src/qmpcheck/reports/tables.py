"""Tables of plain text. On a terminal they are no wider than it is: long cells are wrapped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from typing import IO

NARROWEST = 12
"""Characters; a column that has more may be wrapped, but not to fewer."""

_BETWEEN = 2
_COLOUR = re.compile(r"\x1b\[\d*m")


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
    widths = [
        max(len(_COLOUR.sub("", part)) for cell in column for part in cell.split("\n"))
        for column in zip(headers, *cells, strict=True)
    ]
    room = shutil.get_terminal_size().columns if out.isatty() else None
    limits = _limits([min(each, widest or each) for each in widths], room)
    return tabulate(
        cells,
        headers=headers,
        disable_numparse=True,
        colalign=align if cells else None,
        maxcolwidths=[limit if limit < width else None for limit, width in zip(limits, widths, strict=True)],
    )


def _limits(widths: list[int], room: int | None) -> list[int]:
    """Return the widths, the widest ones narrowed until all fit into the room, if that can be."""
    limits = [*widths]
    while room is not None and sum(limits) + _BETWEEN * (len(limits) - 1) > room:
        most = max(limits)
        if most <= NARROWEST:
            break
        limits[limits.index(most)] -= 1
    return limits
