"""Whole streams: files and standard input, checked one after the other or by several processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from qmpcheck.checking.checker import Checker
from qmpcheck.checking.result import StreamResult
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.streams import source
from qmpcheck.streams.blocks import Advance, blocks

if TYPE_CHECKING:
    from concurrent.futures import Future

    from qmpcheck.streams.growing import OnRotation

TASK = 1 << 24
"""Bytes of files, as they are on disk, that one process takes at a time; a larger file is not divided."""

_MOST_FILES = 200
"""Files that one process takes at a time."""


def check_files(
    checker: Checker, paths: Sequence[str], advance: Advance, jobs: int = 1, complete: bool = False
) -> list[StreamResult]:
    """Check streams, each as if alone.

    Args:
        checker: checks them.
        paths: files, or `-` for standard input.
        advance: takes how many bytes of text were checked, again and again.
        jobs: how many processes share the files. The results do not depend on it.
        complete: whether the streams' last sessions are known to be over.

    Returns:
        The results in the order of the paths.
    """
    if jobs > 1 and len(paths) > 1:
        return [*_by_several(checker, paths, advance, jobs, complete)]
    return [check_file(checker, path, advance, complete) for path in paths]


def check_file(checker: Checker, path: str, advance: Advance, complete: bool = False) -> StreamResult:
    """Check one stream: a file, or `-` for standard input. See `check_files`."""
    unreadable = ""
    try:
        with source.opened(path) as file:
            for block in blocks(file, advance=advance):
                checker.feed(block)
    except source.Unreadable as error:
        unreadable = str(error)
    result = checker.finish(complete and not unreadable)
    return result._replace(path=path, unreadable=unreadable)


def check_lines(checker: Checker, name: str, text: bytes, complete: bool = False) -> StreamResult:
    """Check a stream that is in memory; `name` becomes the result's path."""
    checker.feed(text.split(b"\n"))
    return checker.finish(complete)._replace(path=name)


Tell = Callable[[Sequence[Diagnostic], Sequence[Diagnostic]], object]
"""Takes findings as they are made, and triggers whose bound has passed."""


def follow_file(
    checker: Checker, path: str, tell: Tell | None, on_rotation: OnRotation, complete: bool = False
) -> tuple[StreamResult, bool]:
    """Check a stream as it is written, until it ends or the user interrupts; a file never ends by itself.

    Args:
        checker: checks it.
        path: a file, or `-` for standard input.
        tell: takes findings at once, and the result does not list them; None leaves them to the result.
        on_rotation: takes the path and the lines so far when another file has the path; lines count on.
        complete: whether the stream's last session is known to be over at the end.

    Returns:
        The result, and whether the user interrupted.
    """
    from qmpcheck.streams.growing import Interrupt

    unreadable = ""
    with Interrupt() as interrupt:
        try:
            for block in interrupt.blocks(path, on_rotation):
                checker.feed(block)
                if tell:
                    tell(checker.take(), checker.overdue())
        except source.Unreadable as error:
            unreadable = str(error)
    result = checker.finish(complete and not unreadable)
    return result._replace(path=path, unreadable=unreadable), interrupt.asked


def _by_several(
    checker: Checker, paths: Sequence[str], advance: Advance, jobs: int, complete: bool
) -> Iterator[StreamResult]:
    """The results in order; standard input is checked here, as no other process has it."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(jobs, initializer=_prepare, initargs=(checker, complete)) as pool:
        try:
            under_way: list[tuple[list[str], Future[list[StreamResult]] | None]] = [
                (task, None if task == [source.STANDARD_INPUT] else pool.submit(_check_task, task))
                for task in _tasks(paths)
            ]
            for task, future in under_way:
                if future is None:
                    yield check_file(checker, source.STANDARD_INPUT, advance, complete)
                    continue
                yield from _results(task, future)
                advance(sum(map(_size, task)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _results(task: list[str], future: Future[list[StreamResult]]) -> Iterable[StreamResult]:
    from concurrent.futures import BrokenExecutor

    try:
        return future.result()
    except BrokenExecutor:
        killed = "a process that checked it was killed"
        return [StreamResult.unread(path, killed) for path in task]


def _tasks(paths: Sequence[str]) -> Iterator[list[str]]:
    """Paths, grouped so that a task is worth sending to a process."""
    task: list[str] = []
    size = 0
    for path in paths:
        alone = path == source.STANDARD_INPUT
        if task and (alone or size + _size(path) > TASK or len(task) == _MOST_FILES):
            yield task
            task, size = [], 0
        task.append(path)
        size += _size(path)
        if alone:
            yield task
            task, size = [], 0
    if task:
        yield task


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except (OSError, ValueError):
        return 0


_checker: Checker
_complete: bool


def _prepare(checker: Checker, complete: bool) -> None:
    """Runs once in each process."""
    global _checker, _complete
    _checker, _complete = checker, complete
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent ends, whatever ended it."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _check_task(paths: list[str]) -> list[StreamResult]:
    return [check_file(_checker, path, int, _complete) for path in paths]
