"""The state that the messages of one QEMU process show; all monitors share it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from operator import attrgetter

from qmpcheck.checking.accessors import MISSING, MemberPath, comparable
from qmpcheck.checking.sent_commands import SentCommands
from qmpcheck.checking.temporal_rule import RESUME, STOP, Situation, State
from qmpcheck.checking.timestamps import Latest, Seen
from qmpcheck.streams.messages import time_of

LOOK_BACK = 16
"""How many events of each name are remembered.

QEMU can send a rate-limited event after its own response, so a response is also looked for among earlier
events. A trigger that is sent after more responses or changes of the run state than these counts as met in
time: it is no longer known what happened first.
"""


Series = tuple[int, int]
"""A release, as (major, minor)."""


Key = tuple[str, ...] | None
"""The values of the members in a rule's `same`, as texts; None if one is absent, which matches no key."""


def key_reader(paths: tuple[MemberPath, ...]) -> Callable[[Seen], Key]:
    """Return a function that reads the key of a message from the members at these paths."""
    if not paths:
        return lambda _: ()

    def key(seen: Seen) -> Key:
        values = [*map(seen.value_of, paths)]
        return None if MISSING in values else tuple(map(comparable, values))

    return key


class Session:
    """The state that the messages of one QEMU process show, up to the present message.

    Attributes:
        past: the last events of each name that a rule needs, oldest first.
        latest: the greatest timestamp after any line; kept only while an open trigger has a bound.
        series: the release of the QEMU that wrote the stream; None if it is unknown.
        sent: the commands of the connection that have no reply yet.
    """

    def __init__(self, series: Series | None = None) -> None:
        self.past: defaultdict[str, deque[Seen]] = defaultdict(lambda: deque(maxlen=LOOK_BACK))
        self.latest = Latest()
        self.series = series
        self.sent = SentCommands()
        self._states: dict[State, StateTracker] = {}

    def state(self, state: State) -> StateTracker:
        """Return the tracker of a state; monitors share one."""
        return self._states.setdefault(state, StateTracker(state))

    def all_states(self) -> tuple[StateTracker, ...]:
        """Return the trackers of all states that some rule needs."""
        return tuple(self._states.values())

    def reconnected(self) -> None:
        """Forget what may have changed while no client was connected to the process."""
        self.sent.reconnected()
        self._reset_states()

    def reset(self) -> None:
        """Forget everything: a new process begins."""
        self.sent.reset()
        self._reset_states()
        self.latest.reset()
        # The deques stay the same objects: plans keep their `append` methods.
        for past in filter(None, self.past.values()):
            past.clear()

    def _reset_states(self) -> None:
        for tracker in self._states.values():
            if tracker.open:
                tracker.reset()

    def line_of_last(self, event: str, until: int | None = None) -> int:
        """Return the line of the last event of a name; 0 if there was none.

        Args:
            event: the name.
            until: ignores events with a later timestamp, in microseconds; None ignores none.
        """
        past = self.past[event]
        if until is None:
            return past[-1].line if past else 0
        # STOP and RESUME, which this is for, are never sent late: their order is that of their times.
        for seen in reversed(past):
            if (then := time_of(seen.message)) is None or then <= until:
                return seen.line
        return 0

    def is_stopped(self, at: int | None = None) -> bool:
        """Return whether the machine is stopped, or was stopped at a time, in microseconds."""
        return self.line_of_last(STOP, at) > self.line_of_last(RESUME, at)

    @property
    def is_ending(self) -> bool:
        """Whether the process is about to end: SHUTDOWN came, and no later event shows that it goes on."""
        # With -no-shutdown, the process stays, and the machine can be reset and resumed.
        shutdown = self.line_of_last("SHUTDOWN")
        return shutdown > self.line_of_last("RESET") and shutdown > self.line_of_last(RESUME)

    def is_in(self, situation: Situation, trigger: Seen, is_limited: bool) -> bool:
        """Return whether a trigger comes in a situation that an earlier event began.

        Args:
            situation: the situation.
            trigger: the trigger.
            is_limited: whether the trigger can be sent late. Its place is then given by its timestamp, not by
                its line.
        """
        for begin in reversed(self.past[situation.begin.name]):
            if self._is_over(begin.line, situation):
                # A late trigger may have happened while the situation lasted.
                end = self._end_after(begin.line, situation) if is_limited else None
                if end is None or not _is_before(trigger, end, is_limited):
                    return False  # and so have those that began before this one
            if self.covers(situation, begin, trigger, is_limited):
                return True
        return False

    def covers(self, situation: Situation, begin: Seen, trigger: Seen, is_limited: bool) -> bool:
        """Return whether a trigger comes in a situation, or shortly before it.

        Args:
            situation: the situation.
            begin: the event that began it, if what it carries matches.
            trigger: the trigger; it is known not to come after the end of the situation.
            is_limited: as for `is_in`.
        """
        if not situation.begin.condition.matches(begin.value_of):
            return False
        if _microseconds_before(trigger, begin) > situation.before:
            return False
        if situation.child is not None and not _is_child(trigger, begin, *situation.child):
            return False
        if trigger.line > begin.line and not is_limited:
            return True  # it came after `begin`, and before any end
        # A trigger shortly before the situation is covered, unless such a situation ended in between.
        end = self._end_before(begin.line, situation)
        return end is None or not _is_before(trigger, end, is_limited)

    def _is_over(self, line: int, situation: Situation) -> bool:
        """Return whether an event after a line has ended a situation."""
        for event in situation.ends:
            past = self.past[event]
            if past and past[-1].line > line:
                return True
        return False

    def _end_after(self, line: int, situation: Situation) -> Seen | None:
        """Return the first event after a line that ends a situation; None if there is none."""
        first = (
            next((each for each in self.past[name] if each.line > line), None) for name in situation.ends
        )
        return min(filter(None, first), key=_line, default=None)

    def _end_before(self, line: int, situation: Situation) -> Seen | None:
        """Return the last event before a line that ends a situation; None if there is none."""
        pasts = (reversed(self.past[name]) for name in situation.ends)
        last = (next((each for each in past if each.line < line), None) for past in pasts)
        return max(filter(None, last), key=_line, default=None)


_line = attrgetter("line")

STATE_EVENTS = frozenset({STOP, RESUME, "SHUTDOWN", "RESET"})
"""The events that `is_stopped` and `is_ending` need."""


class _OtherKeys:
    open = True


class StateTracker:
    """Tracks the keys for which a state is known to apply.

    Attributes:
        state: the state.
        open: these keys. What ends the state is ignored while there are none.
        others: open while there may be keys for which the state does not apply. What begins the state is
            ignored otherwise.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._key = key_reader(tuple(path for _, path in state.same))
        self.open: set[Key] = set()
        self.others = _OtherKeys()

    def reset(self) -> None:
        """Forget all keys."""
        self.open.clear()
        self.others.open = True

    def on_begin(self, seen: Seen) -> None:
        """Handle a message that begins the state, for the message's key."""
        key = self._key(seen)
        if key is not None:
            self.open.add(key)
            self.others.open = bool(self.state.same)

    def on_end(self, seen: Seen) -> None:
        """Handle a message that ends the state, for its key; for all keys if it has none."""
        key = self._key(seen)
        if key is None:
            self.reset()
        else:
            self.open.discard(key)
            self.others.open = True

    def includes(self, key: Key) -> bool:
        """Return whether the state is known to apply for a key."""
        return key in self.open


def _is_child(trigger: Seen, begin: Seen, device: MemberPath, path: MemberPath, child: str) -> bool:
    """Return whether a member of `begin` is the path of a part of the device that the trigger names."""
    # QEMU has the devices with an id in this place of its object tree.
    expected = f"/machine/peripheral/{trigger.value_of(device)}/{child}"
    return bool(begin.value_of(path) == expected)


def _microseconds_before(trigger: Seen, other: Seen) -> int:
    """Return how long before another event a trigger happened; 0 if one of them has no clock."""
    first, second = time_of(trigger.message), time_of(other.message)
    return 0 if first is None or second is None else second - first


def _is_before(trigger: Seen, other: Seen, by_time: bool) -> bool:
    """Return whether a trigger comes before another event: by time, or by line where the times are equal."""
    gap = _microseconds_before(trigger, other) if by_time else 0
    return gap > 0 if gap else trigger.line < other.line
