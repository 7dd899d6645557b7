"""What the messages of one QEMU process have shown so far: monitors share it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

import msgspec

from qmpcheck.checking.accessors import MISSING, MemberPath, accessor, comparable, data_of, value_at
from qmpcheck.checking.temporal_rule import RESUME, STOP, Pattern, Situation, State
from qmpcheck.checking.timestamps import Column, Latest, Seen
from qmpcheck.streams.messages import time_of

LOOK_BACK = 16
"""How many responses and changes of the run state a rate-limited trigger may be sent after.

QEMU can send such an event after its own response. One sent after more is taken to be met: what came
first is no longer known.
"""


Series = tuple[int, int]
"""A release, as (major, minor)."""


Key = tuple[str, ...] | None
"""The values of the members that tell messages apart; None where one is missing, which matches nothing."""


def key_reader(paths: tuple[MemberPath, ...]) -> Callable[[Seen], Key]:
    """A function that reads the members at these paths."""
    if not paths:
        return lambda _: ()

    def key(seen: Seen) -> Key:
        values = [accessor(seen.kind, path)(seen.message) for path in paths]
        return None if MISSING in values else tuple(map(comparable, values))

    return key


class Session:
    """What the messages of one QEMU process have shown so far.

    Attributes:
        last: the last message of each watched event.
        latest: the greatest timestamp after any line; kept only where a rule has a bound.
        series: the release that wrote the stream, as far as it is known.
        last_command: the line of the last command; 0 where there was none.
    """

    def __init__(self, series: Series | None = None) -> None:
        self.last: dict[str, Seen] = {}
        self.latest = Latest()
        self.series = series
        self.last_command = 0
        self._states: dict[State, StateTracker] = {}
        self._recent: dict[tuple[Pattern, ...], deque[Seen]] = {}
        self._spans: dict[tuple[str, frozenset[str]], Spans] = {}

    def recent(self, patterns: tuple[Pattern, ...]) -> deque[Seen]:
        """The last messages that any of these patterns matches, oldest first, shared by all who ask."""
        return self._recent.setdefault(patterns, deque(maxlen=LOOK_BACK))

    def spans(self, situation: Situation) -> Spans:
        """The spans of a situation, one for all that have the same begin and the same ends."""
        begins, ends = situation.begin.name, situation.ends
        return self._spans.setdefault((begins, ends), Spans(self, begins, ends))

    def state(self, state: State) -> StateTracker:
        """What tracks a state, one for all who ask."""
        return self._states.setdefault(state, StateTracker(state))

    def all_states(self) -> tuple[StateTracker, ...]:
        """What tracks the states that were asked for."""
        return tuple(self._states.values())

    def reconnected(self) -> None:
        """A client came back to the same process: what happened in between is not known."""
        for tracker in self._states.values():
            tracker.reset()

    def all_spans(self) -> tuple[Spans, ...]:
        """The spans of all situations that were asked for."""
        return tuple(self._spans.values())

    def reset(self) -> None:
        """Forget all: a new process begins."""
        self.latest.reset()
        self.last_command = 0
        self.reconnected()
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


class LastMessages:
    """The last messages of a session, at no cost as long as nobody asks for them."""

    MOST = 1000
    """How many are remembered."""

    def __init__(self) -> None:
        self._columns: deque[Column] = deque()
        self._number = 0

    def add(self, column: Column) -> None:
        """The next messages."""
        self._columns.append(column)
        self._number += len(column.kinds)
        while self._number - len(self._columns[0].kinds) >= self.MOST:
            self._number -= len(self._columns.popleft().kinds)

    def clear(self) -> None:
        """Forget them."""
        self._columns.clear()
        self._number = 0

    def last(self) -> list[Seen]:
        """The last ones, the oldest first."""
        triples = (zip(each.lines, each.events, each.kinds, strict=True) for each in self._columns)
        return [Seen(*each) for each in chain.from_iterable(triples)][-self.MOST :]


class StateTracker:
    """For which keys a state is known to hold."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._key = key_reader(tuple(path for _, path in state.same))
        self._holding: set[Key] = set()

    def reset(self) -> None:
        """Forget all."""
        self._holding.clear()

    def on_begin(self, seen: Seen) -> None:
        """A message from which on it holds."""
        key = self._key(seen)
        if key is not None:
            self._holding.add(key)

    def on_end(self, seen: Seen) -> None:
        """A message from which on it does not, for any key if the message names none."""
        key = self._key(seen)
        if key is None:
            self._holding.clear()
        else:
            self._holding.discard(key)

    def holds(self, key: Key) -> bool:
        """Whether it is known to hold for that key."""
        return key in self._holding


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
            and (situation.child is None or _is_child(trigger, self.begin, *situation.child))
        )


def _is_child(trigger: Seen, begin: Seen, device: MemberPath, path: MemberPath, child: str) -> bool:
    """Whether a member of one message is the path of a part of the device that the other one names."""
    name = value_at(data_of(trigger.message), device)
    expected = f"/machine/peripheral/{name}/{child}"
    return bool(value_at(data_of(begin.message), path) == expected)


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
