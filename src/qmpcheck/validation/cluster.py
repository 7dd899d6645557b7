"""Check recordings by a Dask cluster, on other machines or in processes of this one."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from qmpcheck.checking.result import StreamResult
from qmpcheck.rulebase import SpecError
from qmpcheck.text import safe
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording
from qmpcheck.validation.tasks import NoWorkers, TaskLost
from qmpcheck.validation.worker import check_task, edition

_STARTS = 3
"""How often to try to start a cluster here: that fails if one of its workers is killed meanwhile."""

_PATIENCE = 120
"""Seconds to wait for a worker if there is none: one may be starting, or may be replaced."""

_CLOSING = 30
"""Seconds to wait for workers of this machine to end."""

_POLL = 5
"""Seconds between two looks whether there are workers."""


class Cluster:
    """Workers of a Dask cluster; see `tasks.Workers`. Dask itself repeats the tasks of a worker that is lost.

    Args:
        checker: checks a recording.
        address: of the scheduler, such as `tcp://scheduler:8786`; `local` or `local:N` for N processes here.

    Raises:
        SpecError: Dask is not installed, or there is no scheduler at the address.
    """

    def __init__(self, checker: FileChecker, address: str) -> None:
        try:
            import distributed
        except ImportError:
            needed = "pip install 'qmpcheck[cluster]'"
            raise SpecError(f"--cluster needs more packages: {needed}") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is reported as results
        self._checker, self._address = pickle.dumps(checker), address
        self._cluster = None
        self._no_workers = ""
        kind, _, number = address.partition(":")
        try:
            if kind == "local":
                self._cluster = _local_cluster(int(number) if number else None)
            self._client = distributed.Client(self._cluster or address, set_as_default=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise SpecError(f"--cluster {safe(address)}: {safe(str(error))}") from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(TimeoutError):  # if it takes longer, Dask ends its processes when this one ends
            self._client.close(timeout=_CLOSING)
            if self._cluster:
                self._cluster.close(timeout=_CLOSING)

    @property
    def most(self) -> int:
        """See `Workers`. Each thread has one task to check and one that waits; workers may come and go."""
        return 2 + 2 * self._threads()

    def submit(self, recordings: Sequence[Recording]) -> Any:
        """See `Workers`."""
        if self._no_workers:
            raise NoWorkers(self._no_workers)
        try:
            return self._client.submit(check_task, self._checker, recordings, edition(), pure=False)
        except Exception as error:  # of a client without a connection
            raise self._lost_scheduler() from error

    def results(self, handle: Any) -> list[list[StreamResult]]:
        """See `Workers`."""
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        idle_since: float | None = None
        while True:
            if self._no_workers:
                raise NoWorkers(self._no_workers)
            try:
                found: list[list[StreamResult]] = handle.result(timeout=_POLL)
            except KilledWorker:
                raise TaskLost("the workers that checked it were killed") from None
            except (CancelledError, CommClosedError) as error:
                if self._client.status != "running":
                    raise self._lost_scheduler() from error
                raise TaskLost("the connection to the scheduler was lost") from None
            except ImportError as error:
                raise SpecError(f"the workers at {safe(self._address)} cannot check: {error}") from None
            except TimeoutError:
                idle_since = None if self._threads() else idle_since or time.monotonic()
                if idle_since and time.monotonic() - idle_since > _PATIENCE:
                    self._no_workers = f"not checked: there was no worker for {_PATIENCE} seconds"
            else:
                return found

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except Exception:  # without a connection
            return 0

    def _lost_scheduler(self) -> NoWorkers:
        self._no_workers = f"not checked: the scheduler at {safe(self._address)} is gone"
        return NoWorkers(self._no_workers)


def _local_cluster(processes: int | None, attempts: int = _STARTS) -> Any:
    """Start a cluster of processes on this machine, and return it.

    Args:
        processes: how many; None for one for each processor.
        attempts: how often to try.

    Raises:
        RuntimeError: it cannot be started.
    """
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            dashboard_address=":0",  # any port, as others may run here, too
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError:
        if attempts == 1:
            raise
        return _local_cluster(processes, attempts - 1)
