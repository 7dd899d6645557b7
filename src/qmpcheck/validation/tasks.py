"""Divide many recordings into tasks, have them checked here or by workers, and give the results in order.

The results do not depend on who checked what, nor on how many workers there were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Protocol

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.streams import source
from qmpcheck.streams.blocks import Advance
from qmpcheck.streams.stored_file import scheme
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording

TASK = 1 << 24
"""The most bytes of recordings in one task, as they are stored; a larger recording is not divided."""

MOST_RECORDINGS = 200
"""The most recordings in one task: so many small ones take about as long as `TASK` bytes."""


_FIRST, _FEW, _STEP, _DOUBLED = 1 << 19, 4, 16, 6
"""The first tasks have at most `_FIRST` bytes and `_FEW` recordings, so that few recordings are shared, too.

Both limits double after each `_STEP` tasks, `_DOUBLED` times at most.
"""


class CheckedRecording(msgspec.Struct, frozen=True):
    """A recording and the results of its streams; `is_new` says whether this run checked it."""

    recording: Recording
    results: list[StreamResult]
    is_new: bool


class TaskLost(Exception):
    """A worker ended before it had the results of a task; the text says why. Another attempt may succeed."""


class NoWorkers(Exception):
    """No worker is left; the text says why. Another attempt is useless."""


class Workers(Protocol):
    """Something that checks tasks: this process, other processes, or a cluster."""

    @property
    def most(self) -> int:
        """How many tasks are submitted before the results of the first one are waited for."""

    def submit(self, recordings: Sequence[Recording]) -> Any:
        """Begin to check the recordings of a task, and return a handle for `results`.

        Raises:
            NoWorkers: no worker is left.
        """

    def results(self, handle: Any) -> list[list[StreamResult]]:
        """Wait for the results of a task, and return those of each recording.

        Raises:
            TaskLost: they will not come.
            NoWorkers: no worker is left.
        """


class ThisProcess:
    """Checks in this process, as soon as the results are needed.

    Args:
        checker: checks a recording.
        advance: takes how many more bytes were checked.
    """

    most = 0

    def __init__(self, checker: FileChecker, advance: Advance = int) -> None:
        self._checker, self._advance = checker, advance

    def submit(self, recordings: Sequence[Recording]) -> Sequence[Recording]:
        """See `Workers`."""
        return recordings

    def results(self, handle: Sequence[Recording]) -> list[list[StreamResult]]:
        """See `Workers`."""
        return all_checked(self._checker, handle, self._advance)


def all_checked(
    checker: FileChecker, recordings: Sequence[Recording], advance: Advance = int
) -> list[list[StreamResult]]:
    """Check recordings, and return the results of each.

    Args:
        checker: checks a recording.
        recordings: the recordings of one task.
        advance: takes how many more bytes were checked.
    """
    found: list[list[StreamResult]] = []
    ahead = 0
    for at, recording in enumerate(recordings):
        # Only if this file is at a URL: local ones need no requests.
        if at >= ahead and scheme(recording.path):
            ahead = at + _fetch(recordings[at:])
        found.append(checker.check(recording, advance))
    return found


def _fetch(recordings: Sequence[Recording]) -> int:
    """Fetch the small files of the next recordings together: faster than one request after the other.

    Returns:
        How many recordings this concerns, at least 1: for those after them, call it again.
    """
    from qmpcheck.streams import remote

    sizes = accumulate(max(1, each.size) for each in recordings)
    number = max(1, sum(size <= remote.FETCHED for size in sizes))
    remote.fetch(file for each in recordings[:number] for file in each.files if each.size <= remote.FETCHED)
    return number


Known = Callable[[Recording], list[StreamResult] | None]
"""Returns the results of a recording that an earlier run checked; None if there are none."""


def checked(
    recordings: Iterable[Recording], workers: Workers, here: ThisProcess, known: Known = lambda _: None
) -> Iterator[list[CheckedRecording]]:
    """Check recordings, and yield those of one task after the other, in order, with their results.

    Recordings are listed while tasks are submitted, and few tasks are under way at a time, so memory does not
    grow with their number.

    Args:
        recordings: what to check.
        workers: check it.
        here: checks standard input, which no other process can read.
        known: returns results that need no check.
    """
    under_way: deque[_Task] = deque()
    for task in _tasks(recordings, known):
        # More tasks than workers are submitted, so that none is idle while the results of a slow one are
        # waited for: results are given in order, whichever task ends first.
        is_input = any(each.path == source.STANDARD_INPUT for each, _ in task)
        under_way.append(_Task(task, here if is_input else workers))
        while len(under_way) > workers.most:
            yield under_way.popleft().done()
    while under_way:
        yield under_way.popleft().done()


_Item = tuple[Recording, list[StreamResult] | None]


def _tasks(recordings: Iterable[Recording], known: Known) -> Iterator[list[_Item]]:
    """Yield recordings in groups: small enough to share the work, large enough to be worth sending."""
    task: list[_Item] = []
    size = number = 0
    for recording in recordings:
        found = known(recording)
        alone = recording.path == source.STANDARD_INPUT  # it is checked here, and the others by workers
        more = 0 if found else recording.size  # known results cost nothing, so many go into one task
        doubled = min(number // _STEP, _DOUBLED)
        most_bytes, most = min(_FIRST << doubled, TASK), min(_FEW << doubled, MOST_RECORDINGS)
        if task and (alone or size + more > most_bytes or len(task) >= most):
            yield task
            task, size = [], 0
            number += 1
        task.append((recording, found))
        size += more
        if alone:
            yield task
            task, size = [], 0
    if task:
        yield task


class _Task:
    """A task under way: its recordings without known results were submitted."""

    def __init__(self, items: list[_Item], workers: Workers) -> None:
        self._items, self._workers = items, workers
        self._new = [recording for recording, found in items if found is None]
        self._handle: Any = None
        self._no_workers = ""
        if self._new:
            self._submit()

    def _submit(self) -> None:
        try:
            self._handle = self._workers.submit(self._new)
        except NoWorkers as error:
            self._no_workers = str(error)

    def done(self) -> list[CheckedRecording]:
        """Wait for the task, and return its recordings with their results."""
        new = iter(self._results() if self._new else ())
        return [
            CheckedRecording(recording, next(new) if found is None else found, found is None)
            for recording, found in self._items
        ]

    def _results(self) -> list[list[StreamResult]]:
        """Return the results of what was submitted. A lost task is repeated, and at last divided.

        A recording that ends each worker that checks it is then the only one without a result.
        """
        reason = self._no_workers
        for attempt in range(_ATTEMPTS):
            if self._no_workers:
                return [[StreamResult.unread(each.path, self._no_workers)] for each in self._new]
            try:
                return self._workers.results(self._handle)
            except NoWorkers as error:
                self._no_workers = str(error)
            except TaskLost as error:
                reason = str(error)
                if attempt + 1 < _ATTEMPTS:
                    self._submit()
        if self._no_workers or len(self._new) == 1:
            return [[StreamResult.unread(each.path, self._no_workers or reason)] for each in self._new]
        return [_Task([(each, None)], self._workers).done()[0].results for each in self._new]


_ATTEMPTS = 3
"""How often a task is submitted before it is divided."""
