"""Files that raise an error if they were truncated while they were read."""

from __future__ import annotations

import io
import os
import stat
from typing import Any


class WholeFile(io.FileIO):
    """A file to read from. Its end raises OSError if it has become shorter since it was opened.

    A pipe or a device has no length, and just ends.
    """

    def __init__(self, file: str | int, closefd: bool = True) -> None:
        super().__init__(file, closefd=closefd)
        self._longest = self._length()

    def readinto(self, buffer: Any) -> int | None:  # noqa: D102 -- as the class it extends
        count = super().readinto(buffer)
        if not count:
            self._expect_no_loss()
        return count

    def readall(self) -> bytes:  # noqa: D102
        content = super().readall()
        self._expect_no_loss()
        return content

    def _expect_no_loss(self) -> None:
        length = self._length()
        if self._longest and length < max(self._longest, self.tell()):
            raise OSError("it became shorter while it was read")
        self._longest = max(self._longest, length)

    def _length(self) -> int:
        status = os.fstat(self.fileno())
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
