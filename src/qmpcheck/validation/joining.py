"""Find the files that one log was rotated into, by their names, and the order in which they were written.

Joined files are checked as if they had never been divided. That is right only if no file is missing between
two of them. Where the names do not prove that, there is a gap: what is open there can be met later, but is
never reported as missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, pairwise
from typing import Any

from qmpcheck.streams.stored_file import StoredFile, scheme
from qmpcheck.text import safe
from qmpcheck.validation.recording import Recording

_ROTATED = r"(.*\.(?:jsonl|ndjson|log|json))(?:\.(\d+))?(\.gz|\.zst)?"
"""A name as logrotate and virtlogd make it. The oldest file has the highest number, the newest none."""


def rotated(files: Iterable[StoredFile]) -> Iterator[Recording]:
    """Yield the recordings of local files: a log and its rotated parts are one recording.

    If two files have the same number, such as a compressed one and its source, joining would check the same
    messages twice: then each file is a recording by itself.

    Args:
        files: the files; the parts of a log must come one after the other, as in a sorted list.
    """
    for _, group in groupby(files, _log):
        same = [*group]
        numbers = [_number(file.path) for file in same]
        if len(same) == 1 or len({*numbers}) < len(same):
            yield from (Recording((file,)) for file in same)
        else:
            yield _in_order(same)


def by_pattern(files: Iterable[StoredFile], pattern: re.Pattern[str]) -> Iterator[Recording]:
    """Yield the recordings of files whose paths a pattern matches: the files of one VM are one recording.

    Args:
        files: the files; all of them are listed before the first recording.
        pattern: its first group is the VM. A file that it does not match is a recording by itself.
    """
    groups: dict[str, list[StoredFile]] = {}
    for file in files:
        match = pattern.search(file.path)
        # No VM has a name that begins with a NUL character, and no two paths are the same.
        groups.setdefault((match[1] or "") if match else f"\0{file.path}", []).append(file)
    for vm, same in groups.items():
        if vm.startswith("\0"):
            yield Recording(tuple(same))
        else:
            yield _in_order(same, vm)


def _log(file: StoredFile) -> str:
    """Return the path that the parts of a rotated log have in common; for other files, something unique."""
    match = None if scheme(file.path) else re.fullmatch(_ROTATED, file.path)
    return match[1] if match else f"{file.path}/"


def _number(path: str) -> int:
    match = re.fullmatch(_ROTATED, path)
    return int(match[2] or 0) if match else 0


def _in_order(files: Sequence[StoredFile], vm: str = "") -> Recording:
    ordered = sorted(files, key=lambda file: _key(file.path))
    fault = ""
    for before, after in pairwise(ordered):
        # To join a file with its own compressed copy would show every event twice.
        if _plain(before.path) == _plain(after.path):
            fault = f"{safe(before.path)} and {safe(after.path)} are one file, once compressed: leave one out"
    gaps = [at for at, (a, b) in enumerate(pairwise(ordered), 1) if not _follows(a.path, b.path)]
    return Recording(tuple(ordered), vm, tuple(gaps), fault)


def _plain(path: str) -> str:
    return re.sub(r"\.(gz|zst)$", "", path)


def _key(path: str) -> tuple[Any, ...]:
    """Return what to sort paths by: numbers by value, and parts of a rotated log from the oldest on."""
    match = re.fullmatch(_ROTATED, path)
    stem, number = (match[1], int(match[2] or 0)) if match else (path, 0)
    return [(int(each), "") if each.isdecimal() else (-1, each) for each in re.split(r"(\d+)", stem)], -number


_DATE = r"(?<!\d)((?:19|20)\d\d)([-_./]?)(\d\d)\2(\d\d)(?:[-_T./]?([01]\d|2[0-3])(?!\d))?(?!\d)"
"""A day, and perhaps an hour of it."""


def _follows(before: str, after: str) -> bool:
    """Return whether the names of two files show that no file is missing between them.

    They do if a number of rotation, a day or an hour, or the only number that differs, is the next one.
    """
    match = [re.fullmatch(_ROTATED, path) for path in (before, after)]
    if match[0] and match[1] and match[0][1] == match[1][1]:
        return _number(before) - _number(after) == 1
    before, after = _plain(before), _plain(after)
    first, second = _hours(before), _hours(after)
    if first and second and first[0] == second[0]:
        return second[2] - first[2] == first[1]
    # Any other numbers, such as those of chunks: exactly one may differ, and by one.
    numbers = [re.split(r"(\d+)", path) for path in (before, after)]
    differ = [(a, b) for a, b in zip(*numbers, strict=False) if a != b]
    return (
        len(numbers[0]) == len(numbers[1])
        and len(differ) == 1
        and all(each.isdecimal() for each in differ[0])
        and int(differ[0][1]) - int(differ[0][0]) == 1
    )


def _hours(path: str) -> tuple[tuple[str, ...], int, int] | None:
    """Return the time that a name has; None if it has none.

    If the name of the file itself has a date, its folders are ignored: they often have parts of the date.

    Returns:
        The parts of the name around the dates; the unit that it counts in, in hours (1 or 24); the hour.
    """
    name = path.rpartition("/")[2]
    path = name if re.search(_DATE, name) else path
    found = [*re.finditer(_DATE, path)]
    if not found:
        return None
    last = found[-1]
    try:
        day = date(int(last[1]), int(last[3]), int(last[4])).toordinal()
    except ValueError:
        return None
    return (
        tuple(re.split(_DATE, path)[:: last.re.groups + 1]),
        1 if last[5] else 24,
        24 * day + int(last[5] or 0),
    )
