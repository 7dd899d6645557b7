"""The file of a recording: it grows by whole lines, and is truncated to them if the disk is full."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress

from qmpcheck.text import reason_of, safe
from qmpcheck.wording import plural

STANDARD_OUTPUT = "-"

OnMessage = Callable[[str], None]
"""Takes what the user must know, as it happens: what was lost, or that a connection has ended."""


class Stopped(Exception):
    """The recording cannot begin or continue; the text says why, and what is lost."""


class Transcript:
    """The file that is written, and how much it has; the writers count the `sessions`."""

    def __init__(self, path: str, number: int) -> None:
        self.path, self._number = path, number
        self.lines = self.events = self.sessions = 0
        os.set_blocking(number, True)  # another process may have had it otherwise
        self._is_file = stat.S_ISREG(os.fstat(number).st_mode)

    @property
    def name(self) -> str:
        """Its name in messages."""
        return "standard output" if self.path == STANDARD_OUTPUT else safe(self.path)

    @property
    def may_wait(self) -> bool:
        """Whether writing may block, as to a pipe."""
        return not self._is_file

    def append(self, lines: bytes) -> None:
        """Write whole lines: no part of a line stays in the file.

        Raises:
            Stopped: there is no room, or no reader.
        """
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._number, memoryview(lines)[written:])
        except OSError as error:
            raise self._failed(reason_of(error), lines, written) from None
        except KeyboardInterrupt:  # while a pipe was full; a file never waits
            raise self._failed("interrupted before its reader took all", lines, written) from None
        self._count(lines)

    def finish(self) -> None:
        """Wait until everything is on the disk.

        Raises:
            Stopped: it could not be written.
        """
        try:
            os.fsync(self._number)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # no disk: a pipe, a device
                raise Stopped(f"{self.name}: it may not all be on the disk: {reason_of(error)}") from None
        finally:
            if self.path != STANDARD_OUTPUT:
                os.close(self._number)

    def _failed(self, reason: str, lines: bytes, written: int) -> Stopped:
        whole = lines.rfind(b"\n", 0, written) + 1
        end = "" if self._is_cut_back(written - whole) else "; its last line is incomplete"
        self._count(lines[:whole])
        lost = lines[whole:]
        count = f"{plural(lost.count(10), 'line')} ({plural(len(lost), 'byte')})"
        return Stopped(f"{self.name}: {reason}: {count} received but not written{end}")

    def _is_cut_back(self, torn: int) -> bool:
        """Remove the last bytes, those of an incomplete line; return whether that was possible."""
        with suppress(OSError):
            if torn:
                os.ftruncate(self._number, os.lseek(self._number, 0, os.SEEK_CUR) - torn)
            return True
        return False

    def _count(self, lines: bytes) -> None:
        self.lines += lines.count(b"\n")
        # Only a number for the user, for which no line is decoded.
        self.events += sum(b'"event"' in line for line in lines.split(b"\n"))


def opened(path: str) -> Transcript:
    """Return the transcript in a new file, in an existing empty one, or on standard output.

    Raises:
        Stopped: it cannot be written, or is not empty.
    """
    if path == STANDARD_OUTPUT:
        if sys.stdout is None:
            raise Stopped("standard output is closed")
        return Transcript(path, sys.stdout.fileno())
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except (OSError, ValueError) as error:  # a null character
        raise Stopped(f"{safe(path)}: {reason_of(error)}") from None
    status = os.fstat(number)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        os.close(number)
        raise Stopped(
            f"{safe(path)}: it exists already, and a recording is never overwritten; name another file"
        )
    return Transcript(path, number)
