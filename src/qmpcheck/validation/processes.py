"""Several files checked by several processes. The results do not depend on how the work is divided."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from qmpcheck.checking.result import StreamResult
from qmpcheck.streams import source
from qmpcheck.streams.blocks import Advance
from qmpcheck.validation.files import FileChecker

if TYPE_CHECKING:
    from concurrent.futures import Future

TASK = 1 << 24
"""Bytes of files, as they are on disk, that one process takes at a time; a larger file is not divided."""

_MOST_FILES = 200
"""Files that one process takes at a time."""


def check_files(
    checker: FileChecker, paths: Sequence[str], advance: Advance = int, jobs: int = 1
) -> list[StreamResult]:
    """The results of all streams in files, in the order of the paths.

    Args:
        checker: checks a file.
        paths: files, or `-` for standard input.
        advance: takes how many bytes more were checked.
        jobs: how many processes share the files.
    """
    if jobs > 1 and len(paths) > 1:
        return [*_by_several(checker, paths, advance, jobs)]
    return [result for path in paths for result in checker.check(path, advance)]


def _by_several(
    checker: FileChecker, paths: Sequence[str], advance: Advance, jobs: int
) -> Iterator[StreamResult]:
    """The results; standard input is checked here, as no other process has it."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(jobs, initializer=_prepare, initargs=(checker,)) as pool:
        try:
            under_way: list[tuple[list[str], Future[list[StreamResult]] | None]] = [
                (task, None if task == [source.STANDARD_INPUT] else pool.submit(_check_task, task))
                for task in _tasks(paths)
            ]
            for task, future in under_way:
                if future is None:
                    yield from checker.check(source.STANDARD_INPUT, advance)
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
        return [StreamResult.unread(path, "a process that checked it was killed") for path in task]


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


_checker: FileChecker


def _prepare(checker: FileChecker) -> None:
    """Runs once in each process."""
    global _checker  # noqa: PLW0603 -- a process pool has no other place for what its processes share
    _checker = checker
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
    return [result for path in paths for result in _checker.check(path)]
