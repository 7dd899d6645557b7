"""Many recordings, checked a task at a time, here or by workers. The results do not depend on which it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.specs.catalogue import Spec, SpecName
from qmpcheck.streams import source
from qmpcheck.streams.blocks import Advance
from qmpcheck.streams.stored_file import scheme
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording

TASK = 1 << 24
"""Bytes of recordings, as they are stored, in one task; a larger recording is not divided."""

MOST_RECORDINGS = 200
"""In one task: as many small ones take about as long as `TASK` bytes."""


_FIRST, _FEW, _STEP, _DOUBLED = 1 << 19, 4, 16, 6
"""The limits of the first tasks, which double after each `_STEP` tasks: few recordings are divided, too."""


class Done(NamedTuple):
    """A recording and the results of its streams; `is_new` if it was checked and not known before."""

    recording: Recording
    results: list[StreamResult]
    is_new: bool


class Lost(Exception):
    """A task that ended before its results came; the text says why."""


class Gone(Exception):
    """There is nothing any more that takes tasks; the text says why."""


class Workers(Protocol):
    """What checks tasks."""

    @property
    def most(self) -> int:
        """How many tasks are submitted before the results of the first are asked for."""

    def submit(self, recordings: Sequence[Recording]) -> Any:
        """Have them checked; returns what `results` takes.

        Raises:
            Gone: nothing will check them.
        """

    def results(self, handle: Any) -> list[list[StreamResult]]:
        """The results of each recording that was submitted, when they are there.

        Raises:
            Lost: they will not come.
            Gone: none will come any more.
        """


class Here:
    """Checks in this process, when the results are asked for.

    Args:
        checker: checks a recording.
        advance: takes how many bytes more were checked.
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


def with_drift(findings: Sequence[Finding], spec: Spec | SpecName | None) -> tuple[Finding, ...]:
    """The findings, with what other releases say of each; a clean stream needs none of them."""
    if not findings or spec is None:
        return tuple(findings)
    from qmpcheck.drift import availability

    return availability.availability_for(spec.id, spec.newer).with_drift(findings)


def all_checked(
    checker: FileChecker, recordings: Sequence[Recording], advance: Advance = int
) -> list[list[StreamResult]]:
    """The results of each recording.

    Args:
        checker: checks a recording.
        recordings: those of one task.
        advance: takes how many bytes more were checked.
    """
    found: list[list[StreamResult]] = []
    ahead = 0
    for at, recording in enumerate(recordings):
        if at >= ahead and scheme(recording.path):
            ahead = at + _fetch(recordings[at:])
        found.append(_checked(checker, recording, advance))
    return found


def _fetch(recordings: Sequence[Recording]) -> int:
    """Fetch small files ahead, together; returns for how many recordings there is nothing more to fetch."""
    from qmpcheck.streams import remote

    sizes = accumulate(max(1, each.size) for each in recordings)
    number = max(1, sum(size <= remote.FETCHED for size in sizes))
    remote.fetch(file for each in recordings[:number] for file in each.files if each.size <= remote.FETCHED)
    return number


def _checked(checker: FileChecker, recording: Recording, advance: Advance = int) -> list[StreamResult]:
    results = checker.check(recording, advance)
    return [
        each._replace(listed=with_drift(each.listed, each.spec)) if each.listed else each for each in results
    ]


Known = Callable[[Recording], list[StreamResult] | None]
"""Returns the results of a recording that an earlier run checked; None if there are none."""


def checked(
    recordings: Iterable[Recording], workers: Workers, here: Here, known: Known = lambda _: None
) -> Iterator[list[Done]]:
    """The results of recordings, task by task, in order.

    Recordings are taken as tasks are submitted, and few tasks are under way at a time: memory does not grow
    with their number.

    Args:
        recordings: what to check.
        workers: check it.
        here: checks standard input, which no other process has.
        known: gives results that need no check.
    """
    under_way: deque[_Task] = deque()
    for task in _tasks(recordings, known):
        is_input = any(each.path == source.STANDARD_INPUT for each, _ in task)
        under_way.append(_Task(task, here if is_input else workers))
        while len(under_way) > workers.most:
            yield under_way.popleft().done()
    while under_way:
        yield under_way.popleft().done()


_Item = tuple[Recording, list[StreamResult] | None]


def _tasks(recordings: Iterable[Recording], known: Known) -> Iterator[list[_Item]]:
    """Recordings, grouped so that what is to be checked of a task is worth sending to a process."""
    task: list[_Item] = []
    size = number = 0
    for recording in recordings:
        found = known(recording)
        alone = recording.path == source.STANDARD_INPUT
        more = 0 if found else recording.size
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
    """A task under way: the part of it that is not known was submitted."""

    def __init__(self, items: list[_Item], workers: Workers) -> None:
        self._items, self._workers = items, workers
        self._new = [recording for recording, found in items if found is None]
        self._handle: Any = None
        self._gone = ""
        if self._new:
            self._submit()

    def _submit(self) -> None:
        try:
            self._handle = self._workers.submit(self._new)
        except Gone as gone:
            self._gone = str(gone)

    def done(self) -> list[Done]:
        """Its recordings with their results."""
        new = iter(self._results() if self._new else ())
        return [
            Done(recording, next(new) if found is None else found, found is None)
            for recording, found in self._items
        ]

    def _results(self) -> list[list[StreamResult]]:
        """The results of what was submitted. A task that is lost is repeated, at last in its parts."""
        reason = self._gone
        for attempt in range(_ATTEMPTS):
            if self._gone:
                return [[StreamResult.unread(each.path, self._gone)] for each in self._new]
            try:
                return self._workers.results(self._handle)
            except Gone as gone:
                self._gone = str(gone)
            except Lost as lost:
                reason = str(lost)
                if attempt + 1 < _ATTEMPTS:
                    self._submit()
        if self._gone or len(self._new) == 1:
            return [[StreamResult.unread(each.path, self._gone or reason)] for each in self._new]
        return [_Task([(each, None)], self._workers).done()[0].results for each in self._new]


_ATTEMPTS = 3
"""How often a task is submitted; one that ends its process each time is not the others' fault."""
