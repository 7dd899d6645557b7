"""What happened in a stream, for reports that draw it: they must not work out again what monitors decided.

A checker records it only if `CheckOptions.timeline` says so. It consists of columns (`array`), as there can
be millions of events.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from itertools import compress, count, takewhile
from typing import Any, Literal, NamedTuple, get_args

from qmpcheck.checking.monitors import Judgement, Outcome
from qmpcheck.checking.temporal_rule import RESUME, STOP, Pattern, TemporalRule
from qmpcheck.checking.timestamps import Column
from qmpcheck.streams.messages import RejectedEvent, Reply, time_of
from qmpcheck.text import name

State = Literal["running", "stopped", "suspended", "off"]

COMMANDS = "(commands)"
"""The name of all commands together."""

NO_TIME = -1
"""The time of an event without a clock."""

_LATEST = 1 << 52
"""Microseconds, about the year 2112. Times are limited to it, so that JavaScript's numbers are exact."""

_MOST_NAMES = 500
"""How many names are distinguished: a hostile stream can have any number."""

_OTHERS = "(other events)"

_LOOK_BACK = 256
"""How many events a late one is moved back over, at most: a hostile stream must not cost quadratic time."""


class TimelineSession(NamedTuple):
    """Where a connection begins: the position of its first event, and whether it is to a new process."""

    event: int
    is_new: bool


class StateChange(NamedTuple):
    """From the event at a position on, the machine is in a state, as far as the stream shows it."""

    event: int
    state: State


class LateEvent(NamedTuple):
    """The position of an event that was sent late, and of the first earlier event that happened after it."""

    event: int
    happened: int


class Decisions(NamedTuple):
    """What the monitors decided, in columns of equal length.

    Attributes:
        rules: the index of the rule in the timeline's rules.
        events: the position of the trigger; of the message itself if a rule forbids it.
        outcomes: the index of the outcome in `OUTCOMES`.
        responses: the position of the response, early or late; -1 if there is none.
        errata: the index of the erratum that covers it in the timeline's errata; 0 for none.
    """

    rules: array[int]
    events: array[int]
    outcomes: array[int]
    responses: array[int]
    errata: array[int]


OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""All outcomes."""


class Timeline(NamedTuple):
    """A stream's events and commands, in order, and what the monitors decided about them.

    An event's position is its index in `kinds`, `lines` and `times`.

    Attributes:
        names: the names of events, safe to print, in the order in which they came first.
        kinds: for each event the index of its name.
        lines: for each event its line.
        times: for each event when it happened, in microseconds since 1970, or `NO_TIME`.
        sessions: the connections, except for one that begins without a greeting.
        states: the changes of the machine's state; before the first, it is running.
        late: the events that were sent late.
        rules: the rules that something was decided about.
        errata: the known errata that cover something; the first is "", for none.
        decisions: what was decided.
        files: the path of each joined file, and how many lines come before it; () for a single file.
    """

    names: list[str]
    kinds: array[int]
    lines: array[int]
    times: array[int]
    sessions: list[TimelineSession]
    states: list[StateChange]
    late: list[LateEvent]
    rules: list[TemporalRule]
    errata: list[str]
    decisions: Decisions
    files: tuple[tuple[str, int], ...] = ()


class TimelineRecorder:
    """Records the timeline of one stream while it is checked.

    Args:
        names: the names of events, by their classes in the decoder.
        late: the events that may be sent late.
    """

    def __init__(self, names: dict[type, str], late: Collection[str]) -> None:
        self._event_names, self._late_names = names, late
        self._places: dict[str, int] = {}
        self._kinds, self._lines, self._times = array("H"), array("q"), array("q")
        self._sessions: list[TimelineSession] = []
        self._begin = 0
        self._states: list[StateChange] = []
        self._forget_state()
        self._late: list[LateEvent] = []
        self._rules: dict[int, TemporalRule] = {}
        self._places_of_rules: dict[int, int] = {}
        self._errata: dict[str, int] = {"": 0}
        self._decided = [array("q") for _ in Decisions._fields]

    def connect(self, is_new: bool) -> None:
        """Begin a connection, to a new process if `is_new`."""
        self._begin = len(self._lines)
        self._sessions.append(TimelineSession(self._begin, is_new))
        if is_new and self._state != "running":
            self._states.append(StateChange(self._begin, "running"))
        if is_new:
            self._forget_state()

    def _forget_state(self) -> None:
        self._is_stopped = self._is_suspended = self._is_ending = False

    def add(self, column: Column) -> None:
        """Add the next messages of the session."""
        column = column.without(Reply)
        known, first = self._event_names, len(self._lines)
        names = [
            known.get(kind) or _name(event) for kind, event in zip(column.kinds, column.messages, strict=True)
        ]
        places = {each: self._place_of_name(each) for each in dict.fromkeys(names)}
        self._kinds.extend(map(places.__getitem__, names))
        self._lines.extend(column.lines)
        self._times.extend(_times(column))
        for at in compress(count(), map(_OF_STATE.__contains__, names)):
            self._change_state(first + at, names[at])
        for at in compress(count(), map(self._late_names.__contains__, names)):
            self._move_back(first + at)

    def _place_of_name(self, event: str) -> int:
        shown = name(event)
        if shown not in self._places and len(self._places) >= _MOST_NAMES:
            shown = _OTHERS
        return self._places.setdefault(shown, len(self._places))

    def _change_state(self, at: int, event: str) -> None:
        """Follow the machine's state, by the same events as `Session.is_stopped` and `Session.is_ending`."""
        before = self._state
        match event:
            case "STOP":
                self._is_stopped = True
            case "RESUME":
                self._is_stopped = self._is_ending = False
            case "SHUTDOWN":
                self._is_ending = True
            case "RESET":
                self._is_ending = self._is_suspended = False
            case "SUSPEND":
                self._is_suspended = True
            case "WAKEUP":
                self._is_suspended = False
        if self._state != before:
            self._states.append(StateChange(at, self._state))

    @property
    def _state(self) -> State:
        if self._is_ending:
            return "off"
        if self._is_suspended:
            return "suspended"
        return "stopped" if self._is_stopped else "running"

    def _move_back(self, at: int) -> None:
        """Note that the event at a position was sent late, if those just before it have later times."""
        times, now, first = self._times, self._times[at], max(self._begin, at - _LOOK_BACK)
        # Not across the beginning of the connection: `TimeOrder` does not compare such events, either.
        place = at
        while place > first and times[place - 1] > now != NO_TIME:
            place -= 1
        if place < at:
            self._late.append(LateEvent(at, place))

    def judge(self, judgement: Judgement) -> None:
        """Add what a monitor decided.

        It names lines; `finish` looks up their events, as a decision can come before its block is added.
        """
        rule = judgement.rule
        self._rules[id(rule)] = rule
        decided = (
            self._places_of_rules.setdefault(id(rule), len(self._places_of_rules)),
            judgement.line,
            OUTCOMES.index(judgement.outcome),
            judgement.response or 0,
            self._errata.setdefault(judgement.erratum, len(self._errata)),
        )
        for column, value in zip(self._decided, decided, strict=True):
            column.append(value)

    def finish(self) -> Timeline:
        """Return the timeline of the whole stream."""
        return Timeline(
            names=[*self._places],
            kinds=self._kinds,
            lines=self._lines,
            times=self._times,
            sessions=self._sessions,
            states=self._states,
            late=self._late,
            rules=[*self._rules.values()],
            errata=[*self._errata],
            decisions=self._decisions([*self._rules.values()]),
        )

    def _decisions(self, rules: Sequence[TemporalRule]) -> Decisions:
        """Return what was decided, sorted by event."""
        # Monitors name lines. A log's line may have several events: the rule says which of them is meant.
        triggers = [self._kinds_of([rule.trigger]) for rule in rules]
        responses = [self._kinds_of(rule.then) for rule in rules]
        forbidden = OUTCOMES.index("present")
        made = []
        for rule, line, outcome, response, erratum in zip(*self._decided, strict=True):
            is_response = outcome == forbidden and rules[rule].kind == "absence"
            event = self._place(line, (responses if is_response else triggers)[rule])
            answer = self._place(response, responses[rule]) if response else -1
            made.append((event, rule, outcome, answer, erratum))
        made.sort()
        events, of_rules, outcomes, answers, errata = (
            (array("q", each) for each in zip(*made, strict=True)) if made else [array("q")] * 5
        )
        return Decisions(of_rules, events, outcomes, answers, errata)

    def _kinds_of(self, patterns: Iterable[Pattern]) -> frozenset[int]:
        names = (COMMANDS if each.is_command else name(each.name) for each in patterns)
        return frozenset(self._places[each] for each in names if each in self._places)

    def _place(self, line: int, kinds: Collection[int]) -> int:
        """Return the position of the event on a line; a log's line can have several, of different kinds."""
        first = bisect_left(self._lines, line)
        on_line = takewhile(lambda at: self._lines[at] == line, range(first, len(self._lines)))
        return next((at for at in on_line if self._kinds[at] in kinds), first)


_OF_STATE = frozenset({STOP, RESUME, "SHUTDOWN", "RESET", "SUSPEND", "WAKEUP"})


def _name(message: Any) -> str:
    """Return the name of a message that is no decoded event."""
    return message.event if isinstance(message, RejectedEvent) else COMMANDS


def _times(column: Column) -> list[int]:
    times = [NO_TIME if (time := time_of(each)) is None else time for each in column.messages]
    if times and (min(times) < -_LATEST or max(times) > _LATEST):
        return [min(max(each, -_LATEST), _LATEST) for each in times]
    return times
