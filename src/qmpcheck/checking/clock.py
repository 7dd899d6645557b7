"""The rules about time alone: it does not run backwards, and rate-limited events keep their distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import sub
from typing import Any, TypeVar

import msgspec

from qmpcheck.checking.occurrence import MICROSECONDS, Moment, Occurrence
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.printable import name
from qmpcheck.ratelimits import ALWAYS_LIMITED
from qmpcheck.rulebase import TEXT, RateLimit, RuleBase

ALLOWANCE = MICROSECONDS
"""How far back the next event may lie: threads take their timestamps before they take their turn."""

PERIOD = MICROSECONDS
"""Between the first and the third of three rate-limited events in a row."""

Limits = dict[str, RateLimit]
"""The rate limit of each event that has one."""

Key = tuple[str, Any]
"""What is limited: an event, and what tells it apart from others of its name; None where nothing does."""

Ends = tuple[Moment, ...]
"""The first two and the last two of a row."""

Peaks = tuple[Moment, ...]
"""Those whose time none behind them reaches: the first behind a line is the greatest."""


class Clocks(msgspec.Struct, frozen=True):
    """What the timestamps of a part of a session leave to compare with what stands beside it.

    Attributes:
        first, last: of the events that are not rate-limited.
        peaks: the greatest timestamps behind each line, microseconds; only where a rule has a bound.
        limited: for each key of a rate-limited event the first two times that it happened, and the last two.
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
            _down(self.peaks, lines),
            {key: _down(ends, lines) for key, ends in self.limited.items()},
        )


def _down(moments: Sequence[Moment], lines: int) -> tuple[Moment, ...]:
    return tuple([(line + lines, time) for line, time in moments])


def sent_late(rule_base: RuleBase) -> frozenset[str]:
    """The events of a spec that may be sent later than they happened."""
    stated = frozenset(event for event, rule in rule_base.events.items() if rule.rate_limit)
    return stated if rule_base.source == TEXT else stated | ALWAYS_LIMITED


def ends(row: Sequence[_Each]) -> tuple[_Each, ...]:
    """The first two and the last two of a row."""
    return tuple(row) if len(row) <= _TWO_AND_TWO else (*row[:2], *row[-2:])


_Each = TypeVar("_Each")

_TWO_AND_TWO = 4


def join(before: Clocks, after: Clocks) -> tuple[Clocks, list[Diagnostic]]:
    """The clocks of two parts that adjoin, and what is wrong between them."""
    findings = list(backwards(before.last, after.first))
    limited = dict(before.limited)
    for key, later in after.limited.items():
        row = limited.get(key)
        if row:
            findings += crowded(key[0], (*row[-2:], *later[:2]))
        limited[key] = ends(row + later) if row else later
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


def crowded(event: str, row: Sequence[Moment]) -> list[Diagnostic]:
    """What is wrong in a row of events of one name that share one rate limit."""
    return [
        _crowded(event, line, abs(third - first))
        for (_, first), (line, third) in zip(row, row[2:], strict=False)
        if abs(third - first) < PERIOD
    ]


def _crowded(event: str, line: int, apart: int) -> Diagnostic:
    message = f"third in a row within {apart / MICROSECONDS:.6f} s; the spec allows one a second"
    return Diagnostic("QMP304", line, message, name(event), "timestamp")
