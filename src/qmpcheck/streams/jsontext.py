"""Parse JSON, and say in which column it is wrong.

The standard library parses, with three differences: NaN and Infinity are errors, integers of thousands of
digits are allowed, and the limit of nesting is the same in every version of Python.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from qmpcheck.streams.messages import DEEPEST

KEPT = 64
"""How many levels of nesting are kept, so that functions that walk through a value need no limit."""


class Malformed(ValueError):
    """The text is not JSON; `column` counts characters from 1, and `reason` says what is wrong there."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(f"{reason} at column {column}")
        self.column = column
        self.reason = reason


def parse(line: bytes) -> Any:
    """Return the value of one line.

    Integers of thousands of digits become `Decimal`. If an object has a key twice, the last value counts.
    Lists and objects below `KEPT` levels become empty.

    Raises:
        Malformed: the line is not UTF-8 or not JSON, or is nested deeper than `DEEPEST`.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        raise Malformed(column, f"byte 0x{line[error.start]:02x} is not UTF-8") from None
    try:
        value = _decoded(text)
    except json.JSONDecodeError as error:
        raise _malformed(text, error) from None
    except _NoJSON:
        raise Malformed(_column_of_constant(text), "expected a value") from None
    except RecursionError:
        raise _too_deep(text) from None
    # A cheap bound first: most messages have too few brackets to be nested deeply.
    if text.count("[") + text.count("{") > KEPT and _is_too_deep(value):
        raise _too_deep(text)
    return value


class _NoJSON(Exception):
    """NaN or Infinity, which Python's parser accepts as numbers."""


def _refuse(constant: str) -> None:
    raise _NoJSON(constant)


_MANY_DIGITS = 4000
"""Fewer than the 4300 digits beyond which int() refuses a text, in newer versions of Python."""


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _MANY_DIGITS else Decimal(digits)


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer)


def _decoded(text: str) -> Any:
    """Return the value of a text. Up to Python 3.11, the parser's recursion counts towards Python's limit."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + DEEPEST)
    try:
        return _decoder.decode(text)
    finally:
        sys.setrecursionlimit(limit)


def _is_too_deep(value: Any) -> bool:
    """Whether a value has more than `DEEPEST` levels. If not, empty the containers below `KEPT` levels."""
    level, emptied = [value], []
    for depth in range(DEEPEST + 1):
        level = [each for each in level if isinstance(each, dict | list)]
        if depth == KEPT:
            emptied = level
        if not level:
            break
        level = [each for container in level for each in _values(container)]
    else:
        return True
    # Only after all levels were counted: a container that is emptied earlier would hide deeper ones.
    for container in emptied:
        container.clear()
    return False


def _values(container: dict[str, Any] | list[Any]) -> Any:
    return container.values() if isinstance(container, dict) else container


_REASONS = {
    "Extra data": "expected nothing more",
    "Expecting value": "expected a value",
    "Expecting property name": "expected a key in double quotes",
    "Expecting ':'": "expected ':'",
    "Expecting ','": "expected ',' or a closing bracket",
    "Illegal trailing comma before end of object": "expected a key in double quotes",
    "Illegal trailing comma before end of array": "expected a value",
    "Unterminated string": "a string without an end",
    "Invalid control character": "a raw control character in a string",
    "Invalid \\": "a bad escape in a string",
}
"""The beginnings of the messages of Python's parser, and what to say instead."""

_BLANK = re.compile(r"[ \t\r\n]*")


def _malformed(text: str, error: json.JSONDecodeError) -> Malformed:
    reason = next((said for begin, said in _REASONS.items() if error.msg.startswith(begin)), error.msg)
    at = error.pos
    if error.msg.startswith("Illegal trailing comma"):  # Python 3.13 and later: the place of the comma
        match = _BLANK.match(text, at + 1)
        at = match.end() if match else at
    return Malformed(at + 1, reason if at < len(text) else f"the text ends: {reason}")


_BRACKETS = re.compile(r'["\[\]{}]')
_CONSTANTS = re.compile(r'"|NaN|-?Infinity')


def _column_of_constant(text: str) -> int:
    return next(_outside_strings(_CONSTANTS, text)).start() + 1


def _too_deep(text: str) -> Malformed:
    """Return the error for a text that is nested too deeply; its column is the first bracket too many."""
    depth = 0
    for match in _outside_strings(_BRACKETS, text):
        depth += 1 if match[0] in "[{" else -1
        if depth > DEEPEST:
            return Malformed(match.start() + 1, f"nested deeper than {DEEPEST} levels")
    return Malformed(1, "nested too deeply for this Python")


def _outside_strings(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield the matches outside of strings, for a pattern that also matches a quote.

    The strings of the text must be valid up to the last match.
    """
    at = 0
    while match := pattern.search(text, at):
        at = match.end()
        if match[0] == '"':
            at = scanstring(text, at, True)[1]
        else:
            yield match
