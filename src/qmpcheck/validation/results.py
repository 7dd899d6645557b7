"""The results of any number of streams, in bounded memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import IO

from qmpcheck.checking.result import StreamResult

_IN_MEMORY = 1000
"""How many results are kept in memory; further ones are on disk."""


class Results(Collection[StreamResult]):
    """Results in the order in which they were added: the first in memory, the others in a temporary file."""

    def __init__(self) -> None:
        self._first: list[StreamResult] = []
        self._others: IO[bytes] | None = None
        self._number = 0

    def add(self, results: Sequence[StreamResult]) -> None:
        """Add the results of a recording."""
        self._number += len(results)
        # A timeline cannot be written as a row. Only a page shows it, and a page shows few streams.
        if self._number <= _IN_MEMORY or any(each.timeline for each in results):
            self._first += results
            return
        from qmpcheck.validation import rows

        if self._others is None:
            import tempfile

            self._others = tempfile.TemporaryFile()  # noqa: SIM115 -- it is gone when this object is
        self._others.write(rows.dump(results).encode() + b"\n")

    def __len__(self) -> int:
        return self._number

    def __contains__(self, result: object) -> bool:
        return any(each == result for each in self)

    def __iter__(self) -> Iterator[StreamResult]:
        yield from self._first
        if self._others is None:
            return
        from qmpcheck.validation import rows

        at, end = 0, self._others.seek(0, 2)
        while at < end:  # between two results, the caller may begin another iteration, which moves the file
            self._others.seek(at)
            line = self._others.readline()
            at += len(line)
            yield from rows.load(line)
            self._others.seek(0, 2)
