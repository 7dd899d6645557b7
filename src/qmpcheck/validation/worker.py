"""What a worker runs: one task, in a process that may be on another machine."""

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
    """The version of qmpcheck, and a digest of the releases that were added to its catalogue, if any."""
    added = hashlib.sha256()
    names = [each.name for each in local_rules.releases()]
    for each in local_rules.releases():
        added.update(rulebase.dump(each.rule_base))
    return (
        f"{qmpcheck.__version__} with {', '.join(names)} ({added.hexdigest()[:8]})"
        if names
        else qmpcheck.__version__
    )


class _Mine(threading.local):
    """The checker of a thread, and what it was made from: it is used for all tasks of one run."""

    made_from = b""
    checker: FileChecker


_mine = _Mine()


def check_task(checker: bytes, recordings: Sequence[Recording], expected: str) -> list[list[StreamResult]]:
    """The results of each recording.

    Args:
        checker: a pickled FileChecker.
        recordings: those of the task.
        expected: the `edition` of the one who asks.

    Raises:
        SpecError: this is another edition, whose results could differ.
    """
    if edition() != expected:
        raise SpecError(
            f"a worker has qmpcheck {edition()}, this machine {expected}; install the same version on both"
        )
    if _mine.made_from != checker:
        _mine.checker, _mine.made_from = pickle.loads(checker), checker  # noqa: S301 -- from our own process
    return all_checked(_mine.checker, recordings)
