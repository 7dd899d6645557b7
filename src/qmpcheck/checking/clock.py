"""The rules about time alone: it does not run backwards, and rate-limited events keep their distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import sub
from typing import TypeVar

import msgspec

from qmpcheck.checking.occurrence import MICROSECONDS, Occurrence
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.printable import name
from qmpcheck.rulebase import TEXT, RateLimit, RuleBase

ALLOWANCE = MICROSECONDS
"""How far back the next event may lie: threads take their timestamps before they take their turn."""

PERIOD = MICROSECONDS
"""Between the first and the third of three rate-limited events in a row."""

Limits = dict[str, RateLimit]
"""The rate limit of each event that has one."""

KNOWN: Limits = {
    "BLOCK_IO_ERROR": RateLimit(("qom-path",), unless={"action": ("stop",)}),
    "MEMORY_DEVICE_SIZE_CHANGE": RateLimit(("qom-path",)),
    "QUORUM_REPORT_BAD": RateLimit(("node-name",)),
    "VSERPORT_CHANGE": RateLimit(("id",)),
}
"""How QEMU limits some events, at least some QEMU, where the spec does not say all of it."""

LIMITED = frozenset(
    {
        "BALLOON_CHANGE",
        "HV_BALLOON_STATUS_REPORT",
        "MEMORY_DEVICE_SIZE_CHANGE",
        "QUORUM_FAILURE",
        "QUORUM_REPORT_BAD",
        "RTC_CHANGE",
        "VSERPORT_CHANGE",
        "WATCHDOG",
    }
)
"""What QEMU rate-limited already when its schemas, up to 2.8, did not say so."""

Key = tuple[str, ...]
"""What is limited: an event, and the values that tell it apart from others of its name."""

Ends = tuple[Occurrence, ...]
"""The first two and the last two of a row of occurrences, which carry no data."""

Peaks = tuple[tuple[int, int], ...]
"""Timestamps that none behind them reaches, each with its line: the first behind a line is the greatest."""


class Clocks(msgspec.Struct, frozen=True):
    """What the timestamps of a part of a session leave to compare with what stands beside it.

    Attributes:
        first, last: of the events that are not rate-limited.
        peaks: the greatest timestamps behind each line, microseconds; only where a rule has a bound.
        limited: for each key of a rate-limited event its first two and its last two occurrences.
    """

    first: Occurrence | None = None
    last: Occurrence | None = None
    peaks: Peaks = ()
    limited: dict[Key, Ends] = {}

    def down(self, lines: int) -> Clocks:
        """The same, so many lines further down."""
        return Clocks(
            self.first and self.first.down(lines),
            self.last and self.last.down(lines),
            tuple((line + lines, time) for line, time in self.peaks),
            {key: tuple(each.down(lines) for each in ends) for key, ends in self.limited.items()},
        )


def sent_late(rule_base: RuleBase) -> frozenset[str]:
    """The events of a spec that may be sent later than they happened."""
    stated = frozenset(event for event, rule in rule_base.events.items() if rule.rate_limit)
    return stated if rule_base.source == TEXT else stated | LIMITED


def ends(row: Sequence[_Any]) -> tuple[_Any, ...]:
    """The first two and the last two of a row."""
    return tuple(row) if len(row) <= _TWO_AND_TWO else (*row[:2], *row[-2:])


_TWO_AND_TWO = 4

_Any = TypeVar("_Any")


def join(before: Clocks, after: Clocks) -> tuple[Clocks, list[Diagnostic]]:
    """The clocks of two parts that adjoin, and what is wrong between them."""
    findings = list(backwards(before.last, after.first))
    limited = dict(before.limited)
    for key, later in after.limited.items():
        row = limited.get(key, ())
        findings += crowded((*row[-2:], *later[:2]))
        limited[key] = ends((*row, *later))
    peaks = _peaks(before.peaks, after.peaks)
    return Clocks(before.first or after.first, after.last or before.last, peaks, limited), findings


def _peaks(before: Peaks, after: Peaks) -> Peaks:
    """The peaks of two parts that adjoin."""
    higher = [peak for peak in before if not after or peak[1] > after[0][1]]
    return (*higher, *after)[-_MOST_PEAKS:]


_MOST_PEAKS = 1000
"""A clock that is set back more often than that is not remembered to have been ahead."""


def backwards(before: Occurrence | None, after: Occurrence | None) -> Iterator[Diagnostic]:
    """Whether the second of two events in a row, neither of them rate-limited, happened too long before."""
    if before and after and before.time is not None and after.time is not None:
        back = before.time - after.time
        if back > ALLOWANCE:
            message = f"{back / MICROSECONDS:.6f} s earlier than the event before it, {name(before.event)}"
            yield Diagnostic("QMP305", after.line, message, name(after.event), "timestamp")


def is_backwards(times: Sequence[int]) -> bool:
    """Whether one of two in a row is too long before the other."""
    return max(map(sub, times, times[1:]), default=0) > ALLOWANCE


def is_crowded(times: Sequence[int]) -> bool:
    """Whether three in a row are too near to each other."""
    return min(map(abs, map(sub, times[2:], times)), default=PERIOD) < PERIOD


def crowded(row: Sequence[Occurrence]) -> Iterator[Diagnostic]:
    """What is wrong in a row of events that share one rate limit."""
    for first, third in zip(row, row[2:], strict=False):
        apart = abs((third.time or 0) - (first.time or 0))
        if apart < PERIOD:
            message = f"third in a row within {apart / MICROSECONDS:.6f} s; the spec allows one a second"
            yield Diagnostic("QMP304", third.line, message, name(third.event), "timestamp")
