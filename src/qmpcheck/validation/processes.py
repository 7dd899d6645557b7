"""Several processes of this machine that check recordings."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import nullcontext
from types import TracebackType

from qmpcheck.checking.result import StreamResult
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording, of_path
from qmpcheck.validation.tasks import Here, Lost, checked
from qmpcheck.validation.worker import check_task, edition


def check_files(checker: FileChecker, paths: Iterable[str], jobs: int = 1) -> list[StreamResult]:
    """The results of all streams in files, in order, each file by itself; `jobs` processes share them."""
    here = Here(checker)
    with Processes(checker, jobs) if jobs > 1 else nullcontext(here) as workers:
        found = checked(map(of_path, paths), workers, here)
        return [result for task in found for done in task for result in done.results]


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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        self._pool.shutdown(wait=not kind, cancel_futures=True)
        if kind:
            import multiprocessing

            for process in multiprocessing.active_children():
                process.terminate()

    def submit(self, recordings: Sequence[Recording]) -> _Handle:
        """See `Workers`."""
        self._pool = self._pool or self._begun()
        try:
            return self._pool, self._pool.submit(check_task, self._checker, recordings, edition())
        except BrokenExecutor:
            self._pool = None
            return self.submit(recordings)

    def results(self, handle: _Handle) -> list[list[StreamResult]]:
        """See `Workers`."""
        pool, future = handle
        try:
            return future.result()
        except BrokenExecutor:
            if pool is self._pool:
                self._pool = None
            raise Lost("a process that checked it was killed") from None

    def _begun(self) -> ProcessPoolExecutor:
        import multiprocessing

        # The threads of fsspec do not survive a fork.
        context = multiprocessing.get_context("spawn" if "fsspec" in sys.modules else None)
        return ProcessPoolExecutor(self._jobs, context, _prepare)


def _prepare() -> None:
    """Runs once in each process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent ends, whatever ended it."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
