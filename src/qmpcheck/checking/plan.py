"""Which monitors each message concerns: worked out once, so that other messages cost nothing."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from qmpcheck.checking.accessors import accessor, data_of
from qmpcheck.checking.monitors import Monitor, Precedence, Response
from qmpcheck.checking.session import STATE_EVENTS, Session, Spans
from qmpcheck.checking.temporal_rule import ALWAYS, Condition, Pattern
from qmpcheck.checking.timestamps import RateLimits, Seen
from qmpcheck.streams.messages import Command, RejectedEvent, Reply

Step = Callable[[Seen], object]


class Waiting(Protocol):
    """Something that steps are taken for only while it is open."""

    @property
    def open(self) -> object:
        """Whether it is, by its truth."""


class Steps(NamedTuple):
    """What a message makes happen.

    Attributes:
        name: of the message.
        awaited: steps that are taken first, each while what waits for it is open.
        others: the steps after these.
    """

    name: str
    awaited: tuple[tuple[Waiting, Step], ...]
    others: tuple[Step, ...]


NOTHING = Steps("", (), ())


class CommandSteps:
    """What a command makes happen, each on a condition.

    Attributes:
        at_once: steps that are taken when it is sent.
        triggered: the monitors that it triggers.
        afterwards: steps that are taken after that.
        at_success: steps that are taken when it is known to have succeeded.
    """

    def __init__(self) -> None:
        self.at_once: list[tuple[Condition, Step]] = []
        self.triggered: list[tuple[Condition, Monitor]] = []
        self.afterwards: list[tuple[Condition, Step]] = []
        self.at_success: list[tuple[Condition, Step]] = []


class _Wanted(NamedTuple):
    step: Step
    condition: Condition
    waiting: Waiting | None


class Plan:
    """The steps of each message. An event is first a response, then a trigger; then it is remembered.

    Attributes:
        watched: the classes of messages that can make steps.
        by_kind: the steps of decoded events, by their class.
        by_name: the steps of rejected events, by their name.
        commands: what each command makes happen.

    Args:
        names: the events that the decoder knows, by their classes.
        monitors: one for each temporal rule.
        rate_limits: looks at each rate-limited event.
        session: what monitors look at.
    """

    def __init__(
        self,
        names: dict[type, str],
        monitors: Sequence[Monitor],
        rate_limits: RateLimits,
        session: Session,
    ) -> None:
        self.commands: dict[str, CommandSteps] = defaultdict(CommandSteps)
        self._wanted: dict[str, list[_Wanted]] = defaultdict(list)
        for monitor in monitors:
            self._want_responses(monitor)
        for monitor in monitors:
            self._want_triggers(monitor)
        self._want_states(session)
        self._want_memory(monitors, session)
        for event in rate_limits.limits:
            self._want(event, functools.partial(rate_limits.step, event))
        self.by_name = {name: _steps(name, RejectedEvent, each) for name, each in self._wanted.items()}
        self.by_kind = {
            kind: _steps(name, kind, self._wanted[name])
            for kind, name in names.items()
            if name in self._wanted
        }
        self.watched = frozenset((*self.by_kind, RejectedEvent, Command, Reply) if self._wanted else ())

    def _want(
        self, event: str, step: Step, condition: Condition = ALWAYS, waiting: Waiting | None = None
    ) -> None:
        self._wanted[event].append(_Wanted(step, condition, waiting))

    def _want_responses(self, monitor: Monitor) -> None:
        waiting = monitor if isinstance(monitor, Response) else None
        if not isinstance(monitor, Precedence):
            for each in monitor.rule.then:
                self._want(each.name, monitor.on_response, each.condition, waiting)
        for each in monitor.rule.until:
            self._want_pattern(each, monitor.on_until)
        for each in monitor.rule.until_all:
            self._want_pattern(each, monitor.on_until_all)

    def _want_pattern(self, pattern: Pattern, step: Step) -> None:
        """A step for events, or for commands."""
        if pattern.is_command:
            self.commands[pattern.name].at_once.append((pattern.condition, step))
            # what QEMU sent before it read the command can arrive between the command and its reply
            self.commands[pattern.name].at_success.append((pattern.condition, step))
        else:
            self._want(pattern.name, step, pattern.condition)

    def _want_states(self, session: Session) -> None:
        for tracker in session.all_states():
            for each in tracker.state.ends:
                if each.is_command:
                    self.commands[each.name].afterwards.append((each.condition, tracker.on_end))
                else:
                    self._want(each.name, tracker.on_end, each.condition)
            for each in tracker.state.begins:
                if each.is_command:
                    self.commands[each.name].at_success.append((each.condition, tracker.on_begin))
                else:
                    self._want(each.name, tracker.on_begin, each.condition)

    def _want_memory(self, monitors: Sequence[Monitor], session: Session) -> None:
        """What is remembered: the last event of a name, what triggers look back on, situations."""
        for event in STATE_EVENTS if monitors else ():
            self._wanted[event]  # an event that makes any steps, be it none, is the last of its name
        for patterns in {monitor.looked_back_on: None for monitor in monitors}:
            for each in patterns:
                self._want(each.name, session.recent(patterns).append, each.condition)
        for spans in session.all_spans():
            for event in spans.ends:
                self._want(event, spans.end, waiting=spans)
            excused = [each for each in monitors if isinstance(each, Response) and each.looks_at(spans)]
            self._want(spans.begins, functools.partial(_begin, spans, excused))

    def _want_triggers(self, monitor: Monitor) -> None:
        trigger = monitor.rule.trigger
        if trigger.is_command:
            self.commands[trigger.name].triggered.append((trigger.condition, monitor))
            if isinstance(monitor, Response):
                self._want("SHUTDOWN", monitor.on_ending, waiting=monitor)
        elif monitor.rule.during or monitor.rule.unless:
            self._want(trigger.name, functools.partial(_trigger_if_it_applies, monitor), trigger.condition)
        else:
            self._want(trigger.name, monitor.on_trigger, trigger.condition)
        if isinstance(monitor, Precedence):  # no event precedes itself
            for each in monitor.rule.then:
                self._want(each.name, monitor.on_response, each.condition)


def state_changes(session: Session) -> dict[str, list[tuple[Condition, Step]]]:
    """The events that begin and end states, by their names, each with its condition and its step."""
    changes: dict[str, list[tuple[Condition, Step]]] = defaultdict(list)
    for tracker in session.all_states():
        for step, patterns in (
            (tracker.on_end, tracker.state.ends),
            (tracker.on_begin, tracker.state.begins),
        ):
            for each in patterns:
                if not each.is_command:
                    changes[each.name].append((each.condition, step))
    return changes


def _trigger_if_it_applies(monitor: Monitor, seen: Seen) -> None:
    if monitor.applies(seen):
        monitor.on_trigger(seen)


def _begin(spans: Spans, excused: Sequence[Response], seen: Seen) -> None:
    """A situation begins."""
    span = spans.begin(seen)
    for monitor in excused:
        if monitor.open:
            monitor.on_situation(spans, span)


def _steps(name: str, kind: type, wanted: Sequence[_Wanted]) -> Steps:
    """The steps of messages of one name and one class."""
    guarded = [(each.waiting, _guarded(each.step, kind, each.condition)) for each in wanted]
    return Steps(
        name,
        tuple((waiting, step) for waiting, step in guarded if waiting),
        tuple(step for waiting, step in guarded if not waiting),
    )


def _guarded(step: Step, kind: type, condition: Condition) -> Step:
    """The step, taken only where the condition holds."""
    if not condition:
        return step
    if len(condition.when) == 1 and not condition.has and not condition.lacks:
        [(path, values)] = condition.when
        if all(isinstance(value, str) for value in values):
            read, wanted = accessor(kind, path), frozenset(values)

            def step_if_one_of(seen: Seen) -> None:
                value = read(seen.message)
                if type(value) is str and value in wanted:
                    step(seen)

            return step_if_one_of

    def step_if_it_holds(seen: Seen) -> None:
        if condition.holds(data_of(seen.message)):
            step(seen)

    return step_if_it_holds
