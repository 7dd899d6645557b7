"""Whole streams: their blocks checked and folded, by one process or by several."""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from qmpcheck.checking.check import Checker
from qmpcheck.checking.summary import Summary
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.streams import source
from qmpcheck.streams.blocks import Advance, blocks, stretch, stretches

if TYPE_CHECKING:
    from concurrent.futures import Future

    from qmpcheck.streams.growing import OnRotation

STRETCH = 1 << 24
"""Bytes that one process takes at a time."""


class Checked(NamedTuple):
    """One stream's result; `unreadable` says why it, or the rest of it, could not be read."""

    path: str
    summary: Summary
    unreadable: str = ""

    def with_told(self, told: Sequence[Diagnostic]) -> Checked:
        """The same with findings listed that were taken from the list to be told at once."""
        return self._replace(summary=self.summary.with_told(told)) if told else self


def check_stream(
    checker: Checker, path: str, advance: Advance, jobs: int = 1, complete: bool = False
) -> Checked:
    """Check one stream.

    Args:
        checker: holds the rules.
        path: a file, or `-` for standard input.
        advance: is told of progress, in bytes of the text itself.
        jobs: how many processes; more than one help where the stream is a large, plain file.
        complete: whether the stream's last session is known to be over.
    """
    size = source.size(path)
    if jobs > 1 and size is not None and size > 2 * STRETCH:
        parts = _by_several(checker, path, advance, jobs)
    else:
        parts = _by_one(checker, path, advance)
    return _fold(checker, path, parts, complete)


def _fold(checker: Checker, path: str, parts: Iterable[Summary], complete: bool) -> Checked:
    total = checker.begin()
    unreadable = ""
    try:
        for part in parts:
            total += part
    except source.Unreadable as error:
        unreadable = str(error)
    return Checked(path, total.ended(complete and not unreadable), unreadable)


Tell = Callable[[Sequence[Diagnostic], Sequence[Diagnostic]], object]
"""Is told of findings as they are made; and of follow-ups that are pending beyond their bound, each once."""


def follow_stream(
    checker: Checker, path: str, tell: Tell | None, on_rotation: OnRotation, complete: bool = False
) -> tuple[Checked, bool]:
    """Check a stream as it is written, until it ends or the user interrupts; a file never ends by itself.

    Args:
        checker: holds the rules.
        path: a file, or `-` for standard input.
        tell: is told of findings at once, and the result does not list them; None keeps them for the result.
        on_rotation: is told that another file has the path now; lines are counted on.
        complete: whether the stream's last session is known to be over at the end.

    Returns:
        The result, and whether it was interrupted.
    """
    from qmpcheck.streams.growing import Interrupt

    total, unreadable = checker.begin(), ""
    known: set[tuple[int, str]] = set()
    with Interrupt() as interrupt:
        try:
            for block in interrupt.blocks(path, on_rotation):
                total += checker.check_block(block)
                if tell:
                    overdue = total.overdue(known)
                    known.update((each.line, each.rule) for each in overdue)
                    tell(total.listed, overdue)
                    total = total.without_list()
        except source.Unreadable as error:
            unreadable = str(error)
    return Checked(path, total.ended(complete and not unreadable), unreadable), interrupt.asked


def _by_one(checker: Checker, path: str, advance: Advance) -> Iterator[Summary]:
    with source.opened(path) as file:
        yield from map(checker.check_block, blocks(file, advance=advance))


def _by_several(checker: Checker, path: str, advance: Advance, jobs: int) -> Iterator[Summary]:
    """Each process checks stretches; no more are under way than keep the processes busy."""
    from concurrent.futures import ProcessPoolExecutor

    with (
        source.opened(path) as file,
        ProcessPoolExecutor(jobs, initializer=_prepare, initargs=(checker,)) as pool,
    ):
        under_way: deque[tuple[int, Future[Summary]]] = deque()
        for begin, end in stretches(file, STRETCH):
            under_way.append((end - begin, pool.submit(_check_stretch, path, begin, end)))
            if len(under_way) > 2 * jobs:
                yield _next(under_way, advance)
        while under_way:
            yield _next(under_way, advance)


def _next(under_way: deque[tuple[int, Future[Summary]]], advance: Advance) -> Summary:
    from concurrent.futures import BrokenExecutor

    length, future = under_way.popleft()
    try:
        summary = future.result()
    except BrokenExecutor:
        raise source.Unreadable("a process that checked it was killed") from None
    advance(length)
    return summary


_checker: Checker


def _prepare(checker: Checker) -> None:
    """Runs once in each process."""
    global _checker  # noqa: PLW0603 -- a process pool has no other place for what its processes share
    _checker = checker


def _check_stretch(path: str, begin: int, end: int) -> Summary:
    with open(path, "rb") as file:
        return functools.reduce(operator.add, map(_checker.check_block, stretch(file, begin, end)))
