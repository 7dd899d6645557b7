"""Why a scenario could not be played to its end. What is wrong with its events is a finding instead."""

from __future__ import annotations

import errno
import os

from qmpcheck.text import one_line

CRASHED, HUNG, LACKS, FAILED, STOPPED = "crashed", "hung", "lacks", "failed", "stopped"
"""The process ended; it did not answer; the build does not have something; an answer was not as expected; the
user stopped the gate."""


class Failure(Exception):
    """A scenario cannot go on.

    Args:
        kind: `CRASHED`, `HUNG`, `LACKS`, `FAILED` or `STOPPED`.
        text: what happened; it may come from QEMU, so it is made safe to print.
    """

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = one_line(text)
        super().__init__(f"{kind}: {self.text}")


# QEMU has no other way than the text of an error to say that a disk is full.
_FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT)))


def is_full(text: str) -> bool:
    """Whether a message says that the disk is full, which is no fault of the build."""
    return any(reason in text for reason in _FULL)
