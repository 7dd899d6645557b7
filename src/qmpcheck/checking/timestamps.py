"""Check timestamps: time does not run backwards (QMP305), and rate limits are kept (QMP304).

Also here: the types for messages of a stream, `Seen` for one and `Column` for many, which all checks use.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import compress, count, islice, pairwise, repeat
from operator import attrgetter, gt
from typing import Any

import msgspec

from qmpcheck import rate_limits
from qmpcheck.checking.accessors import Accessor, MemberPath, accessor, comparable
from qmpcheck.finding import Finding
from qmpcheck.rulebase import TEXT, RateLimit, RuleBase
from qmpcheck.streams.messages import MICROSECONDS, Greeting, RejectedEvent, time_of
from qmpcheck.text import name

ALLOWANCE = MICROSECONDS
"""How much older than the one before an event may be, in microseconds.

QEMU's threads take the time first, and then wait for their turn to send.
"""

PERIOD = MICROSECONDS
"""The least time between the first and the third of three rate-limited events, in microseconds.

Two may be closer: QEMU delays the second one, but its timestamp is the time when it happened.
"""

ReportFinding = Callable[[Finding], object]
"""Takes each finding as soon as there is one."""


def sent_late(rule_base: RuleBase) -> frozenset[str]:
    """Return the events of a spec that may be sent later than they happened: those with a rate limit."""
    # QEMU with a schema limits some events whether or not the schema says so; of a text, only that is known.
    stated = frozenset(event for event, rule in rule_base.events.items() if rule.rate_limit)
    return stated if rule_base.source == TEXT else stated | rate_limits.ALWAYS_LIMITED


def limits_of(rule_base: RuleBase) -> dict[str, RateLimit]:
    """Return the rate limits of a spec, by event."""
    kept = {event: rate_limits.kept(event, rule.rate_limit) for event, rule in rule_base.events.items()}
    return {event: limit for event, limit in kept.items() if limit}


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One message of a stream.

    Attributes:
        line: its line.
        message: the decoded event, or one of the types in `streams.messages`.
        kind: its class, by which accessors read its members.
    """

    line: int
    message: Any
    kind: type

    def value_of(self, path: MemberPath) -> Any:
        """Return the value at a path into its data or its arguments; MISSING if there is none."""
        return accessor(self.kind, path)(self.message)


class Column(msgspec.Struct, frozen=True):
    """Messages of a stream in order, as columns: what concerns all of them is done without a loop in Python.

    Attributes:
        messages: the messages.
        kinds: the class of each.
        lines: the line of each.
        present: all classes among them, so that a look for one that is not there costs nothing.
    """

    messages: Sequence[Any]
    kinds: Sequence[type]
    lines: Sequence[int]
    present: frozenset[type]

    @classmethod
    def of(cls, messages: Sequence[Any], lines: Sequence[int]) -> Column:
        """Return messages as a column; `lines` has the line of each."""
        kinds = [*map(type, messages)]
        return cls(messages, kinds, lines, frozenset(kinds))

    def part(self, begin: int, end: int | None = None) -> Column:
        """Return the messages from one position to another."""
        return Column.of(self.messages[begin:end], self.lines[begin:end])

    def connections(self) -> list[Column]:
        """Return what comes before the first greeting, and then a part from each greeting to the next."""
        begins = [at for at, kind in enumerate(self.kinds) if kind is Greeting]
        return [self.part(*each) for each in pairwise((0, *begins, len(self.kinds)))]

    def without(self, *kinds: type) -> Column:
        """Return the messages that are of none of these classes."""
        if self.present.isdisjoint(kinds):
            return self  # as is usual: nothing is copied
        kept = [*map(dict.fromkeys(kinds, False).get, self.kinds, repeat(True))]
        messages, left, lines = ([*compress(each, kept)] for each in (self.messages, self.kinds, self.lines))
        return Column(messages, left, lines, self.present.difference(kinds))


NOTHING = Column((), (), (), frozenset())
"""No messages."""

_seconds = attrgetter("timestamp.seconds")


class TimeOrder:
    """Finds events that happened before the event that was sent before them (QMP305).

    It compares the column of seconds, which is almost always sorted, and looks at single events only where
    seconds decrease.

    Args:
        names: the names of events, by their classes in the decoder.
        late: events that may be sent late: their timestamps are ignored.
        report: takes the findings.
    """

    def __init__(self, names: dict[type, str], late: frozenset[str], report: ReportFinding) -> None:
        self._names = {kind: name(event) for kind, event in names.items()}
        self._late, self._report = late, report
        self._ignored = frozenset(kind for kind, event in names.items() if event in late)
        self._last: Any = None

    def reset(self) -> None:
        """Forget the events before: a stream begins."""
        self._last = None

    def step(self, column: Column) -> None:
        """Check the next events and greetings of the stream.

        Events are not compared across a greeting: it may come from another host.
        """
        begin, end = 0, len(column.kinds)
        if Greeting in column.present:
            for at in [at for at, kind in enumerate(column.kinds) if kind is Greeting]:
                self._check(column, begin, at)
                self._last, begin = None, at + 1
        self._check(column, begin, end)
        self._last = self._last_that_counts(column, begin, end) or self._last

    def _check(self, column: Column, begin: int, end: int) -> None:
        """Compare the events of one connection, from one place to another."""
        seconds = [*map(_seconds, column.messages[begin:end])]
        second = begin - 1  # of the pair that was compared last: no pair is reported twice
        if self._last is not None and seconds and self._last.timestamp.seconds > seconds[0]:
            second = self._compare(column, begin, begin, end)
        if seconds != sorted(seconds):
            for at in compress(count(begin + 1), map(gt, seconds, islice(seconds, 1, None))):
                if at > second:
                    second = self._compare(column, begin, at, end)

    def _compare(self, column: Column, begin: int, at: int, end: int) -> int:
        """Compare the two events around a position where seconds decrease, without those to be ignored.

        Args:
            column: the events.
            begin: where their connection begins in the column.
            at: the first event with the smaller seconds.
            end: where their connection ends in the column.

        Returns:
            The position of the second one; `end` if there is none.
        """
        events, kinds = column.messages, column.kinds
        after = at
        while after < end and not self._counts(kinds[after], events[after]):
            after += 1
        before = self._last_that_counts(column, begin, at) or self._last
        if after == end or before is None:
            return after
        back = (time_of(before) or 0) - (time_of(events[after]) or 0)
        if back > ALLOWANCE:
            message = f"{back / MICROSECONDS:.6f} s earlier than the event before it, {self._name(before)}"
            event = self._name(events[after])
            self._report(Finding("QMP305", column.lines[after], message, event, ("timestamp",)))
        return after

    def _last_that_counts(self, column: Column, begin: int, end: int) -> Any:
        for at in range(end - 1, begin - 1, -1):
            if self._counts(column.kinds[at], column.messages[at]):
                return column.messages[at]
        return None

    def _counts(self, kind: type, event: Any) -> bool:
        """Return whether an event has a time, and is sent when it happens."""
        if kind in self._ignored or (kind is RejectedEvent and event.event in self._late):
            return False
        return time_of(event) is not None

    def _name(self, event: Any) -> str:
        return self._names.get(type(event)) or name(event.event)


class RateLimits:
    """Finds three events of one key in a row within a second (QMP304).

    Memory is bounded: if there are many keys, those are forgotten that were last seen two periods before the
    newest event. If the clock is set back by more than that, a finding can be lost.

    Attributes:
        limits: the limit of each event that has one: the members of its key, and which events are exempt.

    Args:
        limits: see above.
        report: takes the findings.
    """

    def __init__(self, limits: dict[str, RateLimit], report: ReportFinding) -> None:
        self.limits, self._report = limits, report
        self._readers = functools.cache(self._new_readers)
        self._last_two: dict[tuple[str, ...], tuple[int | None, int]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the events before: a connection begins."""
        self._last_two.clear()
        self._newest = 0
        self._most_keys = _MANY_KEYS

    def step(self, event: str, seen: Seen) -> None:
        """Check the next event, which has that name."""
        exempting, members = self._readers(event, seen.kind)
        for read, values in exempting:
            if read(seen.message) in values:
                return
        now = time_of(seen.message)
        if now is None:
            return
        # Two timestamps for each key are enough: with this event they are the three to compare.
        key = (event, *[comparable(read(seen.message)) for read in members]) if members else (event,)
        first, second = self._last_two.get(key, (None, None))
        self._last_two[key] = (second, now)
        self._newest = max(self._newest, now)
        if first is not None and -PERIOD < now - first < PERIOD:
            apart = abs(now - first) / MICROSECONDS
            message = f"third in a row within {apart:.6f} s; the spec allows one a second"
            self._report(Finding("QMP304", seen.line, message, name(event), ("timestamp",)))
        if len(self._last_two) > self._most_keys:
            self._forget()

    def _new_readers(
        self, event: str, kind: type
    ) -> tuple[Sequence[tuple[Accessor, Sequence[str]]], Sequence[Accessor]]:
        """Return how to read the members that exempt events of a class, and those of its key."""
        limit = self.limits[event]
        exempting = [(accessor(kind, (member,)), values) for member, values in limit.unless.items()]
        return exempting, [accessor(kind, (member,)) for member in limit.key]

    def _forget(self) -> None:
        old = self._newest - 2 * PERIOD
        kept = {key: times for key, times in self._last_two.items() if times[1] >= old}
        if len(kept) > _MOST_KEYS:
            kept = dict([*kept.items()][-_MOST_KEYS // 2 :])
        self._last_two = kept
        self._most_keys = min(max(_MANY_KEYS, 2 * len(kept)), _MOST_KEYS)


_MANY_KEYS = 1000
"""If there are more keys than this, old ones are removed."""

_MOST_KEYS = 100_000
"""The most keys that are kept; no machine has as many devices."""


class Latest:
    """Keeps the greatest timestamp after any line, as far as the stream was read.

    It keeps the suffix maxima: the events after which no event has a later time. While no clock is set back,
    that is one event. The answer is needed only for the lines of open triggers, so events may be left out
    while there are none.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the events before: a session begins."""
        self._lines: list[int] = []
        self._times: list[int] = []

    def add(self, column: Column) -> None:
        """Add the next messages of the session; those that are no events have no time."""
        for line, moment in zip(column.lines, map(time_of, column.messages), strict=True):
            if moment is None:
                continue
            while self._times and self._times[-1] <= moment:
                self._lines.pop()
                self._times.pop()
            self._lines.append(line)
            self._times.append(moment)
            if len(self._times) > _MOST_MAXIMA:
                del self._lines[0], self._times[0]

    def after(self, line: int) -> int | None:
        """Return the greatest timestamp after a line, in microseconds; None if there is none."""
        at = bisect_right(self._lines, line)
        return self._times[at] if at < len(self._times) else None


_MOST_MAXIMA = 1000
"""How many events are kept; of a clock that is set back more often, the oldest are forgotten."""
