"""Make excerpts of the lines that findings are about, with a marker under the value.

Findings have no text of their stream, as there may be very many: the few lines to show are read again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import IO, NamedTuple

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import CODES
from qmpcheck.finding import Excerpt, Finding
from qmpcheck.keypath import KeyPath
from qmpcheck.streams import source
from qmpcheck.streams.jsontext import Malformed, parse
from qmpcheck.streams.stored_file import scheme
from qmpcheck.text import safe, shortened


def find(path: str, findings: Collection[Finding]) -> dict[Finding, Excerpt]:
    """Return the excerpts of findings in a file, if their lines can be read again and have JSON.

    Args:
        path: the file. Standard input, pipes and files at URLs are not read again.
        findings: what was found in it.
    """
    found = {finding: finding.excerpt for finding in findings if finding.excerpt}
    for file, others in _by_file(path, (finding for finding in findings if not finding.excerpt)).items():
        if os.path.isfile(file):
            found.update(_in_file(file, others))
    return found


def attached(result: StreamResult) -> StreamResult:
    """Return a result with the excerpts of its findings, for a report that cannot read the files again."""
    found: dict[Finding, Excerpt] = {}
    for file, findings in _by_file(result.path, result.listed).items():
        if file != source.STANDARD_INPUT and (scheme(file) or os.path.isfile(file)):
            found.update(_in_file(file, findings))
    listed = (msgspec.structs.replace(finding, excerpt=found.get(finding)) for finding in result.listed)
    return result._replace(listed=tuple(listed))


def _by_file(path: str, findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    files: dict[str, list[Finding]] = {}
    for finding in findings:
        files.setdefault(finding.file or path, []).append(finding)
    return files


def _in_file(path: str, findings: Collection[Finding]) -> Iterator[tuple[Finding, Excerpt]]:
    numbered = lines(path, {finding.line for finding in findings})
    for finding in findings:
        found = of_line(numbered[finding.line], finding) if finding.line in numbered else None
        if found:
            yield finding, found


LONGEST_LINE = 1 << 20
"""Bytes. A longer line has no excerpt."""


def lines_again(path: str, numbers: Collection[int]) -> dict[int, bytes]:
    """Return lines of a local file, by their numbers; {} for standard input and pipes: these are gone."""
    return lines(path, numbers) if numbers and os.path.isfile(path) else {}


def lines(path: str, numbers: Collection[int]) -> dict[int, bytes]:
    """Return lines of a file, by their numbers, without those that cannot be read or are too long."""
    found: dict[int, bytes] = {}
    last = max(numbers)
    try:
        with source.opened(path) as file:
            for number, line in _numbered(file):
                if number in numbers:
                    found[number] = line.rstrip(b"\r\n")
                if number >= last:
                    break
    except source.Unreadable:
        pass  # the result of the file says so already; the lines before are shown
    return {number: line for number, line in found.items() if len(line) < LONGEST_LINE}


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, each up to `LONGEST_LINE` bytes."""
    number = 1
    while line := file.readline(LONGEST_LINE):
        yield number, line
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        number += 1


class ExcerptLimits(NamedTuple):
    """How many characters to show before the marked part, of the marked part, and in all."""

    before: int
    marked: int
    all: int


TERMINAL = ExcerptLimits(40, 40, 92)
"""What fits on a line."""


def of_line(raw: bytes, finding: Finding, most: ExcerptLimits = TERMINAL) -> Excerpt | None:
    """Return the excerpt of a finding's line; None if the line has no JSON."""
    line = raw.decode(errors="replace").removesuffix("\r")  # QEMU ends its lines with \r\n
    try:
        parse(raw)
    except Malformed as error:
        # Malformed JSON is marked where it begins to be malformed. A line of a log is no JSON as a whole.
        if line.lstrip().startswith("{") and not finding.path:
            return _cut(line, error.column - 1, error.column, most)
    begin = _message(line)
    if begin is None:
        return None
    return _cut(line, *_span(line, begin, finding.path or ("event",), CODES[finding.code].marks_key), most)


_OBJECT = re.compile(r'\{\s*"')


def _message(line: str) -> int | None:
    """Return where the first JSON object in a line begins, as a log has text before it; None without one."""
    for match in _OBJECT.finditer(line):
        if _end(line, match.start()) is not None:
            return match.start()
    return None


_decoder = json.JSONDecoder()


def _end(text: str, at: int) -> int | None:
    """Return where the JSON value that begins at a place ends; None if no value begins there."""
    try:
        return _decoder.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return None


def _span(text: str, at: int, path: KeyPath, with_key: bool) -> tuple[int, int]:
    """Return where the value at a path begins and ends; if it is absent, the innermost value around it.

    Args:
        text: the line.
        at: where its JSON object begins.
        path: the keys to the value.
        with_key: whether to include the last key.
    """
    begin, end = at, _end(text, at) or len(text)
    for depth, key in enumerate(path, 1):
        inside = [member for member in _members(text, begin) if member.key == key]
        if not inside:
            break
        *_, last = inside  # of a key given twice, the last value counts
        begin = last.key_begin if with_key and depth == len(path) else last.begin
        end = last.end
    return begin, end


class _JsonPart(NamedTuple):
    key: str | int
    key_begin: int
    begin: int
    end: int


_BETWEEN = re.compile(r"[\s,:]*")


def _members(text: str, at: int) -> Iterator[_JsonPart]:
    """Yield the members of the object, or the items of the list, that begins at a place in valid JSON."""
    is_object = text[at] == "{"
    if not is_object and text[at] != "[":
        return
    at = _after_blanks(text, at + 1)
    index = 0
    while text[at] not in "}]":
        key: str | int = index
        key_begin = at
        if is_object:
            key, at = scanstring(text, at + 1, False)
            at = _after_blanks(text, at)
        end = _end(text, at)
        assert end is not None
        yield _JsonPart(key, key_begin, at, end)
        at = _after_blanks(text, end)
        index += 1


def _after_blanks(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _cut(line: str, begin: int, end: int, most: ExcerptLimits) -> Excerpt:
    # Cut first, then escape: an escape sequence must not be cut in two.
    before, marked, after = line[:begin], line[begin:end], line[end:]
    if len(before) > most.before:
        before = "…" + before[1 - most.before :]
    shown = safe(shortened(marked, most.marked))
    start = len(safe(before))
    room = max(0, most.all - start - len(shown))
    if len(after) > room:
        after = after[: max(0, room - 1)] + "…"
    return Excerpt(begin + 1, safe(before) + shown + safe(after), start, max(1, len(shown)))
