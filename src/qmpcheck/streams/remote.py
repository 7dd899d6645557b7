"""Files at a URL, by fsspec: `s3://`, `gs://`, `https://`, and all others that it has a file system for.

Nothing here is loaded as long as all paths are plain ones.
"""

from __future__ import annotations

import errno
import io
import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from typing import Any, cast

from qmpcheck.streams.stored_file import RECORDED, RawBytes, StoredFile, scheme
from qmpcheck.text import reason_of, safe

_SMALL = 1 << 24
"""Bytes of a file up to which it is fetched by one request, into memory."""

_BLOCK = 1 << 23
"""Bytes that one request fetches of a larger file."""

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "http": "http", "https": "http"}
"""The extra of qmpcheck that brings what a scheme needs."""


class _Kept(threading.local):
    """Small files that were fetched and are read once more: the threads of a worker share none."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}


_kept = _Kept()


def opened(url: str, ahead: bool, size: int | None) -> io.BufferedReader:
    """Return the bytes of a file at a URL; see `source.opened` for the arguments.

    Raises:
        OSError: it cannot be opened; at a read, also that it cannot be read further.
    """
    data = _kept.files.get(url)
    if data is None:
        if size is None or size > _SMALL:
            return io.BufferedReader(_Remote(url), _BLOCK)
        with _failures():
            system, path = _located(url)
            data = system.cat_file(path)
        if ahead:
            _kept.files = {url: data}
    if not ahead:
        _kept.files.pop(url, None)
    return io.BufferedReader(cast(io.RawIOBase, io.BytesIO(data)))  # it has all methods of a raw file


def fetch(files: Iterable[StoredFile]) -> None:
    """Fetch small files together, as each request takes its time; they are kept until they are opened.

    One that cannot be fetched is not kept, so that opening it says why.
    """
    urls = [file.path for file in files]
    _kept.files = {}
    with suppress(OSError), _failures():
        paths = {_located(url)[1]: url for url in urls}
        if len({scheme(url) for url in urls}) == 1 and paths:
            found = _located(urls[0])[0].cat([*paths], on_error="omit")
            _kept.files = {url: found[path] for path, url in paths.items() if path in found}


FETCHED = _SMALL
"""Bytes of files to fetch together, at most."""


class _Remote(RawBytes):
    """A file that is fetched block by block; that it ends early is an OSError."""

    def __init__(self, url: str) -> None:
        with _failures():
            system, path = _located(url)
            self._file = system.open(path, "rb", block_size=_BLOCK, cache_type="readahead")
        # Some servers close a connection early, and that must not look like the end of the file.
        self._left = getattr(self._file, "size", None)

    def take(self, size: int) -> bytes:
        with _failures():
            chunk: bytes = self._file.read(size)
        if self._left is not None:
            self._left -= len(chunk)
            if not chunk and self._left > 0:
                raise OSError(f"it ended {self._left} bytes early")
        return chunk

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()


def read(url: str) -> bytes:
    """Return all bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with _failures():
        system, path = _located(url)
        return bytes(system.cat_file(path))


def write(url: str, data: bytes) -> None:
    """Write a file; one that is there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    with _failures():
        system, path = _located(url)
        system.pipe_file(path, data)


def upload(path: str, url: str) -> None:
    """Copy a file to a URL; one that is there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    with _failures():
        system, there = _located(url)
        system.put_file(path, there)


def remove(url: str) -> None:
    """Remove a file.

    Raises:
        OSError: it cannot be removed.
    """
    with _failures():
        system, path = _located(url)
        system.rm_file(path)


def listed(url: str) -> Iterator[StoredFile]:
    """Return the files that a URL means: itself, the recordings in a folder, or what matches a pattern.

    An object store's listing is read page by page, that of other systems folder by folder.

    Raises:
        OSError: the URL, or a folder, cannot be read.
    """
    with _failures():
        system, path = _located(url)
        if is_pattern(url):
            found = _matching(system, path)
        else:
            about = system.info(path)
            found = iter([about]) if about["type"] == "file" else _recordings(system, path)
    begin = url[: len(scheme(url)) + 3]
    while True:
        with _failures():
            about = next(found, None)
        if about is None:
            return
        name = about["name"]
        yield StoredFile(name if scheme(name) else begin + name, about.get("size"), _mark(about))


def _mark(about: dict[str, Any]) -> str:
    """Return what changes when a file does; "" if the file system does not say."""
    tag = next((about[key] for key in ("ETag", "etag", "md5Hash") if about.get(key)), "")
    if tag:
        return str(tag).strip('"')
    time = next((about[key] for key in ("mtime", "LastModified", "Last-Modified") if about.get(key)), "")
    return f"{about.get('size')} {time}" if time else ""


def is_pattern(url: str) -> bool:
    """Whether a URL is a pattern. On the web, `?` begins a query."""
    signs = "*" if scheme(url) in ("http", "https") else "*?["
    return any(sign in url for sign in signs)


def _recordings(system: Any, folder: str) -> Iterator[dict[str, Any]]:
    return (about for about in _all_below(system, f"{folder.rstrip('/')}/") if RECORDED.search(about["name"]))


def _matching(system: Any, pattern: str) -> Iterator[dict[str, Any]]:
    if scheme(pattern) in ("http", "https"):
        found = system.glob(pattern, detail=True)
        return (found[name] for name in sorted(found) if found[name]["type"] == "file")
    begin, *parts = re.split(r"(?<=/)(?=[^/]*[*?\[])", pattern, maxsplit=1)
    return _below(system, begin, "".join(parts).split("/"), pattern)


def _below(system: Any, folder: str, parts: list[str], pattern: str) -> Iterator[dict[str, Any]]:
    """Yield the files in a folder whose path below it matches the parts of a pattern."""
    if parts[0] == "**":
        from fsspec.utils import glob_translate

        whole = re.compile(glob_translate(pattern))
        yield from (about for about in _all_below(system, folder) if whole.match(about["name"]))
        return
    for about in _in_order(system, folder):
        name = about["name"].rstrip("/")
        if not fnmatchcase(name.rpartition("/")[2], parts[0]):
            continue
        if about["type"] == "file" and len(parts) == 1:
            yield about
        elif about["type"] != "file" and len(parts) > 1:
            yield from _below(system, f"{name}/", parts[1:], pattern)


def _all_below(system: Any, folder: str) -> Iterator[dict[str, Any]]:
    """Yield all files below a folder, however deep, in the order of their paths."""
    if hasattr(system, "call_s3"):
        yield from _pages(system, folder)
        return
    for about in _in_order(system, folder):
        if about["type"] == "file":
            yield about
        else:
            yield from _all_below(system, about["name"])


def _pages(system: Any, folder: str) -> Iterator[dict[str, Any]]:
    """Yield all objects of S3 below a folder; of however many, only a thousand at a time are in memory."""
    bucket, _, prefix = folder.partition("/")
    following: dict[str, str] = {}
    while True:
        page = system.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE, **following)
        for each in sorted(page.get("Contents", ()), key=lambda each: each["Key"]):  # not all servers sort
            if not each["Key"].endswith("/"):  # such a key stands for a folder
                yield {"name": f"{bucket}/{each['Key']}", "size": each["Size"], **each}
        if not page.get("IsTruncated"):
            return
        following = {"ContinuationToken": page["NextContinuationToken"]}


_PAGE = 1000
"""Objects that a store lists at once, at most."""


def _in_order(system: Any, folder: str) -> list[dict[str, Any]]:
    """Return what is in a folder, in the order in which the paths of all files below it sort."""
    found = [
        each for each in system.ls(folder, detail=True) if each["name"].rstrip("/") != folder.rstrip("/")
    ]
    return sorted(found, key=lambda each: each["name"].rstrip("/") + "/" * (each["type"] != "file"))


def _located(url: str) -> tuple[Any, str]:
    """Return the file system that a URL is in, and the path there."""
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url, use_listings_cache=False)  # it would keep all that was ever listed
    except ImportError as error:
        extra = _EXTRAS.get(scheme(url))
        needed = f"pip install 'qmpcheck[{extra}]'" if extra else safe(str(error))
        raise OSError(f"files at {scheme(url)}:// need more packages: {needed}") from None
    except ValueError as error:
        raise OSError(safe(str(error))) from None
    return system, path


@contextmanager
def _failures() -> Iterator[None]:
    """Turn whatever a file system raises into an OSError with a text."""
    try:
        yield
    except FileNotFoundError as error:
        # Of a server that cannot be reached, fsspec says that the file does not exist.
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            raise OSError(safe(str(cause)) or type(cause).__name__) from None
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
    except OSError as error:
        raise error if reason_of(error) else OSError(type(error).__name__) from None
    except Exception as error:  # each file system has its own
        raise OSError(safe(str(error)) or type(error).__name__) from None
