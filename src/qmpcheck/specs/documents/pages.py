"""Turn saved web pages of an event document back into its plain text.

A page may number the lines, put them into a table, or show a diff of two documents. Line numbers of the
document are kept if the page has them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

_NUMBERED = re.compile(r"(\d{1,7})(?: (.*))?")  # `12 text`
_TABLE_ROW = re.compile(r"\|[ \t]*\|(.*)\|[ \t]*")  # `|  | text |`
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")

OLD, NEW = "old", "new"


def plain_text(text: str, side: str = NEW) -> str:
    """Return the document in `text`, which may be the plain document itself.

    Args:
        text: the page as saved.
        side: `OLD` or `NEW`, for a page that shows a diff.
    """
    # Web pages indent with U+00A0, and mail has CRLF at the ends of lines.
    lines = _unquoted(text.replace("\r\n", "\n").replace("\u00a0", " ").split("\n"))
    return "\n".join(_at_column_0(_document_lines(lines, side)))


_QUOTED = re.compile(r"[ \t]*>(?: |$)?")


def _unquoted(lines: list[str]) -> list[str]:
    """Return the lines of a mail without the signs of quoting, however often the document is quoted."""
    while _mostly([line for line in lines if line.strip()], _QUOTED.match):
        lines = [_QUOTED.sub("", line, count=1) for line in lines]
    return lines


def _at_column_0(lines: list[str]) -> list[str]:
    """Return the lines, moved to the left if the headings are indented."""
    headings = [
        above[: len(above) - len(above.lstrip())]
        for above, below in itertools.pairwise(lines)
        if _UNDERLINE.fullmatch(below) and above.strip()
    ]
    left = min(headings, key=len, default="")
    return [line.removeprefix(left) for line in lines] if left else lines


_UNDERLINE = re.compile(r"[ \t]*-{2,}[ \t]*")


def _document_lines(lines: list[str], side: str) -> list[str]:
    """Return the lines of the document that a page presents in one of the known ways."""
    if any(_HUNK.match(line) for line in lines):
        return _diff_side(lines, "-" if side == OLD else "+")
    # Some lines of a page are its own header and footer, so a majority decides.
    written = [line for line in lines if line.strip()]
    if _mostly(written, _TABLE_ROW.fullmatch):
        return [row[1].strip() for row in map(_TABLE_ROW.fullmatch, lines) if row]
    if _mostly(written, _NUMBERED.fullmatch):
        return _numbered(lines)
    return _barred(lines) if _mostly(written, _is_bar) else lines


def _mostly(lines: list[str], test: Callable[[str], object]) -> bool:
    return sum(bool(test(line)) for line in lines) * 2 > len(lines) > 0


def _is_bar(line: str) -> bool:
    return line.strip() == "|"


def _numbered(lines: list[str]) -> list[str]:
    """Return the lines of a page with a line number before each; lines that it left out become blank ones."""
    document: list[str] = []
    for row in map(_NUMBERED.fullmatch, lines):
        # A number that jumps far ahead belongs to the page, not to the document.
        if row and len(document) < int(row[1]) <= len(document) + _LONGEST_GAP:
            document += [""] * (int(row[1]) - len(document) - 1)
            document.append(row[2] or "")
    return document


_LONGEST_GAP = 100
"""How many lines in a row a page may leave out."""


_BARS_A_LINE = 2
"""How many lines with nothing but a bar come after each line of the document."""


def _barred(lines: list[str]) -> list[str]:
    """Return the lines of a page with two lines of a bar after each, and a header above."""
    first_bar = next(at for at, line in enumerate(lines) if _is_bar(line))
    document: list[str] = []
    text, bars = "", 0
    for line in lines[max(first_bar - 1, 0) :]:
        if _is_bar(line):
            bars += 1
        elif line.strip():
            text, bars = line, 0
        if bars == _BARS_A_LINE:
            document.append(text)
            text, bars = "", 0
    return [*document, text] if text else document


def _diff_side(lines: list[str], wanted: str) -> list[str]:
    """Return the lines of a diff's hunks that belong to one side, without their marks."""
    start = next(at for at, line in enumerate(lines) if _HUNK.match(line))
    side: list[str] = []
    last_old = ""
    for line in lines[start + 1 :]:
        mark, text = _marked(line, last_old)
        if mark in (wanted, " "):
            side.append(text)
        # An added line has no heading of the old document above it.
        if mark != "+":
            last_old = text
    return side


def _marked(line: str, last_old: str) -> tuple[str, str]:
    """Return a diff line's mark and text, though a page may have lost the blank that marks a shared line.

    A shared underline then looks like a removed one. But it is as long as the old heading above it, and a
    removed one is longer, by its mark.
    """
    if line.startswith("-") and not (set(line) == {"-"} and len(line) == len(last_old)):
        return "-", line[1:]
    if line.startswith("+"):
        return "+", line[1:]
    return " ", line.removeprefix(" ")
