"""Find the files that paths, folders, patterns and URLs mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from qmpcheck.streams import source
from qmpcheck.streams.stored_file import RECORDED, StoredFile, scheme


class NothingListed(Exception):
    """A folder or a pattern that names no file; the text says so."""


PassOver = Callable[[str, str], object]
"""Takes the path of a file that is not read, and what kind of file it is."""


def _ignore(path: str, kind: str) -> None:
    pass


def listed(path: str, pass_over: PassOver = _ignore) -> Iterator[StoredFile]:
    """Return the files that a path means, in order, as they are found: any number takes little memory.

    A folder means the recordings and logs in it and below, packed or not; a pattern what matches it, where
    `**` is any number of folders; any other path itself, whether or not it is there.

    Args:
        path: what the user named.
        pass_over: is called for each file in a local folder that is no recording, and no log of QMP.

    Raises:
        NothingListed: a folder or a pattern means no file.
        OSError: a folder or a URL cannot be read.
    """
    if scheme(path):
        from qmpcheck.streams import remote

        if remote.is_pattern(path):
            return _some(remote.listed(path), "no file matches")
        return _some(remote.listed(path), _NONE_IN_FOLDER, StoredFile(path))
    if os.path.isdir(path):
        return _some(_below(path, pass_over), _NONE_IN_FOLDER)
    # A file may have such signs in its name: then it is that file.
    if any(sign in path for sign in "*?[") and not os.path.exists(path):
        import glob

        found = sorted(each for each in glob.iglob(path, recursive=True) if not os.path.isdir(each))
        return _some(map(_stored, found), "no file matches")
    return iter([_stored(path)])


_NONE_IN_FOLDER = "no recording or log in it: *.jsonl, *.log or *.json, compressed or not"
_OTHER_NAME = "files whose names do not end like those of recordings or logs"
_PRINTED = "files that have only what a QEMU printed"


def _some(
    files: Iterable[StoredFile], otherwise: str, missing: StoredFile | None = None
) -> Iterator[StoredFile]:
    """Yield the files; if the place of all of them does not exist, `missing`, which then fails to open."""
    found = None
    try:
        for found in files:
            yield found
    except FileNotFoundError:
        if found is not None:  # what is listed in part is not all there is
            raise
        found = missing
        if missing:
            yield missing
    if found is None:
        raise NothingListed(otherwise)


def _below(folder: str, pass_over: PassOver) -> Iterator[StoredFile]:
    with os.scandir(folder) as entries:
        # With a slash, folders sort as the paths of the files in them.
        inside = sorted((each.path + "/" * each.is_dir(follow_symlinks=False)) for each in entries)
    for path in inside:
        if path.endswith("/"):
            yield from _below(path[:-1], pass_over)
        elif not RECORDED.search(path):
            pass_over(path, _OTHER_NAME)
        elif os.path.isfile(path) and _is_printed(path):
            pass_over(path, _PRINTED)
        else:
            yield _stored(path)


def _is_printed(path: str) -> bool:
    """Whether libvirt began this file for what a QEMU prints, and there is no QMP message in it.

    /var/log/libvirt has such a file for each VM, next to the log of the daemon.
    """
    from qmpcheck.streams import demultiplex, formats
    from qmpcheck.streams.blocks import BLOCK, chunks, from_chunks
    from qmpcheck.streams.formats.trace import PRINTED

    with suppress(source.Unreadable), source.opened(path) as file:
        head = file.read(_FIRST_LINE)
        if not PRINTED.match(head):
            return False
        head += file.read(formats.HEAD)
        format = formats.recognised(head)
        # A trace can begin anywhere. To look for it reads no more than to check the file would.
        rest = from_chunks(chain([head], chunks(file, BLOCK, int)))
        return format.name == "trace" and next(demultiplex.parts(rest, format), None) is None
    return False


_FIRST_LINE = 200
"""How many bytes of a file show that libvirt began it."""


def _stored(path: str) -> StoredFile:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return StoredFile(path)
    return StoredFile(path, status.st_size, f"{status.st_size} {status.st_mtime_ns}")
