"""Follow a stream that is still being written, and yield its lines as they arrive."""

from __future__ import annotations

import io
import os
import signal
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from typing import IO

from qmpcheck.interrupts import Interrupts
from qmpcheck.streams import source
from qmpcheck.streams.blocks import BLOCK, Block, from_chunks, lines_of

_PAUSE = 0.1
"""How many seconds to wait before looking again at a file that has not grown."""

OnRotation = Callable[[str, int], object]
"""Takes the path and the number of lines so far, when the path is read from its beginning once more."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""The signals that end the following of a file in order."""


def blocks(path: str, interrupts: Interrupts, on_rotation: OnRotation) -> Iterator[Block]:
    """Yield blocks of lines as they are written, until the interrupt or the end of standard input.

    When a file is renamed or deleted and another one is created under its name, the rest of the old file
    comes first, and then the new one from its start; so does what is written to a file after it was
    emptied. The last block of the old file ends with a line that lacks its newline if it was cut. Line
    numbers go on: the first line of the new file is the one after the last line of the old file, as if
    one file had been written.

    Args:
        path: a file, or `-` for standard input.
        interrupts: a context that is entered.
        on_rotation: called before the first block of a new file.

    Raises:
        Unreadable: the stream cannot be read.
    """
    lines = 0
    with source.Failures(), closing(_Files(path)) as files:
        while True:
            for block in from_chunks(_chunks(source.unpacked(files.current), interrupts, files.is_left)):
                lines += len(lines_of(block))
                yield block
            if interrupts.came or not files.go_on():
                return
            on_rotation(path, lines)


def _chunks(file: IO[bytes], interrupts: Interrupts, is_left: Callable[[], bool]) -> Iterator[bytes]:
    read = getattr(file, "read1", file.read)
    while not interrupts.came:
        ends = is_left()  # ask before the read: after it, the writer could still have added something
        chunk = b""
        with suppress(KeyboardInterrupt), interrupts.raising():
            if interrupts.came:  # by a signal that raised nothing, as it came a moment too early
                return
            chunk = read(BLOCK)
            if not chunk and not ends:
                time.sleep(_PAUSE)
        if chunk:
            yield chunk
        elif ends:
            return


class _Files:
    """What a path holds, one after the other: the current file, and the newer ones seen so far.

    A file that is emptied in place is a newer one, too: it is read from its beginning once more.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = deque([self._opened()])

    def _opened(self) -> io.BufferedReader:
        if self._path == source.STANDARD_INPUT:
            return source.raw(self._path)
        return io.BufferedReader(io.FileIO(self._path))  # that it becomes shorter is no failure here

    @property
    def current(self) -> io.BufferedReader:
        return self._open[0]

    def is_left(self) -> bool:
        """Whether the current file is complete: a newer one holds something already."""
        if self._path == source.STANDARD_INPUT:
            return True
        with suppress(FileNotFoundError):
            there, newest = os.stat(self._path), self._open[-1]
            # Log rotation: the path names another file than the one that is open, or that one was emptied.
            is_other = not os.path.samestat(there, os.fstat(newest.fileno()))
            if stat.S_ISREG(there.st_mode) and (is_other or there.st_size < newest.tell()):
                self._open.append(self._opened())
        # A writer may go on with the old file until it has opened the new one, so wait for content there.
        return any(os.fstat(file.fileno()).st_size for file in islice(self._open, 1, None))

    def go_on(self) -> bool:
        """Make the next file the current one; False if there is none."""
        self._open.popleft().close()
        return bool(self._open)

    def close(self) -> None:
        for file in self._open:
            file.close()
