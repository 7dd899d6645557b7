"""Find the files that paths, folders, patterns and URLs mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from qmpcheck.streams.stored_file import RECORDED, StoredFile, scheme


class NothingListed(Exception):
    """A folder or a pattern that names no file; the text says so."""


def listed(path: str, pass_over: Callable[[str], object] = str) -> Iterator[StoredFile]:
    """Return the files that a path means, in order, as they are found: any number takes little memory.

    A folder means the recordings and logs in it and below, packed or not; a pattern what matches it, where
    `**` is any number of folders; any other path itself, whether or not it is there.

    Args:
        path: what the user named.
        pass_over: takes the path of each file in a local folder that is no recording or log by its name.

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


_NONE_IN_FOLDER = "no file in it is called *.jsonl, *.log or *.json, compressed or not"


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


def _below(folder: str, pass_over: Callable[[str], object]) -> Iterator[StoredFile]:
    with os.scandir(folder) as entries:
        # With a slash, folders sort as the paths of the files in them.
        inside = sorted((each.path + "/" * each.is_dir(follow_symlinks=False)) for each in entries)
    for path in inside:
        if path.endswith("/"):
            yield from _below(path[:-1], pass_over)
        elif RECORDED.search(path):
            yield _stored(path)
        else:
            pass_over(path)


def _stored(path: str) -> StoredFile:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return StoredFile(path)
    return StoredFile(path, status.st_size, f"{status.st_size} {status.st_mtime_ns}")
