"""A file as a listing shows it, and which paths are URLs."""

from __future__ import annotations

import re

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
