"""The rules about time alone: it does not run backwards, and rate-limited events keep their distance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from qmpcheck.checking.occurrence import MICROSECONDS, Occurrence, member
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

_Key = tuple[str, ...]

Ends = tuple[Occurrence, ...]
"""The first two and the last two of a row of occurrences."""


class Clocks(msgspec.Struct, frozen=True):
    """What the timestamps of a part of a session leave to compare with what stands beside it.

    Attributes:
        first, last: of the events that are not rate-limited.
        latest: the greatest timestamp of all, microseconds.
        limited: for each key of a rate-limited event its first two and its last two occurrences.
    """

    first: Occurrence | None = None
    last: Occurrence | None = None
    latest: int | None = None
    limited: dict[_Key, Ends] = {}

    def down(self, lines: int) -> Clocks:
        """The same, so many lines further down."""
        return Clocks(
            self.first and self.first.down(lines),
            self.last and self.last.down(lines),
            self.latest,
            {key: tuple(each.down(lines) for each in ends) for key, ends in self.limited.items()},
        )


def sent_late(rule_base: RuleBase) -> frozenset[str]:
    """The events of a spec that may be sent later than they happened."""
    stated = frozenset(event for event, rule in rule_base.events.items() if rule.rate_limit)
    return stated if rule_base.source == TEXT else stated | LIMITED


def of_limited(events: Iterable[Occurrence], limits: Limits) -> tuple[dict[_Key, Ends], list[Diagnostic]]:
    """The ends of each key's row of rate-limited events, and what is wrong within the rows."""
    rows: dict[_Key, list[Occurrence]] = {}
    for event in events:
        limit = limits[event.event]
        if event.time is not None and not (limit.unless and _is_sent_at_once(event, limit)):
            values = [repr(member(event.data, (key,))) for key in limit.key] if limit.key else ()
            rows.setdefault((event.event, *values), []).append(event)
    findings = [finding for row in rows.values() for finding in _crowded(row)]
    return {key: _ends(row) for key, row in rows.items()}, findings


def _is_sent_at_once(event: Occurrence, limit: RateLimit) -> bool:
    """Whether it is not limited, though others of its name are."""
    return any(member(event.data, (name,)) in values for name, values in limit.unless.items())


def _ends(row: Sequence[Occurrence]) -> Ends:
    return tuple(row) if len(row) <= _TWO_AND_TWO else (*row[:2], *row[-2:])


_TWO_AND_TWO = 4


def join(before: Clocks, after: Clocks) -> tuple[Clocks, list[Diagnostic]]:
    """The clocks of two parts that adjoin, and what is wrong between them."""
    findings = list(backwards(before.last, after.first))
    limited = dict(before.limited)
    for key, ends in after.limited.items():
        row = limited.get(key, ())
        findings += _crowded((*row[-2:], *ends[:2]))
        limited[key] = _ends((*row, *ends))
    latest = max((each.latest for each in (before, after) if each.latest is not None), default=None)
    return Clocks(before.first or after.first, after.last or before.last, latest, limited), findings


def backwards(before: Occurrence | None, after: Occurrence | None) -> Iterator[Diagnostic]:
    """Whether the second of two events in a row, neither of them rate-limited, happened too long before."""
    if before and after and before.time is not None and after.time is not None:
        back = before.time - after.time
        if back > ALLOWANCE:
            message = f"{back / MICROSECONDS:.6f} s earlier than the event before it, {name(before.event)}"
            yield Diagnostic("QMP305", after.line, message, name(after.event), "timestamp")


def _crowded(row: Sequence[Occurrence]) -> Iterator[Diagnostic]:
    for first, third in zip(row, row[2:], strict=False):
        apart = (third.time or 0) - (first.time or 0)
        if apart < PERIOD:
            message = f"third in a row within {apart / MICROSECONDS:.6f} s; the spec allows one a second"
            yield Diagnostic("QMP304", third.line, message, name(third.event), "timestamp")
