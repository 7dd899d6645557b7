"""What the messages of one QEMU process have shown so far: monitors share it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from qmpcheck.checking.accessors import data_of
from qmpcheck.checking.temporal_rule import RESUME, STOP, Pattern, Situation
from qmpcheck.checking.timestamps import Latest, Seen
from qmpcheck.streams.messages import time_of

LOOK_BACK = 16
"""How many responses and changes of the run state a rate-limited trigger may be sent after.

QEMU can send such an event after its own response. One sent after more is taken to be met: what came
first is no longer known.
"""


Series = tuple[int, int]
"""A release, as (major, minor)."""


class Session:
    """What the messages of one QEMU process have shown so far.

    Attributes:
        last: the last message of each watched event.
        latest: the greatest timestamp after any line; kept only where a rule has a bound.
        series: the release that wrote the stream, as far as it is known.
    """

    def __init__(self, series: Series | None = None) -> None:
        self.last: dict[str, Seen] = {}
        self.latest = Latest()
        self.series = series
        self._recent: dict[tuple[Pattern, ...], deque[Seen]] = {}
        self._spans: dict[tuple[str, frozenset[str]], Spans] = {}

    def recent(self, patterns: tuple[Pattern, ...]) -> deque[Seen]:
        """The last messages that any of these patterns matches, oldest first, shared by all who ask."""
        return self._recent.setdefault(patterns, deque(maxlen=LOOK_BACK))

    def spans(self, situation: Situation) -> Spans:
        """The spans of a situation, one for all that have the same begin and the same ends."""
        begins, ends = situation.begin.name, situation.ends
        return self._spans.setdefault((begins, ends), Spans(self, begins, ends))

    def all_spans(self) -> tuple[Spans, ...]:
        """The spans of all situations that were asked for."""
        return tuple(self._spans.values())

    def reset(self) -> None:
        """Forget all: a new process begins."""
        self.latest.reset()
        if self.last:  # otherwise no watched event came
            self.last.clear()
            for recent in self._recent.values():
                recent.clear()
            for spans in self._spans.values():
                spans.reset()

    def line_of_last(self, event: str) -> int:
        """The line of the last event of that name; 0 where there was none."""
        seen = self.last.get(event)
        return seen.line if seen else 0

    @property
    def is_stopped(self) -> bool:
        """Whether the machine is stopped."""
        return self.line_of_last(STOP) > self.line_of_last(RESUME)

    @property
    def is_ending(self) -> bool:
        """Whether the process is known to end: SHUTDOWN came, and nothing that shows that it goes on."""
        shutdown = self.line_of_last("SHUTDOWN")
        return shutdown > self.line_of_last("RESET") and shutdown > self.line_of_last(RESUME)


STATE_EVENTS = frozenset({STOP, RESUME, "SHUTDOWN", "RESET"})
"""The events that `is_stopped` and `is_ending` look at."""


class Span(msgspec.Struct):
    """A time for which a situation lasts.

    Attributes:
        begin: the event that began it.
        end_before: the last event before it that would have ended it.
        end: the event that ended it; None while it lasts.
    """

    begin: Seen
    end_before: Seen | None
    end: Seen | None = None

    def covers(self, situation: Situation, trigger: Seen, is_limited: bool) -> bool:
        """Whether it is a span of that situation, and a trigger lies in it, or shortly before; not after it.

        A rate-limited trigger is sent late: its timestamp decides where it lies; otherwise its line does.
        """
        ahead = _microseconds_before(trigger, self.begin)
        return (
            ahead <= situation.before
            and not (self.end_before is not None and _is_before(trigger, self.end_before, is_limited))
            and situation.begin.condition.holds(data_of(self.begin.message))
        )


def _microseconds_before(trigger: Seen, other: Seen) -> int:
    """How long before another event a trigger happened; 0 where one of them has no clock."""
    first, second = time_of(trigger.message), time_of(other.message)
    return 0 if first is None or second is None else second - first


def _is_before(trigger: Seen, other: Seen, by_time: bool) -> bool:
    gap = _microseconds_before(trigger, other) if by_time else 0
    return gap > 0 if gap else trigger.line < other.line


class Spans:
    """The last spans of the situations that one event begins, whatever it carries, and others end.

    Attributes:
        begins: the event that begins them.
        ends: the events that end them.
        kept: the last spans, the oldest first.
        open: whether one of them lasts.
    """

    def __init__(self, session: Session, begins: str, ends: frozenset[str]) -> None:
        self._session, self.begins, self.ends = session, begins, ends
        self.kept: deque[Span] = deque(maxlen=LOOK_BACK)
        self.open = False

    def around(self, trigger: Seen, is_limited: bool) -> Iterator[Span]:
        """The spans that were not over when a trigger came, the newest first."""
        for span in reversed(self.kept):
            if span.end is not None and not _is_before(trigger, span.end, is_limited):
                return
            yield span

    def reset(self) -> None:
        """Forget all: a new process begins."""
        self.kept.clear()
        self.open = False

    def begin(self, seen: Seen) -> Span:
        """A span begins."""
        end_before: Seen | None = None
        for event in self.ends:
            end = self._session.last.get(event)
            if end and (end_before is None or end.line > end_before.line):
                end_before = end
        span = Span(seen, end_before)
        self.kept.append(span)
        self.open = True
        return span

    def end(self, seen: Seen) -> None:
        """The spans that last end."""
        for span in self.kept:
            if span.end is None:
                span.end = seen
        self.open = False
