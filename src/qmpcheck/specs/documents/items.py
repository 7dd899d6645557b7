"""Find the values of a member, if each has a line of its own.

    "ignore": error has been ignored
    - "stop" = error caused the machine to stop

All items of a list have the form of the first one: bullet, quotes, the sign after the value, and without
    quotes also the indentation. What looks like an item but has another form is reported as odd: it may be a
    value of the list, or the next member.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_VALUE = r"""(?:(?P<quote>["']|`{1,2})(?P<quoted>[^"'`\n]*)(?P=quote)|(?P<plain>\w[\w-]*))"""
_SIGN = r"[ \t]*(?P<sign>:|=|(?:-{1,2}|[\u2013\u2014])(?=\s))"
_ITEM = re.compile(rf"(?P<indent>[ \t]*)(?P<bullet>[-*]?)[ \t]*{_VALUE}{_SIGN}(?P<text>.*)\n?")
_LIKE_ITEM = re.compile(r"""[ \t]*(?:[-*+•][ \t]|[-*]?[ \t]*["'`])""")

_ANNOUNCES = re.compile(
    r"""\b(?:one\s+of|(?:possible|allowed|valid)\s+values)\b[^."'`]*(?:(?<=[:)])|(?<=following)|(?<=these)|(?<=values))\s*\Z""",
    re.IGNORECASE,
)


_LINES_BEFORE = 5
"""How many lines the announcement of a list may take."""


class ListedValue(NamedTuple):
    """A value and the text about it. Lines count from 0, the first line of the member."""

    value: str
    text: str
    lines: range


class Split(NamedTuple):
    """A member's text without its list of values: in `rest`, each line of the list is empty."""

    rest: str
    items: tuple[ListedValue, ...]
    odd: tuple[tuple[int, str], ...]


def announced(text: str) -> bool:
    """Whether a text ends with the announcement of a list of values."""
    return _ANNOUNCES.search(text) is not None


def split(lines: Sequence[str]) -> Split:
    """Separate the list of values from a member's text.

    Args:
        lines: those of the text, each with its newline; the first one names the member.
    """
    rest, items, odd = [lines[0]], list[ListedValue](), list[tuple[int, str]]()
    member = len(lines[0].expandtabs()) - len(lines[0].expandtabs().lstrip())
    first: re.Match[str] | None = None
    is_list = False
    for at, line in enumerate(lines[1:], 1):
        found = _ITEM.fullmatch(line)
        # The first item decides which form the list has, and whether it is a list at all.
        if found and first is None:
            is_list = announced("".join(rest[-_LINES_BEFORE:]))
            introduced = found["quote"] or rest[-1].rstrip().endswith(":")
            first = found if is_list or introduced else None
        if found and first and is_list and _form(found, member) == _form(first, member):
            items.append(
                ListedValue(found["quoted"] or found["plain"] or "", found["text"], range(at, at + 1))
            )
        # In a list of quoted values, a line without quotes may also go on with a sentence, unless it is
        # indented like an item.
        elif first and (
            _LIKE_ITEM.match(line) or (found and (not first["quote"] or found["indent"] == first["indent"]))
        ):
            odd.append((at, line.strip()))
        # Below an item, its text goes on; a type note in parentheses is about the member again.
        elif items and not line.lstrip().startswith("("):
            value, text, spans = items[-1]
            items[-1] = ListedValue(value, f"{text}\n{line.rstrip()}", range(spans.start, at + 1))
        else:
            rest.append(line)
            continue
        rest.append("\n")  # an empty line in place of the item, so that lines count as before
    return Split("".join(rest), tuple(items), tuple(odd))


_Form = tuple[str | None, ...]


def _form(item: re.Match[str], member: int) -> _Form:
    """Return what the items of a list have in common; `member` is the indentation of the list's member."""
    indent = len(item["indent"].expandtabs())
    place = str(indent if item["plain"] else indent > member)
    return place, *item.group("bullet", "quote", "sign")
