"""The function that a worker runs for a task, in a process that may be on another machine."""

from __future__ import annotations

import functools
import hashlib
import pickle
import threading
from collections.abc import Sequence

import qmpcheck
from qmpcheck import rulebase
from qmpcheck.checking.result import StreamResult
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import local_rules
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recording import Recording
from qmpcheck.validation.tasks import all_checked


@functools.cache
def edition() -> str:
    """Return the version of qmpcheck, with a digest of the releases that the user added to its catalogue.

    Where both are the same, results are the same.
    """
    added = hashlib.sha256()
    names = [each.name for each in local_rules.releases()]
    for each in local_rules.releases():
        added.update(rulebase.dump(each.rule_base))
    return (
        f"{qmpcheck.__version__} with {', '.join(names)} ({added.hexdigest()[:8]})"
        if names
        else qmpcheck.__version__
    )


class _ThreadState(threading.local):
    """The checker of a thread, and the pickle that it was made from: all tasks of one run use it again."""

    made_from = b""
    checker: FileChecker


_state = _ThreadState()


def check_task(checker: bytes, recordings: Sequence[Recording], expected: str) -> list[list[StreamResult]]:
    """Check the recordings of a task, and return the results of each.

    Args:
        checker: a pickled `FileChecker`.
        recordings: the recordings.
        expected: the `edition` of the process that submitted the task.

    Raises:
        SpecError: this is another edition, whose results could differ.
    """
    # Before the checker is loaded: a pickle of another version may not even fit the classes of this one.
    if edition() != expected:
        raise SpecError(
            f"a worker has qmpcheck {edition()}, this machine {expected}; install the same version on both"
        )
    # To make a checker takes longer than a small task, and the tasks of one run all have the same.
    if _state.made_from != checker:
        _state.checker, _state.made_from = pickle.loads(checker), checker  # noqa: S301 -- from our own process
    return all_checked(_state.checker, recordings)
