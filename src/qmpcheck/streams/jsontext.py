"""JSON text to values, exactly: any depth, any number, and the column where it breaks.

The standard library reads all that is ordinary. What it refuses is read again by a scanner that needs no
stack and knows the place: Python's reader takes NaN for a number, gives up on deep nesting, and does not
convert an integer of many digits.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

DEEPEST = 64
"""Levels of nesting that a scanned value keeps; what is deeper is read and dropped."""


class Malformed(ValueError):
    """Text that is not JSON; `column` counts characters from 1, `reason` says what is wrong there."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(f"{reason} at column {column}")
        self.column = column
        self.reason = reason


def parse(line: bytes) -> Any:
    """The value of one line.

    Integers of thousands of digits come as `Decimal`. Of a key given twice the last value counts.

    Raises:
        Malformed: the line is not UTF-8 or not JSON.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        raise Malformed(column, f"byte 0x{line[error.start]:02x} is not UTF-8") from None
    try:
        return _ordinary.decode(text)
    except (ValueError, RecursionError):
        return _scan(text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_MANY_DIGITS = 4000


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _MANY_DIGITS else Decimal(digits)


_ordinary = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer)

_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LITERAL = re.compile(r"true|false|null")
_LITERALS = {"true": True, "false": False, "null": None}
_CLOSERS = {"{": "}", "[": "]"}


def _scan(text: str) -> Any:
    return _Scanner(text).scan()


class _Scanner:
    """Reads one value without recursion, a step at a time from `at`."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.root: Any = None
        self.closers = bytearray()
        """The bracket that each open container waits for."""
        self.kept: list[Any] = []
        """The outermost open containers, at most `DEEPEST` of them."""
        self.keys: list[str] = []
        """For each of `kept`, the key that its next value has."""

    def scan(self) -> Any:
        self.skip()
        self.value()
        while self.comes_another():
            self.value()
        if self.at < len(self.text):
            raise self.malformed("expected nothing more")
        return self.root

    def value(self) -> None:
        """A scalar, or an empty container, inside as many new containers as open here."""
        while (bracket := self.here()) in ("{", "["):
            self.open(bracket)
            if self.here() == _CLOSERS[bracket]:
                return
            if bracket == "{":
                self.key()
        self.attach(self.scalar())

    def open(self, bracket: str) -> None:
        depth = len(self.closers)
        if depth < DEEPEST:
            container: Any = {} if bracket == "{" else []
            self.attach(container)
            self.kept[depth:], self.keys[depth:] = [container], [""]
        self.closers += _CLOSERS[bracket].encode()
        self.at += 1
        self.skip()

    def comes_another(self) -> bool:
        """Close what closes here; whether a comma, and so another value, comes then."""
        while self.closers:
            self.skip()
            closer = chr(self.closers[-1])
            if self.here() == ",":
                self.at += 1
                self.skip()
                if closer == "}":
                    self.key()
                return True
            if self.here() != closer:
                raise self.malformed(f"expected ',' or '{closer}'")
            self.closers.pop()
            self.at += 1
        self.skip()
        return False

    def key(self) -> None:
        if self.here() != '"':
            raise self.malformed("expected a key in double quotes")
        key = self.string()
        self.skip()
        if self.here() != ":":
            raise self.malformed("expected ':'")
        self.at += 1
        self.skip()
        if len(self.closers) <= DEEPEST:
            self.keys[len(self.closers) - 1] = key

    def scalar(self) -> Any:
        if self.here() == '"':
            return self.string()
        match = _LITERAL.match(self.text, self.at) or _NUMBER.match(self.text, self.at)
        if not match:
            raise self.malformed("expected a value")
        self.at = match.end()
        if match[0] in _LITERALS:
            return _LITERALS[match[0]]
        return float(match[0]) if match[1] or match[2] else _integer(match[0])

    def string(self) -> str:
        try:
            text, self.at = scanstring(self.text, self.at + 1, True)
        except json.JSONDecodeError as error:
            self.at = error.pos
            raise self.malformed("a string with a raw control character, a bad escape or no end") from None
        return str(text)

    def attach(self, value: Any) -> None:
        depth = len(self.closers)
        if depth == 0:
            self.root = value
        elif depth <= DEEPEST:
            container = self.kept[depth - 1]
            if isinstance(container, list):
                container.append(value)
            else:
                container[self.keys[depth - 1]] = value

    def here(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def malformed(self, reason: str) -> Malformed:
        return Malformed(self.at + 1, reason if self.at < len(self.text) else f"the text ends: {reason}")
