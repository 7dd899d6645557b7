"""Record and check the QEMUs of a test: what the pytest plugin does, without pytest."""

from __future__ import annotations

import functools
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

from qmpcheck.codes import STREAM_CODES, Severity
from qmpcheck.recording.listener import Listener, RecordedConnection
from qmpcheck.reports import streamstext
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.text import quoted, safe
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import of_path
from qmpcheck.validation.spec_choice import AUTO

_MOST = 100
"""Findings that are listed for one recording; all are counted."""


class Settings(NamedTuple):
    """How recordings are checked.

    Attributes:
        spec: its name, or `auto`.
        ignore: codes of findings that are not wanted, or beginnings of codes.
        assume: command-line options that QEMU was given.
        complete: whether every QEMU has ended in order, so that nothing more can follow.
    """

    spec: str = AUTO
    ignore: tuple[str, ...] = ()
    assume: tuple[str, ...] = ()
    complete: bool = False


class Result(NamedTuple):
    """The result of checking a test's recordings.

    Attributes:
        report: each recording's counts and findings, as `validate` prints them.
        has_errors: whether a finding is an error.
        unchecked: why something could not be checked.
    """

    report: str
    has_errors: bool
    unchecked: tuple[str, ...]


class Recorder:
    """Gives each QEMU of a test one more monitor, and records what it sends there.

    Args:
        folder: where the recordings are kept.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.fspath(folder)
        self._listeners: list[Listener] = []
        self._stack = ExitStack()

    def qemu_options(self) -> list[str]:
        """Return the options that give one QEMU a monitor of ours. Call it once for each machine.

        The same machine may be started several times with them, one time after the other.
        """
        if not self._listeners:  # a folder with a short name: few bytes fit into a socket's
            self._sockets = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="qmpcheck-"))
        name = f"qmpcheck{len(self._listeners) + 1}"
        path = os.path.join(self._sockets, name)
        listener = Listener(path, _files(os.path.join(self._folder, name)))
        self._listeners.append(self._stack.enter_context(listener))
        chardev = f"socket,id={name},path={path.replace(',', ',,')}"
        return ["-chardev", chardev, "-qmp", f"chardev:{name}"]

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def recordings(self) -> list[RecordedConnection]:
        """The recordings that have ended, machine by machine."""
        return [recording for listener in self._listeners for recording in listener.recordings]

    @property
    def missing(self) -> list[str]:
        """The machines that were not recorded, in words."""
        if not self._listeners:
            return ["no QEMU was recorded: qemu_options() was not called"]
        return [
            f"no QEMU connected to the recorder (machine {number} of {len(self._listeners)}): "
            "was it started with the options that qemu_options() gave?"
            for number, listener in enumerate(self._listeners, 1)
            if not listener.recordings
        ]


def _files(stem: str) -> Iterator[str]:
    """Yield a name for each time that a machine is started."""
    yield f"{stem}.jsonl"
    number = 2
    while True:
        yield f"{stem}-{number}.jsonl"
        number += 1


def validate_settings(settings: Settings) -> None:
    """Check settings, as far as that is possible without a recording.

    Raises:
        SpecError: there is no such spec, code or option.
    """
    _unwanted(settings.ignore)
    _file_checker(settings)


def check(recorder: Recorder, settings: Settings) -> Result:
    """Check all recordings of a recorder that has ended."""
    results = [_checked(recording, settings) for recording in recorder.recordings]
    return Result(
        "".join(result.report for result in results),
        any(result.has_errors for result in results),
        (*recorder.missing, *(reason for result in results for reason in result.unchecked)),
    )


def _checked(recording: RecordedConnection, settings: Settings) -> Result:
    path = recording.path
    lost = f"{safe(path)}: {recording.lost}\n" if recording.lost else ""
    problems = [f"{safe(path)}: {recording.problem}"] if recording.problem else []
    # Nothing was recorded, so there is nothing to check beside the problem.
    if problems and not (os.path.exists(path) and os.path.getsize(path)):
        return Result(lost, False, tuple(problems))
    try:
        [checked] = _file_checker(settings).check(of_path(path))
    except SpecError as error:
        return Result(lost, False, (*problems, f"{safe(path)}: {error}"))
    out = io.StringIO()
    streamstext.write([checked], out)
    if reason := checked.unchecked:
        problems.append(f"{safe(path)}: {reason}")
    return Result(out.getvalue() + lost, checked.count(Severity.ERROR) > 0, tuple(problems))


_found = functools.cache(catalogue.find)
"""There are many tests, and a binary need be asked only once."""


def _file_checker(settings: Settings) -> FileChecker:
    recipe = Recipe(
        codes=STREAM_CODES - _unwanted(settings.ignore),
        max_findings=_MOST,
        assume=settings.assume,
        complete=settings.complete,
    )
    return FileChecker(recipe, None if settings.spec == AUTO else _found(settings.spec), "jsonl")


def _unwanted(beginnings: tuple[str, ...]) -> frozenset[str]:
    for beginning in beginnings:
        if not beginning or not any(code.startswith(beginning) for code in STREAM_CODES):
            raise SpecError(f"ignore: no code here begins with {quoted(beginning)}")
    return frozenset(code for code in STREAM_CODES if code.startswith(beginnings))
