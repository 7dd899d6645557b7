"""Write a file so that an older one of the same name stays complete until the new one is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

OPEN_FILES = ("/dev/fd/", "/dev/std", "/proc/")
"""Where the system keeps names of open files: a rename would not reach the processes that have them open."""

_NO_ROOM_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)
"""Errors that say that a file can be written but not replaced, such as a file that is mounted by itself."""


@contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """Yield a file to write to, which takes the place of `path` when the block ends without an exception.

    If the disk is full, the block raises, or the process is killed, `path` is as it was. A kill leaves a
    hidden file `.qmpcheck-…` in the folder. The new file has the mode and owner of the one that it replaces;
    a symbolic link stays, and its target is replaced. A device or a pipe is written directly, and so is a
    file in a folder where no other can be created.

    Args:
        path: the file, which need not exist.

    Raises:
        OSError: it cannot be written.
        ValueError: no file can have that name.
    """
    target = os.path.realpath(path)
    before = _status(target)
    if path.startswith(OPEN_FILES) or (before and not stat.S_ISREG(before.st_mode)):
        with open(path, "wb") as direct:
            yield direct
        return
    if before:
        os.close(os.open(target, os.O_WRONLY))  # a file that must not be written is not replaced either
    beside = os.path.join(os.path.dirname(target), f".qmpcheck-{os.urandom(8).hex()}")
    try:
        file = _new(beside, before)
    except OSError as error:
        if not before or error.errno not in _NO_ROOM_BESIDE:
            raise
        with open(target, "wb") as direct:
            yield direct
        return
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # some file systems find out only here that they are full
        _put(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _new(path: str, like: os.stat_result | None) -> IO[bytes]:
    """Create a file with the mode and owner of another one, if there is one."""
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")
    if like:
        with suppress(OSError):  # only the superuser gives files away
            os.fchown(file.fileno(), like.st_uid, like.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
    return file


def _put(new: str, target: str) -> None:
    try:
        os.replace(new, target)
    except OSError as error:
        if error.errno not in _NO_ROOM_BESIDE:
            raise
        import shutil

        shutil.copyfile(new, target)
        os.unlink(new)
