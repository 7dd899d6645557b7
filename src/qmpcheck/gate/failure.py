"""Why a scenario could not be played to its end; what its events say is another matter."""

from __future__ import annotations

import errno
import os

from qmpcheck.text import safe, shortened

CRASHED, HUNG, LACKS, FAILED, STOPPED = "crashed", "hung", "lacks", "failed", "stopped"
"""The process ended; it did not answer; the build has no such thing; an answer was not the one expected; the
user stopped the gate."""


class Failure(Exception):
    """A scenario cannot go on.

    Args:
        kind: `CRASHED`, `HUNG`, `LACKS`, `FAILED` or `STOPPED`.
        text: what happened; from anywhere.
    """

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = safe(shortened(" ".join(text.split()), 200))
        super().__init__(f"{kind}: {self.text}")

    def __reduce__(self) -> tuple[type[Failure], tuple[str, str]]:
        return Failure, (self.kind, self.text)


_FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT)))


def is_full(text: str) -> bool:
    """Whether it says that the disk is full, which is no fault of the build."""
    return any(reason in text for reason in _FULL)
