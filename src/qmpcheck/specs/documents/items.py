"""The values of a member where each has a line of its own.

    "ignore": error has been ignored
    - "stop" = error caused the machine to stop

A list has one form: the bullet, the quotes and the sign after the value are those of its first item, and
where there are no quotes, the indentation. What looks like an item and has another form is odd: it may be a
value that is lost, or the next member.
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
"""So many lines the words that announce a list may take."""


class ListedValue(NamedTuple):
    """A value and what is said of it. Lines count from 0, the first of the member."""

    value: str
    text: str
    lines: range


class Split(NamedTuple):
    """A member's text without its list of values: `rest` has an empty line in place of each line of that."""

    rest: str
    items: tuple[ListedValue, ...]
    odd: tuple[tuple[int, str], ...]


def announced(text: str) -> bool:
    """Whether a text ends where a list of values is to follow."""
    return _ANNOUNCES.search(text) is not None


def split(lines: Sequence[str]) -> Split:
    """Take the list of values out of a member's text.

    Args:
        lines: of the text, each with its newline; the first names the member.
    """
    rest, items, odd = [lines[0]], list[ListedValue](), list[tuple[int, str]]()
    member = len(lines[0].expandtabs()) - len(lines[0].expandtabs().lstrip())
    first: re.Match[str] | None = None
    is_list = False
    for at, line in enumerate(lines[1:], 1):
        found = _ITEM.fullmatch(line)
        if found and first is None:
            is_list = announced("".join(rest[-_LINES_BEFORE:]))
            introduced = found["quote"] or rest[-1].rstrip().endswith(":")
            first = found if is_list or introduced else None
        if found and first and is_list and _form(found, member) == _form(first, member):
            items.append(
                ListedValue(found["quoted"] or found["plain"] or "", found["text"], range(at, at + 1))
            )
        elif first and (_LIKE_ITEM.match(line) or (found and _is_in_place_of_item(found, first))):
            odd.append((at, line.strip()))
        elif items and not line.lstrip().startswith("("):
            value, text, spans = items[-1]
            items[-1] = ListedValue(value, f"{text}\n{line.rstrip()}", range(spans.start, at + 1))
        else:
            rest.append(line)
            continue
        rest.append("\n")
    return Split("".join(rest), tuple(items), tuple(odd))


_Form = tuple[str | None, ...]


def _form(item: re.Match[str], member: int) -> _Form:
    """What the items of a list have in common; `member` is the indentation of the member that it is of."""
    indent = len(item["indent"].expandtabs())
    place = str(indent if item["plain"] else indent > member)
    return place, *item.group("bullet", "quote", "sign")


def _is_in_place_of_item(found: re.Match[str], first: re.Match[str]) -> bool:
    """Whether a line without quotes is where an item could be, and not a sentence that goes on."""
    return not first["quote"] or found["indent"] == first["indent"]
