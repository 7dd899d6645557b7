"""Write the changes between two specs as text or as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import IO

from qmpcheck.codes import Impact
from qmpcheck.reports import changes as shared
from qmpcheck.reports import terminal
from qmpcheck.reports.changes import ChangeRow, Changes
from qmpcheck.reports.terminal import table

_HEADERS = ("event", "code", "level", "path", "what", "old", "new")

_DOCUMENTS = "Only in the documents, without a change on the wire:"

_WIDEST = 60
"""The width at which cells are wrapped: what changed can be long."""


def write(changes: Changes, out: IO[str]) -> None:
    """Write the counts, a table of what changed, and one of what differs only in the documents."""
    paint = terminal.painter(out)
    rows = shared.rows(changes)
    out.write(shared.summary(changes, rows) + "\n")
    wire, documents = _parted(rows)
    for heading, part in (("", wire), (f"\n{_DOCUMENTS}\n", documents)):
        if part:
            cells = [*_cells(part, lambda row: _painted(row.level, paint))]
            headers: Sequence[str] = _HEADERS
            if terminal.is_narrow(out):  # two columns of places would leave no room for what changed
                cells, headers = [*map(_without_places, cells)], _HEADERS[:-2]
            out.write(f"{heading}\n{table(cells, headers, out, _WIDEST)}\n")
    out.write("".join(f"\n{note}\n" for note in shared.notes(changes)))


def write_markdown(changes: Changes, out: IO[str]) -> None:
    """Write the changes as Markdown, with all markup in them escaped."""
    rows = shared.rows(changes)
    out.write(_escaped(shared.summary(changes, rows)) + "\n")
    wire, documents = _parted(rows)
    for heading, part in (("", wire), (f"\n{_DOCUMENTS}\n", documents)):
        if part:
            cells = [map(_escaped, row) for row in _cells(part, lambda row: str(row.level))]
            lines = [_HEADERS, ("---",) * len(_HEADERS), *cells]
            out.write(f"{heading}\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines))
    out.write("".join(f"\n{_escaped(note)}\n" for note in shared.notes(changes)))


def _without_places(cells: tuple[str, ...]) -> tuple[str, ...]:
    *others, what, old, new = cells
    places = [f"line {each}" if each.isdecimal() else each for each in (old, new) if each]
    return (*others, f"{what} ({' → '.join(places)})" if places else what)


def _parted(rows: Sequence[ChangeRow]) -> tuple[list[ChangeRow], list[ChangeRow]]:
    """Separate what changes on the wire from what differs only in the documents."""
    return [row for row in rows if row.level > Impact.DOC], [row for row in rows if row.level == Impact.DOC]


def _cells(rows: Sequence[ChangeRow], level: Callable[[ChangeRow], str]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row; only the first row of an event names it."""
    for event, group in groupby(rows, key=lambda row: row.event):
        shown = event
        for row in group:
            yield (shown, row.code, level(row), row.path, row.what, row.old, row.new)
            shown = ""


_COLOURS = {Impact.BREAKING: terminal.RED, Impact.RISKY: terminal.YELLOW, Impact.SAFE: terminal.GREEN}


def _painted(level: Impact, paint: terminal.Paint) -> str:
    return paint(_COLOURS[level], str(level)) if level in _COLOURS else str(level)


_MARKUP = re.compile(r"^[-+]|[\\`*_\[\]#|~$]|:(?=//)")


def _escaped(text: str) -> str:
    """Escape a text so that Markdown shows it unchanged: no markup, no HTML, no link."""
    return _MARKUP.sub(r"\\\g<0>", html.escape(text, quote=False))
