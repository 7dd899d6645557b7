"""Check the recordings that a command line names: find them, choose the workers, show the progress."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING

from qmpcheck.cli import inputs
from qmpcheck.cli.messages import notify
from qmpcheck.cli.report_option import TABLES
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import source
from qmpcheck.streams.stored_file import StoredFile, scheme
from qmpcheck.text import quoted, reason_of, safe
from qmpcheck.validation import joining, tasks
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording
from qmpcheck.validation.results import Results
from qmpcheck.validation.tasks import ThisProcess, Workers

if TYPE_CHECKING:
    from qmpcheck.cli.progress import ProgressBar
    from qmpcheck.validation.state import KeptResults


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--jobs`, `--cluster`, `--join` and `--state`."""
    several = parser.add_mutually_exclusive_group()
    several.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="check the files in N processes (default: 1)"
    )
    several.add_argument(
        "--cluster",
        type=_cluster,
        metavar="ADDRESS",
        help="check the files on the workers of a Dask cluster: tcp://SCHEDULER:8786, or local:N to start "
        "one with N processes here",
    )
    parser.add_argument(
        "--state",
        metavar="FOLDER",
        help="keep results in this folder, or at this URL, and check only files that are new or have changed",
    )
    parser.add_argument(
        "--join",
        type=_pattern,
        metavar="REGEX",
        help="join the files of one VM to one stream, in the order of their names: the group (...) in the "
        "regular expression matches the VM's name in a path. A log and its rotated parts (.1, .2.gz) are "
        "always joined",
    )


def results(options: argparse.Namespace, checker: FileChecker) -> Results:
    """Check all recordings, and return the results of their streams, in order.

    Raises:
        SpecError: a path means no file, or a folder or a URL cannot be read.
    """
    found = Results()
    with _state(options, checker) as state, _progress(options) as progress:
        is_here = options.jobs == 1 and not options.cluster
        here = ThisProcess(checker, progress.advance if progress and is_here else int)
        recordings = _recordings(options)
        with _workers(options, checker, here) as workers:
            for done in tasks.checked(recordings, workers, here, state.known if state else lambda _: None):
                if state:  # after each task, so that a run that is stopped need not begin again
                    with _state_errors(options):
                        state.keep(done)
                for each in done:
                    found.add(each.results)
                    if progress:
                        progress.done(each, counts_bytes=not is_here)
        if state:
            with _state_errors(options):
                state.compact()
    if not len(found):
        raise SpecError(f"{safe(options.streams[0])}: no file in it, except those of the state")
    return found


def keeps_excerpts(options: argparse.Namespace) -> bool:
    """Return whether findings need excerpts now: when they are reported, the files may be out of reach."""
    return bool(options.cluster or options.state) or any(each.format == TABLES for each in options.reports)


@contextmanager
def _state(options: argparse.Namespace, checker: FileChecker) -> Iterator[KeptResults | None]:
    if not options.state:
        yield None
        return
    from qmpcheck.validation.state import KeptResults, digest
    from qmpcheck.validation.worker import edition

    with _state_errors(options):
        state = KeptResults(options.state, digest([edition(), checker.identity()]))
    for path in state.damaged:
        notify(f"{safe(path)} is damaged; its recordings are checked again")
    with closing(state):
        yield state


@contextmanager
def _state_errors(options: argparse.Namespace) -> Iterator[None]:
    """Raise an error of the system in the block as one that names the option."""
    try:
        yield
    except OSError as error:
        raise SpecError(f"--state {safe(options.state)}: {reason_of(error)}") from None


def _workers(
    options: argparse.Namespace, checker: FileChecker, here: ThisProcess
) -> AbstractContextManager[Workers]:
    if options.cluster:
        from qmpcheck.validation.cluster import Cluster

        return Cluster(checker, options.cluster)
    if options.jobs == 1:
        return nullcontext(here)
    from qmpcheck.validation.processes import Processes

    return Processes(checker, options.jobs)


def _recordings(options: argparse.Namespace) -> Iterator[Recording]:
    """Yield the recordings while their files are listed.

    Raises:
        SpecError: a path means no file.
    """
    if options.cluster and not options.cluster.startswith("local"):
        for path in options.streams:
            if not (scheme(path) or os.path.isabs(path) or path == source.STANDARD_INPUT):
                raise SpecError(
                    f"{safe(path)}: the workers are in other folders: give the whole path, or a URL"
                )
    started = [_started(inputs.files(path)) for path in options.streams]
    files: Iterator[StoredFile] = chain.from_iterable(started)
    if options.state:
        state = f"{options.state.rstrip('/')}/"
        # The folder with the results may be in the folder with the recordings.
        files = (file for file in files if not file.path.startswith(state))
    return joining.by_pattern(files, options.join) if options.join else joining.rotated(files)


def _started(files: Iterator[StoredFile]) -> Iterator[StoredFile]:
    """Return the files, and find the first one now: a wrong path is an error before anything is checked."""
    first = next(files, None)
    return files if first is None else chain([first], files)


def _progress(options: argparse.Namespace) -> AbstractContextManager[ProgressBar | None]:
    """Return a progress bar on standard error, or none if that is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext(None)
    from qmpcheck.cli.progress import bar

    sizes = [source.size(path) for path in options.streams]
    return bar(None if None in sizes else sum(filter(None, sizes)))


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a regular expression: {error}") from None
    if not pattern.groups:
        raise argparse.ArgumentTypeError(f"{quoted(text)} needs a group (...) around the name of the VM")
    return pattern


def _cluster(text: str) -> str:
    kind, colon, number = text.partition(":")
    if kind == "local" and colon and not (number.isdecimal() and int(number)):
        raise argparse.ArgumentTypeError(
            f"expected tcp://SCHEDULER:8786, or local:N for N processes, not {quoted(text)}"
        )
    return text


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of processes, at least 1, not {quoted(text)}")
    return int(text)
