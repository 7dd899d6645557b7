"""Which monitors each message concerns: worked out once, so that other messages cost nothing."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from qmpcheck.checking.accessors import accessor
from qmpcheck.checking.monitors import Monitor, Precedence, Response
from qmpcheck.checking.sent_commands import CommandSteps, Step
from qmpcheck.checking.session import STATE_EVENTS, Session
from qmpcheck.checking.temporal_rule import ALWAYS, Condition, Pattern
from qmpcheck.checking.timestamps import RateLimits, Seen
from qmpcheck.streams.messages import Command, Greeting, RejectedEvent, Reply


class Waiting(Protocol):
    """Something that steps are taken for only while it is open."""

    @property
    def open(self) -> object:
        """Whether it is, by its truth."""


class Steps(NamedTuple):
    """What a message makes happen.

    Attributes:
        steps: what is done, in order, each while what waits for it is open.
        remember: keeps the message, after that.
    """

    steps: tuple[tuple[Waiting, Step], ...]
    remember: Step


class _Always:
    open = True


_ALWAYS_WAITING = _Always()
"""Waits for something at any time."""


class _Wanted(NamedTuple):
    step: Step
    condition: Condition
    waiting: Waiting


class Plan:
    """The steps of each message. An event is first a response, then a trigger; then it is remembered.

    Attributes:
        by_kind: the steps of each message that has any, by its class.

    Args:
        names: the events that the decoder knows, by their classes.
        monitors: one for each temporal rule.
        rate_limits: looks at each rate-limited event.
        session: what monitors look at.
        greet: takes each greeting.
    """

    def __init__(
        self,
        names: dict[type, str],
        monitors: Sequence[Monitor],
        rate_limits: RateLimits,
        session: Session,
        greet: Step,
    ) -> None:
        self._commands: dict[str, CommandSteps] = defaultdict(CommandSteps)
        self._wanted: dict[str, list[_Wanted]] = defaultdict(list)
        for event in STATE_EVENTS if monitors else ():
            self._wanted[event]  # an event that makes any steps, be it none, is remembered
        for monitor in monitors:
            self._want_responses(monitor)
        for monitor in monitors:
            self._want_triggers(monitor)
        self._want_states(session)
        for event in rate_limits.limits:
            self._want(event, functools.partial(rate_limits.step, event))
        remember = {name: session.past[name].append for name in self._wanted}
        self._by_name = {
            name: Steps(_steps(RejectedEvent, each), remember[name]) for name, each in self._wanted.items()
        }
        self.by_kind = {
            kind: Steps(_steps(kind, self._wanted[name]), remember[name])
            for kind, name in names.items()
            if name in self._wanted
        } | {
            RejectedEvent: _only(self._take_rejected),
            Greeting: _only(greet),
            Command: _only(functools.partial(session.sent.on_command, self._commands)),
            Reply: _only(session.sent.on_reply, session.sent),
        }

    def _take_rejected(self, seen: Seen) -> None:
        """The steps of an event that the decoder rejected, by its name."""
        if steps := self._by_name.get(seen.message.event):
            take(steps, seen)

    def _want(
        self, event: str, step: Step, condition: Condition = ALWAYS, waiting: Waiting = _ALWAYS_WAITING
    ) -> None:
        self._wanted[event].append(_Wanted(step, condition, waiting))

    def _want_responses(self, monitor: Monitor) -> None:
        if not isinstance(monitor, Precedence):
            for each in monitor.rule.then:
                self._want(each.name, monitor.on_response, each.condition, monitor)
        for each in monitor.rule.until:
            self._want_pattern(each, monitor.on_until)
        for each in monitor.rule.until_all:
            self._want_pattern(each, monitor.on_until_all)

    def _want_pattern(self, pattern: Pattern, step: Step) -> None:
        """A step for events, or for commands."""
        if pattern.is_command:
            self._commands[pattern.name].at_once.append((pattern.condition, step))
            # what QEMU sent before it read the command can arrive between the command and its reply
            self._commands[pattern.name].at_success.append((pattern.condition, step))
        else:
            self._want(pattern.name, step, pattern.condition)

    def _want_triggers(self, monitor: Monitor) -> None:
        trigger = monitor.rule.trigger
        if trigger.is_command:
            self._commands[trigger.name].triggered.append((trigger.condition, monitor))
            if isinstance(monitor, Response):
                self._want("SHUTDOWN", monitor.on_ending, waiting=monitor)
        elif monitor.rule.during or monitor.rule.unless:
            self._want(trigger.name, functools.partial(_trigger_if_it_applies, monitor), trigger.condition)
        else:
            self._want(trigger.name, monitor.on_trigger, trigger.condition)
        if isinstance(monitor, Precedence):  # no event precedes itself
            for each in monitor.rule.then:
                self._want(each.name, monitor.on_response, each.condition)
        for excuse in monitor.rule.excuses:
            if situation := excuse.situation:
                begin = situation.begin
                step = functools.partial(monitor.on_situation, excuse)
                self._want(begin.name, step, begin.condition, monitor)
                for event in situation.ends:
                    self._wanted[event]  # is remembered

    def _want_states(self, session: Session) -> None:
        for tracker in session.all_states():
            for each in tracker.state.ends:
                if each.is_command:
                    self._commands[each.name].afterwards.append((each.condition, tracker.on_end))
                else:
                    self._want(each.name, tracker.on_end, each.condition, tracker)
            for each in tracker.state.begins:
                if each.is_command:
                    self._commands[each.name].at_success.append((each.condition, tracker.on_begin))
                else:
                    self._want(each.name, tracker.on_begin, each.condition, tracker.others)


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


def take(steps: Steps, seen: Seen) -> None:
    """Take the steps of one message."""
    for waiting, step in steps.steps:
        if waiting.open:
            step(seen)
    steps.remember(seen)


def _only(step: Step, waiting: Waiting = _ALWAYS_WAITING) -> Steps:
    """One step, after which the message is not remembered."""
    return Steps(((waiting, step),), bool)


def _trigger_if_it_applies(monitor: Monitor, seen: Seen) -> None:
    if monitor.applies(seen):
        monitor.on_trigger(seen)


def _steps(kind: type, wanted: Sequence[_Wanted]) -> tuple[tuple[Waiting, Step], ...]:
    """The steps of messages of one class."""
    return tuple((each.waiting, _guarded(each.step, kind, each.condition)) for each in wanted)


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
        if condition.holds_where(seen.value_of):
            step(seen)

    return step_if_it_holds
