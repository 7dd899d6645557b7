"""The events of jobs: the statuses that each passes through, and what block jobs send in addition."""

from __future__ import annotations

from typing import Any

from qmpcheck.gate.expectations import ANYTHING, Expectation, Expectations, Expected, Repeated, expected

SIZE = 1 << 16
"""Bytes of an image: as many as a job reads at once, so that it has one request."""


def statuses(*each: str) -> Expectations:
    """The steps of a job that has these statuses, one after the other."""
    return tuple(expected("JOB_STATUS_CHANGE", id="job0", status=status) for status in each)


PAUSES = Repeated(statuses("paused", "running"))
"""A job may pause and resume by itself, any number of times, whenever a node is drained."""

BEGINS = (*statuses("created", "running"), PAUSES)
SUCCEEDS = statuses("waiting", "pending")
FAILS = statuses("aborting")
ENDS = statuses("concluded", "null")


def done(**where: Any) -> Expected:
    """The event at the end of a backup."""
    return expected("BLOCK_JOB_COMPLETED", device="job0", type="backup", len=SIZE, speed=0, **where)


def failed(action: str) -> Expected:
    """The event of a job that could not read what it copies."""
    return expected("BLOCK_JOB_ERROR", device="job0", operation="read", action=action)


def copied(*while_running: Expectation) -> Expectations:
    """The steps of a backup that reaches its end."""
    return (*BEGINS, *while_running, PAUSES, *SUCCEEDS, done(offset=SIZE), *ENDS)


def not_copied(*while_running: Expectation) -> Expectations:
    """The steps of a backup that cannot read its source."""
    return (*BEGINS, *while_running, PAUSES, failed("report"), *FAILS, done(offset=0, error=ANYTHING), *ENDS)
