"""The chart of reports/drift.py: a row for each event, a column for each release, as an SVG.

It brings its own background, so that it reads the same on a light page and on a dark one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape


class Column(NamedTuple):
    """A release: its name, the year it came, what kind its spec is of, how many events it describes."""

    release: str
    year: int
    source: str
    events: int


class Mark(NamedTuple):
    """Changes of one event in one column: `look` is a key of `LOOKS`, `text` says what changed."""

    column: int
    look: str
    text: str


class Row(NamedTuple):
    """An event: the columns from `first` to before `end` have it, it is deprecated from one on, or never."""

    event: str
    first: int
    end: int
    deprecated: int
    marks: tuple[Mark, ...]


class Look(NamedTuple):
    """What a mark looks like, and what it stands for."""

    color: str
    path: str
    meaning: str


LOOKS = {
    "breaking": Look("#c81e1e", "M0-5.2 5-4.2 0 5.2-5-4.2z", "breaking change"),
    "value": Look("#b45f06", "M0-5 5 0 0 5-5 0z", "value added"),
    "member": Look("#1558a6", "M-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0z", "member added"),
    "other": Look("#4b5563", "M-3.2-3.2h6.4v6.4h-6.4z", "other: rate limit, follow-up"),
}
"""The shapes, drawn around (0, 0); they differ in outline as well as in colour. The gravest comes first."""

CELL, LINE, BAR = 25, 17, 9
LEFT, RIGHT, TOP, BOTTOM = 118, 14, 148, 50
BAND = "#eef2f7"
INK, PALE, FAINT = "#1f2937", "#5b6675", "#b4bfcc"
LIFE, DEPRECATED = "#a9c3e2", "url(#deprecated)"

STYLE = f"""\
text {{ font: 10px Verdana, "DejaVu Sans", Helvetica, Arial, sans-serif; fill: {INK}; }}
.title {{ font-size: 17px; font-weight: bold; }}
.pale {{ fill: {PALE}; }}
.year {{ font-size: 9px; }}
.middle {{ text-anchor: middle; }}
.event {{ text-anchor: end; font-size: 9.5px; }}
"""


def draw(title: str, subtitle: str, columns: list[Column], rows: list[Row]) -> str:
    """The whole chart."""
    width, foot = LEFT + CELL * len(columns) + RIGHT, TOP + LINE * len(rows)
    size = f'width="{width}" height="{foot + BOTTOM}" viewBox="0 0 {width} {foot + BOTTOM}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            '<pattern id="deprecated" width="4" height="4" patternUnits="userSpaceOnUse">',
            '<rect width="4" height="4" fill="#fbf3e2"/>',
            f'<path d="M-1 5 5-1M-1 1 1-1M3 5 5 3" stroke="{PALE}"/>',
            "</pattern>",
            f'<rect width="{width}" height="{foot + BOTTOM}" rx="6" fill="#ffffff" stroke="#cbd5e1"/>',
            text(16, 30, title, "title"),
            text(16, 49, subtitle, "pale"),
            *legend(16, 73),
            *years(columns, foot),
            *sources(columns, foot),
            *axis(columns, TOP - 6, foot + 14),
            *(
                text(x(at) + CELL / 2, foot + 32, str(each.events), "middle pale")
                for at, each in enumerate(columns)
            ),
            text(LEFT - 6, foot + 32, "events", "event pale"),
            *(part for at, row in enumerate(rows) for part in life(row, TOP + LINE * at, len(columns))),
            "</svg>",
            "",
        ]
    )


def x(column: int) -> int:
    return LEFT + CELL * column


def text(at: float, base: float, words: str, kind: str = "") -> str:
    look = f' class="{kind}"' if kind else ""
    return f'<text x="{at:g}" y="{base:g}"{look}>{escape(words)}</text>'


def bar(start: float, end: float, top: float, fill: str) -> str:
    return f'<rect x="{start:g}" y="{top:g}" width="{end - start:g}" height="{BAR}" rx="2" fill="{fill}"/>'


def sign(at: float, middle: float, mark: str, words: str = "") -> str:
    """A mark, with a rim that parts it from the bar; a viewer shows its words under the pointer."""
    look = LOOKS[mark]
    title = f"<title>{escape(words)}</title>" if words else ""
    place = f'transform="translate({at:g} {middle:g})"'
    return (
        f'<path {place} d="{look.path}" fill="{look.color}" stroke="#ffffff" stroke-width=".8">{title}</path>'
    )


def cross(at: float, middle: float, words: str = "") -> str:
    title = f"<title>{escape(words)}</title>" if words else ""
    path = f"M{at - 4:g} {middle - 4:g}l8 8m0-8l-8 8"
    return f'<path d="{path}" stroke="{LOOKS["breaking"].color}" stroke-width="2.4">{title}</path>'


def legend(left: float, middle: float) -> Iterator[str]:
    """What the bars and the marks mean, one after the other."""
    bars = ((LIFE, "in the release"), (DEPRECATED, "deprecated"))
    for fill, meaning in bars:
        yield bar(left, left + 28, middle - BAR / 2, fill)
        yield text(left + 34, middle + 3.5, meaning)
        left += 34 + breadth(meaning)
    for mark, look in LOOKS.items():
        yield sign(left + 5, middle, mark)
        yield text(left + 15, middle + 3.5, look.meaning)
        left += 15 + breadth(look.meaning)
    yield cross(left + 5, middle)
    yield text(left + 15, middle + 3.5, "gone")


def breadth(words: str) -> float:
    """About how much room words take in the legend, with a gap after them."""
    return 5.8 * len(words) + 26


def spans(keys: Iterable[object]) -> Iterator[tuple[str, int, int]]:
    """The runs of equal keys: the key, and the columns from the first to before the end."""
    for key, run in groupby(enumerate(keys), lambda each: each[1]):
        places = [place for place, _ in run]
        yield str(key), places[0], places[-1] + 1


def years(columns: list[Column], foot: int) -> Iterator[str]:
    """Bands that tell the years apart, each with its year."""
    for at, (year, first, end) in enumerate(spans(column.year for column in columns)):
        if at % 2 == 0:
            size = f'width="{CELL * (end - first)}" height="{foot - TOP + 40}"'
            yield f'<rect x="{x(first)}" y="{TOP - 34}" {size} fill="{BAND}"/>'
        yield text((x(first) + x(end)) / 2, TOP - 22, year, "middle pale year")


def sources(columns: list[Column], foot: int) -> Iterator[str]:
    """What kind the specs are of: brackets above the years, and a line where the kind changes."""
    for source, first, end in spans(column.source for column in columns):
        yield f'<path d="M{x(first) + 2} {TOP - 37}v-4H{x(end) - 2}v4" fill="none" stroke="{PALE}"/>'
        yield text((x(first) + x(end)) / 2, TOP - 45, source, "middle pale")
        if first:
            yield f'<path d="M{x(first)} {TOP - 34}V{foot + 6}" stroke="{FAINT}" stroke-dasharray="2 3"/>'


def axis(columns: list[Column], *bases: int) -> Iterator[str]:
    """The releases, above and below."""
    for base in bases:
        for at, column in enumerate(columns):
            yield text(x(at) + CELL / 2, base, column.release, "middle")


def life(row: Row, top: int, columns: int) -> Iterator[str]:
    """One row: the name before the bar, and the marks on it."""
    middle = top + LINE / 2
    yield text(x(row.first) - 3, middle + 3.5, row.event, "event")
    yield bar(x(row.first) + 2, x(min(row.deprecated, row.end)), middle - BAR / 2, LIFE)
    if row.deprecated < row.end:
        yield bar(x(row.deprecated), x(row.end), middle - BAR / 2, DEPRECATED)
    if row.end < columns:
        yield cross(x(row.end) + CELL / 2, middle, "gone")
    for column, run in groupby(row.marks, lambda mark: mark.column):
        marks = list(run)
        for at, mark in enumerate(marks):
            aside = (at - (len(marks) - 1) / 2) * 11
            yield sign(x(column) + CELL / 2 + aside, middle, mark.look, mark.text)
