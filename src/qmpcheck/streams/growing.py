"""A stream that is still being written: lines as they arrive."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import IO

from qmpcheck.streams.blocks import BLOCK, Block, from_chunks
from qmpcheck.streams.source import Unreadable

PAUSE = 0.1
"""Seconds between two looks at a file that has not grown."""

_CHUNK = 1 << 16

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def chunks(file: IO[bytes], grows: bool) -> Iterator[bytes]:
    """What a stream has, as it comes; of one that `grows`, what it will have, too."""
    read = getattr(file, "read1", file.read)
    while (chunk := read(_CHUNK)) or grows:
        if chunk:
            yield chunk
        else:
            time.sleep(PAUSE)


class Interrupt:
    """Within it, an interrupt or a request to end stops the waiting for more and nothing else.

    `asked` tells that one came.
    """

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False

    def __enter__(self) -> Interrupt:
        self._before = {each: signal.signal(each, self._on_signal) for each in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self.asked = True
        if self._waiting:
            raise KeyboardInterrupt

    def blocks(self, file: IO[bytes], ends: bool) -> Iterator[Block]:
        """Blocks until the interrupt, or until the end of a stream that `ends`."""
        return from_chunks(self._chunks(file, ends))

    def _chunks(self, file: IO[bytes], ends: bool) -> Iterator[bytes]:
        read = getattr(file, "read1", file.read)
        while not self.asked:
            chunk = b""
            try:
                self._waiting = True
                chunk = read(BLOCK)
                if not chunk and not ends:
                    _expect_growth(file)
                    time.sleep(PAUSE)
            except KeyboardInterrupt:
                pass
            finally:
                self._waiting = False
            if chunk:
                yield chunk
            elif ends:
                return


def _expect_growth(file: IO[bytes]) -> None:
    """A plain file that is shorter than what was read of it holds another stream by now."""
    if isinstance(file, io.BufferedReader) and file.seekable() and _size(file) < file.tell():
        raise Unreadable("it became shorter while it was followed; what it held before was checked")


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size
