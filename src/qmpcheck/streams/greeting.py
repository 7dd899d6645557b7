"""The versions that a stream tells in its greetings, found before the stream is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import IO

from qmpcheck.streams import jsontext, source
from qmpcheck.streams.blocks import from_chunks, lines_of
from qmpcheck.streams.growing import chunks
from qmpcheck.version import Version, of_greeting

FURTHEST = 1 << 20
"""Bytes of a stream, decompressed, that are searched."""


def of_stream(path: str, all: bool) -> tuple[Version, ...]:
    """The versions in the greetings near a stream's beginning.

    Args:
        path: of the stream.
        all: whether all are wanted; the first one is found without waiting for what comes behind.

    Raises:
        Unreadable: the stream is, before that.
    """
    with source.opened(path, ahead=True) as file:
        lines = chain.from_iterable(map(lines_of, from_chunks(_beginning(file))))
        found = filter(None, map(of_line, lines))
        return tuple(islice(found, None if all else 1))


def of_first_line(path: str) -> Version | None:
    """The version in a stream's first line that is not blank, which may still have to be written.

    Raises:
        Unreadable: the stream is, before that.
    """
    with source.opened(path, ahead=True) as file:
        head = b""
        for chunk in _beginning(file, grows=path != source.STANDARD_INPUT):
            head = (head + chunk).lstrip()
            if b"\n" in head:
                break
        return version(head.partition(b"\n")[0])


def version(head: bytes) -> Version | None:
    """The version in the first greeting of these lines that tells one."""
    found = map(of_line, head.split(b"\n"))
    return next(filter(None, found), None)


def of_line(line: bytes) -> Version | None:
    """The version that a line tells if it is a greeting; None otherwise."""
    if b'"QMP"' not in line:
        return None
    try:
        return of_greeting(jsontext.parse(line.removeprefix(b"\xef\xbb\xbf")))
    except jsontext.Malformed:
        return None


def _beginning(file: IO[bytes], grows: bool = False) -> Iterator[bytes]:
    left = FURTHEST
    for chunk in chunks(file, grows):
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
