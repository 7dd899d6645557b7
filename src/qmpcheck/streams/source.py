"""Opening a stream: a file, standard input, or either of them compressed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

STANDARD_INPUT = "-"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Unreadable(Exception):
    """A stream, or the rest of one, that cannot be read; the text says why."""


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """The stream's bytes, decompressed if its first bytes say that it is gzip or Zstandard.

    Raises:
        Unreadable: at opening or at any read.
    """
    try:
        with _raw(path) as raw:
            yield _plain(raw)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    except Exception as error:
        if isinstance(error, (EOFError, *_decompression_errors())):
            raise Unreadable(str(error)) from None
        raise


def size(path: str) -> int | None:
    """The bytes of a plain file; None where the stream is a pipe or compressed, or not there at all."""
    if path == STANDARD_INPUT or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            compressed = file.read(4).startswith((_GZIP, _ZSTD))
            return None if compressed else os.fstat(file.fileno()).st_size
    except OSError:
        return None


def _raw(path: str) -> io.BufferedReader:
    if path == STANDARD_INPUT:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return open(path, "rb")


def _plain(raw: io.BufferedReader) -> IO[bytes]:
    start = raw.peek(4)
    if start.startswith(_GZIP):
        import gzip

        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if start.startswith(_ZSTD):
        return cast(IO[bytes], _zstd().ZstdFile(raw))
    return raw


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


_DECOMPRESSORS = (("zlib", "error"), ("backports.zstd", "ZstdError"), ("compression.zstd", "ZstdError"))


def _decompression_errors() -> tuple[type[Exception], ...]:
    """What the decompressors that were loaded raise for broken data."""
    return tuple(
        getattr(sys.modules[module], name) for module, name in _DECOMPRESSORS if module in sys.modules
    )
