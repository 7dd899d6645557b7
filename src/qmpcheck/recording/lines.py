"""Chunks of bytes to whole lines."""

from __future__ import annotations

from qmpcheck.streams.blocks import LONGEST


class TooLong(Exception):
    """A line has not ended after as many bytes as one may have."""


class Lines:
    """Holds back the line that has only begun: `rest` is what there is of it."""

    def __init__(self, longest: int = LONGEST) -> None:
        self.rest = bytearray()
        self._longest = longest

    def feed(self, chunk: bytes) -> bytes:
        """The lines that are whole with this chunk.

        Raises:
            TooLong: the line that has begun is longer than any may be.
        """
        end = chunk.rfind(b"\n") + 1
        if end:
            whole = bytes(self.rest) + chunk[:end]
            self.rest[:] = chunk[end:]
            return whole
        self.rest += chunk
        if len(self.rest) > self._longest:
            raise TooLong
        return b""
