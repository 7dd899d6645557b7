"""A recording: one file, or several that one log was rotated into."""

from __future__ import annotations

from typing import NamedTuple

from qmpcheck.streams.stored_file import StoredFile


class Recording(NamedTuple):
    """What is checked as a whole, by one process.

    Attributes:
        files: in the order in which they were written.
        vm: the VM that they are of, as the user's pattern finds it in their names; "" where none was given.
        gaps: the positions of the files before which another one may be missing.
        fault: why it cannot be checked; "" where it can.
    """

    files: tuple[StoredFile, ...]
    vm: str = ""
    gaps: tuple[int, ...] = ()
    fault: str = ""

    @property
    def path(self) -> str:
        """The newest of its files, by which reports name it."""
        return self.files[-1].path

    @property
    def size(self) -> int:
        """The bytes that are stored, as far as that is known."""
        return sum(file.size or 0 for file in self.files)


def of_path(path: str) -> Recording:
    """The recording that is the file with that path, whatever else is beside it."""
    return Recording((StoredFile(path),))
