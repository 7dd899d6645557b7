"""Several files as one stream: what a log was rotated into."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

import msgspec

from qmpcheck.streams import source
from qmpcheck.streams.blocks import BLOCK, chunks
from qmpcheck.streams.stored_file import RawBytes, StoredFile
from qmpcheck.text import safe


class Seam(msgspec.Struct, frozen=True):
    """Where two of the files meet: a checker must not take the lines around it for one unbroken stream.

    Attributes:
        line: the number of the last line before it.
        is_gap: whether messages may be missing there.
        is_cut: whether that line lacks its newline.
    """

    line: int
    is_gap: bool
    is_cut: bool


class JoinedFiles(RawBytes):
    """The bytes of files one after the other, decompressed; each file begins on a line of its own.

    Args:
        files: in the order in which they were written.
        gaps: the positions of the files before which another one may be missing.
        ahead: as for `source.opened`.

    Attributes:
        seams: those of the files that were begun. An empty file may be there for one whose content was lost.
    """

    def __init__(self, files: Sequence[StoredFile], gaps: Collection[int] = (), ahead: bool = False) -> None:
        self._files, self._gaps, self._ahead = files, gaps, ahead
        self.seams: list[Seam] = []
        self._starts: list[int] = []
        self._rest = b""
        self._chunks = self._all_chunks()

    def take(self, size: int) -> bytes:  # noqa: D102 -- as the class it extends
        self._rest = self._rest or next(self._chunks, b"")
        chunk, self._rest = self._rest[:size], self._rest[size:]
        return chunk

    def _all_chunks(self) -> Iterator[bytes]:
        lines, is_empty, is_cut = 0, False, False
        for at, file in enumerate(self._files):
            # A file without content may once have had some, so messages may be missing there.
            was_empty, is_empty = is_empty, True
            for chunk in _of_file(file, self._ahead):
                if is_empty:
                    self._begin(lines, was_empty or at in self._gaps, is_cut)
                    is_empty = False
                yield chunk
                lines += chunk.count(b"\n")
                is_cut = not chunk.endswith(b"\n")
            if is_empty:
                self._begin(lines, True, is_cut)
            elif is_cut and at + 1 < len(self._files):  # or the next file's first line would be glued to it
                yield b"\n"
                lines += 1

    def _begin(self, lines: int, is_gap: bool, is_cut: bool) -> None:
        if self._starts:
            self.seams.append(Seam(lines, is_gap, is_cut))
        self._starts.append(lines)

    @property
    def begins(self) -> tuple[tuple[str, int], ...]:
        """The path of each file that was begun, and how many lines come before it."""
        return tuple((file.path, start) for file, start in zip(self._files, self._starts, strict=False))

    def place(self, line: int) -> tuple[str, int]:
        """Return the path of the file that a line of the whole is in, and its number there."""
        at = bisect_left(self._starts, line) - 1  # of files that begin at one line, only the last has some
        return self._files[at].path, line - self._starts[at]


def _of_file(file: StoredFile, ahead: bool) -> Iterator[bytes]:
    try:
        with source.opened(file.path, ahead, file.size) as opened:
            is_first = True
            for chunk in chunks(opened, BLOCK, int):
                if chunk := chunk.removeprefix(b"\xef\xbb\xbf") if is_first else chunk:
                    yield chunk
                is_first = False
    except source.Unreadable as error:
        raise source.Unreadable(f"{safe(file.path)}: {error}") from None
