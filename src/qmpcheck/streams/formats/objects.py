r"""Find JSON objects in the text of a log, in linear time.

A log is searched block by block for what precedes a message. From there tokens are read, but only those that
decide where the object ends, or that it breaks off. Bare words are allowed, as QEMU's iotests have them in
place of numbers. Whether the object is valid JSON is decided where the message is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats.lines import line_end

LONGEST = 1 << 26
"""The most bytes that an object may have; QEMU itself accepts no longer message."""

_TOKEN = re.compile(rb'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*("?)|[{}\[\],:]|[-+.\w]+')
_SPREAD = re.compile(rb"\r?\n[ \t\r\n]*")
_QUOTE, _OPEN, _COLON, _NEWLINE = b'"{:\n'


class FoundObject(NamedTuple):
    """An object in a log.

    Attributes:
        line: the number of the line that it begins on, from 1.
        before: the match that found it, as far as its `{`.
        text: the object on one line; b"" if only the match was searched for.
        whole: whether it is complete; an object that is cut has the part that can be followed.
    """

    line: int
    before: re.Match[bytes]
    text: bytes
    whole: bool


class Scanner:
    """Follows one object from its `{`, through as many pieces of text as it takes."""

    def __init__(self) -> None:
        self._open = bytearray()
        """The brackets that are open."""
        self._last = _COLON

    def feed(self, text: bytes, at: int, stop: int) -> tuple[int, bool | None]:
        """Return the position after the last token of the object, and whether the object ends there.

        None instead of a truth value: all of the text up to `stop` belongs to the object. False: the object
        breaks off there, in a string at the end of a line or where no value may begin.
        """
        opened, last = self._open, self._last
        for token in _TOKEN.finditer(text, at, stop):
            character = text[token.start()]
            if character in b"}]":
                if opened.pop() != character - 2:  # in ASCII, ] and } are two after [ and {
                    return token.start(), False
                if not opened:
                    return token.end(), True
            elif character not in b",:":
                if opened and not _may_follow(last, character, opened[-1]):
                    return token.start(), False
                if character == _QUOTE and not token[1]:
                    return token.end(), False
                if character in b"{[":
                    opened.append(character)
            last = character
        self._last = last
        return stop, None


def _may_follow(last: int, character: int, opened: int) -> bool:
    """Whether a value that begins with `character` may follow the token that begins with `last`."""
    if character in b"{[":
        return last in (b":" if opened == _OPEN else b"[,")
    return last in b"{[,:"


def on_one_line(text: bytes) -> bytes:
    """Return the JSON text without its line breaks, which can only be between tokens."""
    return _SPREAD.sub(b" ", text).rstrip() if b"\n" in text else text.rstrip()


def object_at(text: bytes, at: int) -> tuple[bytes, bool]:
    """Return the object that begins at `at`, and whether it ends in this text."""
    if _is_json(text, at, len(text)):
        return text[at:].rstrip(), True
    end, whole = Scanner().feed(text, at, len(text))
    return text[at:end], whole is True


_value = msgspec.json.Decoder(msgspec.Raw)


def _is_json(text: bytes, at: int, end: int) -> bool:
    """Whether all from `at` to `end` is one JSON value: a quick answer for the usual message."""
    if text[end - 1 : end] not in (b"}", b"\r"):
        return False
    try:
        _value.decode(memoryview(text)[at:end])
    except (ValueError, RecursionError):
        return False
    return True


Search = Callable[[bytes, int], "re.Match[bytes] | None"]
"""Returns the next match in a text after a position. A match that does not end with `{` has no object."""


def at_line_start(marker: bytes, before: re.Pattern[bytes]) -> Search:
    """Return a search for what `before` matches at the beginning of a line.

    Args:
        marker: bytes in every line that `before` matches, so that other lines cost nearly nothing.
        before: matches at the beginning of a line, and no further than its end.
    """

    def search(text: bytes, at: int) -> re.Match[bytes] | None:
        if at and text[at - 1] != _NEWLINE:
            at = line_end(text, at)
        while (at := text.find(marker, at)) >= 0:
            if match := before.match(text, text.rfind(b"\n", 0, at) + 1):
                return match
            at = line_end(text, at)
        return None

    return search


def objects(blocks: Iterable[Block], search: Search, spread: bool = False) -> Iterator[list[FoundObject]]:
    """Yield the objects of a log that `search` finds: one list for each block, and one at the end.

    Args:
        blocks: the log's blocks of lines.
        search: finds where an object begins.
        spread: whether an object may extend over several lines.
    """
    line = 1
    begun: _UnfinishedObject | None = None
    for block in blocks:
        text = b"\n".join(block)
        found: list[FoundObject] = []
        at = counted = end = 0
        while True:
            if begun is None:
                match = search(text, at)
                if match is None:
                    break
                line += text.count(b"\n", counted, match.start())
                at, counted = match.end(), match.start()
                if text[at - 1] != _OPEN:
                    found.append(FoundObject(line, match, b"", True))
                    continue
                begun = _UnfinishedObject(line, match)
                at -= 1
            if end <= at:  # looked for once a line, however many objects it has
                end = line_end(text, at)
            at, whole = begun.add(text, at, end, len(text) if spread else end)
            if whole is None and spread and begun.length < LONGEST:
                break
            found.append(begun.found(whole is True))
            begun = None
        line += text.count(b"\n", counted)
        yield found
    yield [begun.found(False)] if begun else []


class _UnfinishedObject:
    """An object whose end has not been found yet."""

    def __init__(self, line: int, before: re.Match[bytes]) -> None:
        self.length = 0
        self._line, self._before = line, before
        self._scanner = Scanner()
        self._parts: list[bytes] = []

    def add(self, text: bytes, at: int, line_end: int, stop: int) -> tuple[int, bool | None]:
        """Continue the object; return what `Scanner.feed` returns."""
        end = line_end
        whole: bool | None = True
        if self._parts or not _is_json(text, at, line_end):
            end, whole = self._scanner.feed(text, at, stop)
        self._parts.append(text[at:end])
        self.length += end - at
        return end, whole

    def found(self, whole: bool) -> FoundObject:
        return FoundObject(self._line, self._before, on_one_line(b"".join(self._parts)), whole)
