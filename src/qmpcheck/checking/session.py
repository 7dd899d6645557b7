"""What the messages of one QEMU process have shown so far: monitors share it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from operator import attrgetter

from qmpcheck.checking.accessors import MISSING, MemberPath, comparable
from qmpcheck.checking.sent_commands import SentCommands
from qmpcheck.checking.temporal_rule import RESUME, STOP, Situation, State
from qmpcheck.checking.timestamps import Latest, Seen
from qmpcheck.streams.messages import time_of

LOOK_BACK = 16
"""How many events of each name are remembered.

QEMU can send a rate-limited event after its own response. One sent after more responses, or changes of the
run state, is taken to be met: what came first is no longer known.
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
        values = [*map(seen.value_of, paths)]
        return None if MISSING in values else tuple(map(comparable, values))

    return key


class Session:
    """What the messages of one QEMU process have shown so far.

    Attributes:
        past: the last events of each watched name, the oldest first.
        latest: the greatest timestamp after any line; kept only where a rule has a bound.
        series: the release that wrote the stream, as far as it is known.
        sent: the commands of the connection that have no reply so far.
    """

    def __init__(self, series: Series | None = None) -> None:
        self.past: defaultdict[str, deque[Seen]] = defaultdict(lambda: deque(maxlen=LOOK_BACK))
        self.latest = Latest()
        self.series = series
        self.sent = SentCommands()
        self._states: dict[State, StateTracker] = {}

    def state(self, state: State) -> StateTracker:
        """What tracks a state, one for all who ask."""
        return self._states.setdefault(state, StateTracker(state))

    def all_states(self) -> tuple[StateTracker, ...]:
        """What tracks the states that were asked for."""
        return tuple(self._states.values())

    def reconnected(self) -> None:
        """A client came back to the same process: what happened in between is not known."""
        self.sent.reconnected()
        for tracker in self._states.values():
            if tracker.open:
                tracker.reset()

    def reset(self) -> None:
        """Forget all: a new process begins."""
        self.reconnected()
        self.sent.reset()
        self.latest.reset()
        for past in filter(None, self.past.values()):
            past.clear()

    def line_of_last(self, event: str, until: int | None = None) -> int:
        """The line of the last event of that name; 0 where there was none.

        Args:
            event: the name.
            until: passes over events that happened after this, in microseconds.
        """
        past = self.past[event]
        if until is None:
            return past[-1].line if past else 0
        for seen in reversed(past):
            if (then := time_of(seen.message)) is None or then <= until:
                return seen.line
        return 0

    def is_stopped(self, at: int | None = None) -> bool:
        """Whether the machine is stopped, or was at a time, in microseconds."""
        return self.line_of_last(STOP, at) > self.line_of_last(RESUME, at)

    @property
    def is_ending(self) -> bool:
        """Whether the process is known to end: SHUTDOWN came, and nothing that shows that it goes on."""
        shutdown = self.line_of_last("SHUTDOWN")
        return shutdown > self.line_of_last("RESET") and shutdown > self.line_of_last(RESUME)

    def begins(self, situation: Situation, trigger: Seen, is_limited: bool) -> Sequence[Seen]:
        """What began a situation that was not over when a trigger came, whatever it carries; newest first.

        Args:
            situation: the situation.
            trigger: the trigger.
            is_limited: whether it can be sent late: then its timestamp says where it lies, not its line.
        """
        found: list[Seen] = []
        for begin in reversed(self.past[situation.begin.name]):
            if self._is_over(begin.line, situation):
                end = self._end_after(begin.line, situation) if is_limited else None
                if end is None or not _is_before(trigger, end, is_limited):
                    break
            found.append(begin)
        return found

    def covers(self, situation: Situation, begin: Seen, trigger: Seen, is_limited: bool) -> bool:
        """Whether a trigger that does not come after a situation lies in it, or shortly before.

        Args:
            situation: the situation.
            begin: the event that begins it, if what it carries fits.
            trigger: the trigger.
            is_limited: as above.
        """
        if not situation.begin.condition.holds_where(begin.value_of):
            return False
        if _microseconds_before(trigger, begin) > situation.before:
            return False
        if situation.child is not None and not _is_child(trigger, begin, *situation.child):
            return False
        if trigger.line > begin.line and not is_limited:
            return True
        end = self._end_before(begin.line, situation)
        return end is None or not _is_before(trigger, end, is_limited)

    def _is_over(self, line: int, situation: Situation) -> bool:
        """Whether an event after a line ends a situation."""
        for event in situation.ends:
            past = self.past[event]
            if past and past[-1].line > line:
                return True
        return False

    def _end_after(self, line: int, situation: Situation) -> Seen | None:
        """The first event after a line that ends a situation."""
        first = (
            next((each for each in self.past[name] if each.line > line), None) for name in situation.ends
        )
        return min(filter(None, first), key=_line, default=None)

    def _end_before(self, line: int, situation: Situation) -> Seen | None:
        """The last event before a line that ends a situation."""
        pasts = (reversed(self.past[name]) for name in situation.ends)
        last = (next((each for each in past if each.line < line), None) for past in pasts)
        return max(filter(None, last), key=_line, default=None)


_line = attrgetter("line")

STATE_EVENTS = frozenset({STOP, RESUME, "SHUTDOWN", "RESET"})
"""The events that `is_stopped` and `is_ending` look at."""


class _Others:
    open = True


class StateTracker:
    """For which keys a state is known to hold.

    Attributes:
        state: the state.
        open: those keys: what ends the state matters only while there are any.
        others: waits for keys for which it does not hold; open while there can be any.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._key = key_reader(tuple(path for _, path in state.same))
        self.open: set[Key] = set()
        self.others = _Others()

    def reset(self) -> None:
        """Forget all."""
        self.open.clear()
        self.others.open = True

    def on_begin(self, seen: Seen) -> None:
        """A message from which on it holds."""
        key = self._key(seen)
        if key is not None:
            self.open.add(key)
            self.others.open = bool(self.state.same)

    def on_end(self, seen: Seen) -> None:
        """A message from which on it does not, for any key if the message names none."""
        key = self._key(seen)
        if key is None:
            self.reset()
        else:
            self.open.discard(key)
            self.others.open = True

    def holds(self, key: Key) -> bool:
        """Whether it is known to hold for that key."""
        return key in self.open


def _is_child(trigger: Seen, begin: Seen, device: MemberPath, path: MemberPath, child: str) -> bool:
    """Whether a member of one message is the path of a part of the device that the other one names."""
    expected = f"/machine/peripheral/{trigger.value_of(device)}/{child}"
    return bool(begin.value_of(path) == expected)


def _microseconds_before(trigger: Seen, other: Seen) -> int:
    """How long before another event a trigger happened; 0 where one of them has no clock."""
    first, second = time_of(trigger.message), time_of(other.message)
    return 0 if first is None or second is None else second - first


def _is_before(trigger: Seen, other: Seen, by_time: bool) -> bool:
    gap = _microseconds_before(trigger, other) if by_time else 0
    return gap > 0 if gap else trigger.line < other.line
