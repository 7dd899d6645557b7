"""Check recordings by several processes of this machine."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor

from qmpcheck.checking.result import StreamResult
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording
from qmpcheck.validation.tasks import TaskLost
from qmpcheck.validation.worker import check_task, edition

_Handle = tuple[ProcessPoolExecutor, Future[list[list[StreamResult]]]]


class Processes:
    """Workers that are processes; see `tasks.Workers`. One that is killed is replaced.

    Args:
        checker: checks a recording.
        jobs: how many processes there are.
    """

    def __init__(self, checker: FileChecker, jobs: int) -> None:
        self.most = 2 * jobs
        self._checker, self._jobs = pickle.dumps(checker), jobs
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._pool is None:
            return
        self._pool.shutdown(wait=not kind, cancel_futures=True)
        if kind:  # an interrupt, for example: nobody needs the tasks under way
            import multiprocessing

            for process in multiprocessing.active_children():
                process.terminate()

    def submit(self, recordings: Sequence[Recording]) -> _Handle:
        """See `Workers`."""
        self._pool = self._pool or self._new_pool()
        try:
            return self._pool, self._pool.submit(check_task, self._checker, recordings, edition())
        except BrokenExecutor:  # one killed process makes a whole pool useless: the next one is new
            self._pool = None
            return self.submit(recordings)

    def results(self, handle: _Handle) -> list[list[StreamResult]]:
        """See `Workers`."""
        pool, future = handle
        try:
            return future.result()
        except BrokenExecutor:
            if pool is self._pool:  # otherwise another task has met this already
                self._pool = None
            raise TaskLost("a process that checked it was killed") from None

    def _new_pool(self) -> ProcessPoolExecutor:
        import multiprocessing

        # The threads of fsspec do not survive a fork.
        context = multiprocessing.get_context("spawn" if "fsspec" in sys.modules else None)
        return ProcessPoolExecutor(self._jobs, context, _prepare)


def _prepare() -> None:
    """Prepare a new process: it must end with its parent, and only then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt goes to all, and the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait until the parent ends, and end this process then: a parent that is killed cannot do it."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
