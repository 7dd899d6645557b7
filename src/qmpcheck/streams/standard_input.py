"""Open standard input several times, though it can be read only once: keep what was read ahead."""

from __future__ import annotations

import io
import sys
from typing import IO, Any

from qmpcheck.streams.wholefile import WholeFile

_MOST_IN_MEMORY = 1 << 22
"""How many bytes are kept in memory; more go to disk."""

_kept: IO[bytes] | None = None


def standard_input(ahead: bool) -> io.BufferedReader:
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
    return io.BufferedReader(_KeptThenPipe(kept, pipe, ahead) if kept else pipe)


class _KeptThenPipe(io.RawIOBase):
    """The bytes that were kept, then the rest of a pipe; if `keeps`, that is kept as well."""

    def __init__(self, kept: IO[bytes], pipe: io.RawIOBase, keeps: bool) -> None:
        self._kept, self._pipe, self._keeps = kept, pipe, keeps
        kept.seek(0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._kept.read(len(buffer))
        if not chunk:
            chunk = self._pipe.read(len(buffer)) or b""
            if self._keeps:
                self._keep(chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)

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
            raise OSError(error.errno, f"{where}: {error.strerror}") from None
