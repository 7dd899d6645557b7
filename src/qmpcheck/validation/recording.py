"""A recording: one file, or the several files that one log was rotated into."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from qmpcheck.streams import greeting, source
from qmpcheck.streams.blocks import blocks
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.version import Version


class Recording(msgspec.Struct, frozen=True):
    """Files that are checked together, by one process, as one log.

    Attributes:
        files: the files, in the order in which they were written.
        vm: the VM that they are about, if a pattern of the user finds it in their names; "" otherwise.
        gaps: the positions of the files before which another one may be missing.
        fault: why they cannot be checked; "" if they can.
    """

    files: tuple[StoredFile, ...]
    vm: str = ""
    gaps: tuple[int, ...] = ()
    fault: str = ""

    @property
    def path(self) -> str:
        """The path of the newest file: reports name the recording by it."""
        return self.files[-1].path

    @property
    def size(self) -> int:
        """How many bytes the files have as they are stored, without those of unknown size."""
        return sum(file.size or 0 for file in self.files)


def of_path(path: str) -> Recording:
    """Return a recording of one file, whatever other files are beside it."""
    return Recording((StoredFile(path),))


def by_release(recording: Recording) -> list[Recording]:
    """Divide joined files where the first greeting in one names another release than the greeting before.

    Another release is another process: nothing that was open before matters to it.

    Raises:
        Unreadable: one of the files cannot be read.
    """
    begins = [0]
    before = None
    for at, file in enumerate(recording.files):
        # Only the first greeting: a change within a file cannot be divided, and stays an error.
        version = _first_version(file)
        if version and before and version[:2] != before[:2] and at:
            begins.append(at)
        before = version or before
    return [
        Recording(
            recording.files[begin:end],
            recording.vm,
            tuple(gap - begin for gap in recording.gaps if begin < gap < end),
        )
        for begin, end in pairwise([*begins, len(recording.files)])
    ]


def _first_version(file: StoredFile) -> Version | None:
    with source.opened(file.path, size=file.size) as opened:
        lines = (line for block in blocks(opened) for line in block)
        return next(filter(None, map(greeting.of_line, lines)), None)
