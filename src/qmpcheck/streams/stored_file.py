"""A file as it is stored: what a listing shows of it, which paths are URLs, and how its bytes are read."""

from __future__ import annotations

import io
import re
from typing import Any

import msgspec


class StoredFile(msgspec.Struct, frozen=True):
    """A file that a path or a URL names.

    Attributes:
        path: the path or the URL; `-` for standard input.
        size: how many bytes are stored, packed or not; None where that is not known.
        mark: what changes when the file does, such as an object's tag; "" where nothing says so.
    """

    path: str
    size: int | None = None
    mark: str = ""


RECORDED = re.compile(r"\.(jsonl|log|json)(\.\d+)?(\.gz|\.zst)?$")
"""The names of the files that are taken of a folder."""


def scheme(path: str) -> str:
    """Return the scheme of a URL, such as `s3`; "" for a plain path."""
    name, separator, _ = path.partition("://")
    return name if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", name) else ""


class RawBytes(io.RawIOBase):
    """A file without a buffer whose bytes come from `take`: a buffered reader on it has all other methods."""

    def take(self, size: int) -> bytes:
        """Return at most so many bytes; b"" at the end."""
        raise NotImplementedError

    def readable(self) -> bool:  # noqa: D102 -- as the class it extends
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: D102
        chunk = self.take(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
