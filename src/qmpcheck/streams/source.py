"""Open a stream: a file, a URL, standard input, or any of them compressed."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from qmpcheck.streams.stored_file import RawBytes, scheme
from qmpcheck.text import reason_of

STANDARD_INPUT = "-"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE, _SKIPPABLE_HIGH = b"\x2a\x4d\x18", 5
"""The first bytes of what is compressed. A frame that Zstandard skips has any low half in its first byte."""


class Unreadable(Exception):
    """A stream, or the rest of it, cannot be read; the text says why."""


@contextmanager
def opened(path: str, ahead: bool = False, size: int | None = None) -> Iterator[IO[bytes]]:
    """Open a stream; its bytes are decompressed if the first ones say that it is gzip or Zstandard.

    Args:
        path: a file or its URL, or `-` for standard input.
        ahead: whether the stream is opened once more after this, and then is to begin at its beginning.
        size: how many bytes are stored, if that is known: a small file at a URL then takes one request.

    Raises:
        Unreadable: at opening or at any read.
    """
    with Failures(), raw(path, ahead, size) as file, Failures(file):
        yield unpacked(file)


class Failures:
    """Within it, what keeps a stream from being read is raised as `Unreadable`.

    Args:
        file: the stored bytes; the message about a file that is cut off says where they end.
    """

    def __init__(self, file: io.BufferedReader | None = None) -> None:
        self._file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EOFError):
            at = f" at byte {self._file.tell()}" if self._file and self._file.seekable() else ""
            raise Unreadable(
                f"the compressed data is cut off{at}; copy the file again, or wait until it is fully written"
            ) from None
        if error is not None and isinstance(error, _decompression_errors()):
            raise Unreadable(f"the compressed data is damaged ({error}); copy the file again") from None
        # Decompressors raise errors of their own for broken data, and EOFError where it ends too early.
        if isinstance(error, OSError):
            raise Unreadable(reason_of(error)) from None


def expect_readable(path: str) -> None:
    """Open a file and close it again. Pipes and standard input are skipped, as they can be opened only once.

    Raises:
        Unreadable: it cannot be opened.
    """
    try:
        if path != STANDARD_INPUT and not is_pipe(path):
            raw(path).close()
    except (OSError, ValueError) as error:
        raise Unreadable(reason_of(error)) from None


def is_pipe(path: str) -> bool:
    """Whether a path is that of a pipe, which can be read only once.

    Raises:
        OSError: nothing is there.
    """
    return not scheme(path) and stat.S_ISFIFO(os.stat(path).st_mode)


def size(path: str) -> int | None:
    """Return how many bytes a plain file has; None if it is at a URL, a pipe, compressed, or not there."""
    if path == STANDARD_INPUT or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            start = file.read(_LONGEST_MARK)
            # Progress counts the bytes after decompression, whose number nobody knows.
            compressed = start.startswith(_GZIP) or _is_zstd(start)
            return None if compressed else os.fstat(file.fileno()).st_size
    except OSError:
        return None


def raw(path: str, ahead: bool = False, size: int | None = None) -> io.BufferedReader:
    """Open a stream as it is stored; see `opened` for the arguments.

    Raises:
        OSError: it cannot be opened; at a read, also that it became shorter.
        Unreadable: standard input is closed.
    """
    if scheme(path):
        from qmpcheck.streams import remote

        return remote.opened(path, ahead, size)
    if path != STANDARD_INPUT:
        return io.BufferedReader(WholeFile(path))
    if sys.stdin is None:
        raise Unreadable("standard input is closed")
    return _standard_input(ahead)


class WholeFile(io.FileIO):
    """A file to read from. Its end raises OSError if it has become shorter since it was opened.

    A pipe or a device has no length, and just ends.
    """

    def __init__(self, file: str | int, closefd: bool = True) -> None:
        super().__init__(file, closefd=closefd)
        self._longest = self._length()

    def readinto(self, buffer: Any) -> int | None:  # noqa: D102 -- as the class it extends
        count = super().readinto(buffer)
        if not count:  # the end: look only now, as asking for the length costs a system call
            self._expect_no_loss()
        return count

    def readall(self) -> bytes:  # noqa: D102
        content = super().readall()
        self._expect_no_loss()
        return content

    def _expect_no_loss(self) -> None:
        length = self._length()
        if self._longest and length < max(self._longest, self.tell()):
            raise OSError("it became shorter while it was read")
        self._longest = max(self._longest, length)

    def _length(self) -> int:
        status = os.fstat(self.fileno())
        return status.st_size if stat.S_ISREG(status.st_mode) else 0


_MOST_IN_MEMORY = 1 << 22
"""How many bytes that were read ahead of standard input are kept in memory; more go to disk."""

_kept: IO[bytes] | None = None


def _standard_input(ahead: bool) -> io.BufferedReader:
    """Open standard input: at its start, or where the last reader stopped that did not read ahead.

    Args:
        ahead: whether the next reader gets everything again that is read here.
    """
    global _kept  # noqa: PLW0603 -- there is one standard input, and what was read of it is gone from there
    pipe = WholeFile(sys.stdin.fileno(), closefd=False)
    kept, _kept = _kept, None
    if ahead:
        import tempfile

        kept = _kept = kept or tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY)  # noqa: SIM115 -- see close
    return io.BufferedReader(_KeptThenPipe(kept, pipe.read, ahead) if kept else pipe)


class _KeptThenPipe(RawBytes):
    """The bytes that were kept, then what `read` gives of a pipe; if `keeps`, that is kept as well."""

    def __init__(self, kept: IO[bytes], read: Callable[[int], bytes | None], keeps: bool = False) -> None:
        self._kept, self._read, self._keeps = kept, read, keeps
        kept.seek(0)

    def take(self, size: int) -> bytes:
        chunk = self._kept.read(size)
        if not chunk:
            chunk = self._read(size) or b""
            if self._keeps:  # the next reader gets it again
                self._keep(chunk)
        return chunk

    def close(self) -> None:
        if not self._keeps:
            self._kept.close()
        super().close()

    def _keep(self, chunk: bytes) -> None:
        try:
            self._kept.write(chunk)
            self._kept.flush()
        except OSError as error:
            import tempfile

            where = f"cannot be kept in {tempfile.gettempdir()}, to be read once more"
            raise OSError(error.errno, f"{where}: {reason_of(error)}") from None


def unpacked(file: io.BufferedReader) -> IO[bytes]:
    """Return a file, or its content if its first bytes say that it is gzip or Zstandard."""
    start, whole = _peek(file)
    if start.startswith(_GZIP):
        from qmpcheck.streams import gunzip

        return gunzip.opened(whole)
    if _is_zstd(start):
        return cast(IO[bytes], _zstd().ZstdFile(whole))
    return whole


_LONGEST_MARK = 4


def _peek(raw: io.BufferedReader) -> tuple[bytes, io.BufferedReader]:
    """Return the first bytes, and a file that still begins with them."""
    if raw.seekable():
        return raw.peek(_LONGEST_MARK)[:_LONGEST_MARK], raw
    # A pipe cannot be rewound, and may give less at first: its first bytes are put before the rest.
    start = raw.read(_LONGEST_MARK)
    return start, io.BufferedReader(_KeptThenPipe(io.BytesIO(start), raw.read1))


def _is_zstd(start: bytes) -> bool:
    """Whether a Zstandard frame begins here, or a frame that decoders skip."""
    return start == _ZSTD or (start[1:] == _SKIPPABLE and start[0] >> 4 == _SKIPPABLE_HIGH)


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


_DECOMPRESSORS = (
    ("gzip", "BadGzipFile"),
    ("zlib", "error"),
    ("backports.zstd", "ZstdError"),
    ("compression.zstd", "ZstdError"),
)


def _decompression_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that the loaded decompressors raise for broken data."""
    # A module that was not loaded raised nothing, and loading it would take time.
    return tuple(
        getattr(sys.modules[module], name) for module, name in _DECOMPRESSORS if module in sys.modules
    )
