"""Read gzip, with ISA-L if it is installed: that takes a third of the time or less."""

from __future__ import annotations

import gzip
import io
from typing import IO, cast

from qmpcheck.streams.stored_file import RawBytes


def opened(file: io.BufferedReader) -> IO[bytes]:
    """Return a file with the decompressed bytes of all members of a gzip file.

    Reading raises what `gzip.GzipFile` raises, but only after all bytes before the damage.
    """
    # After damage, the file is read a second time, which a pipe cannot be.
    if not file.seekable():
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    try:
        from isal import igzip
    except ImportError:
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    reader: gzip.GzipFile = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
    return io.BufferedReader(_Fast(file, reader), igzip.READ_BUFFER_SIZE)


class _Fast(RawBytes):
    """A gzip file read by ISA-L. At damage, ISA-L loses what it has buffered, so gzip reads on from there."""

    def __init__(self, file: io.BufferedReader, reader: gzip.GzipFile) -> None:
        self._file, self._reader = file, reader
        self._is_fast, self._at = True, 0

    def take(self, size: int) -> bytes:
        chunk = self._read(size)
        self._at += len(chunk)
        return chunk

    def _read(self, size: int) -> bytes:
        try:
            return self._reader.read1(size)
        except Exception:
            if not self._is_fast:
                raise
        # Begin again with the standard library, at the byte after the last that was given.
        self._is_fast = False
        self._file.seek(0)
        self._reader = gzip.GzipFile(fileobj=self._file)
        self._reader.seek(self._at)
        return self._reader.read1(size)
