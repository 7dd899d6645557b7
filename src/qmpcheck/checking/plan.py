"""The steps that each message causes, worked out once for a set of rules.

The checker looks up each message by its class; a message without steps costs only this look-up.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from qmpcheck.checking.accessors import accessor
from qmpcheck.checking.monitors import Absence, Monitor, Never, Precedence
from qmpcheck.checking.response import Response
from qmpcheck.checking.sent_commands import CommandSteps, Step
from qmpcheck.checking.session import STATE_EVENTS, Session
from qmpcheck.checking.temporal_rule import ALWAYS, Condition, Pattern
from qmpcheck.checking.timestamps import RateLimits, Seen
from qmpcheck.streams.messages import Command, Greeting, RejectedEvent, Reply

MONITORS: dict[str, type[Monitor]] = {
    "response": Response,
    "precedence": Precedence,
    "absence": Absence,
    "never": Never,
}
"""The class of monitor for each kind of rule."""


class Waiting(Protocol):
    """Something that waits for messages while it is open; otherwise its steps are skipped.

    Most monitors are closed most of the time. To ask for the attribute first is faster than to take the step.
    """

    @property
    def open(self) -> object:
        """Whether it waits, by its truth."""


class Steps(NamedTuple):
    """The steps that a message causes.

    Attributes:
        steps: the steps, in order, each with what waits for it.
        remember: adds the message to the session's past; called after the steps.
    """

    steps: tuple[tuple[Waiting, Step], ...]
    remember: Step


class _Always:
    open = True


_ALWAYS_WAITING = _Always()


class _PlannedStep(msgspec.Struct, frozen=True):
    step: Step
    condition: Condition
    waiting: Waiting


class Plan:
    """The steps that each message causes, by its class.

    An event is first a response, then a trigger: a trigger must not be its own response. Then it changes
    states, so that a rule about a state applies to the messages before the change. At last it is remembered:
    monitors look only at events before it.

    Attributes:
        by_kind: the steps of each class of messages that has any.

    Args:
        names: the names of events, by their classes in the decoder.
        monitors: one for each temporal rule.
        rate_limits: checks each rate-limited event.
        session: shared by the monitors.
        greet: handles each greeting.
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
        self._planned: dict[str, list[_PlannedStep]] = defaultdict(list)
        for event in STATE_EVENTS if monitors else ():
            self._remember(event)
        for monitor in monitors:
            self._add_responses(monitor)
        for monitor in monitors:
            self._add_triggers(monitor)
        self._add_states(session)
        for event in rate_limits.limits:
            self._add(event, functools.partial(rate_limits.step, event))
        remember = {name: session.past[name].append for name in self._planned}
        self._by_name = {
            name: Steps(_steps(RejectedEvent, each), remember[name]) for name, each in self._planned.items()
        }
        self.by_kind = {
            kind: Steps(_steps(kind, self._planned[name]), remember[name])
            for kind, name in names.items()
            if name in self._planned
        } | {
            RejectedEvent: _only(self._take_rejected),
            Greeting: _only(greet),
            Command: _only(functools.partial(session.sent.on_command, self._commands)),
            Reply: _only(session.sent.on_reply, session.sent),
        }

    def _take_rejected(self, seen: Seen) -> None:
        """Take the steps of an event that the decoder refused: it breaks a rule, but it came nevertheless."""
        if steps := self._by_name.get(seen.message.event):
            take(steps, seen)

    def _add(
        self, event: str, step: Step, condition: Condition = ALWAYS, waiting: Waiting = _ALWAYS_WAITING
    ) -> None:
        self._planned[event].append(_PlannedStep(step, condition, waiting))

    def _remember(self, event: str) -> None:
        """Remember events of a name, even if they cause no step."""
        self._planned[event]

    def _add_responses(self, monitor: Monitor) -> None:
        if not isinstance(monitor, Precedence):
            for each in monitor.rule.then:
                self._add(each.name, monitor.on_response, each.condition, monitor)
        for each in monitor.rule.until:
            self._add_pattern(each, monitor.on_until)
        for each in monitor.rule.until_all:
            self._add_pattern(each, monitor.on_until_all)

    def _add_pattern(self, pattern: Pattern, step: Step) -> None:
        """Add a step for the messages of a pattern, which are events or commands."""
        if pattern.is_command:
            # Twice: a trigger that QEMU sent before it read the command can come after the command.
            self._commands[pattern.name].at_once.append((pattern.condition, step))
            self._commands[pattern.name].at_success.append((pattern.condition, step))
        else:
            self._add(pattern.name, step, pattern.condition)

    def _add_triggers(self, monitor: Monitor) -> None:
        trigger = monitor.rule.trigger
        if trigger.is_command:
            self._commands[trigger.name].triggered.append((trigger.condition, monitor))
            if isinstance(monitor, Response):
                self._add("SHUTDOWN", monitor.on_ending, waiting=monitor)
        elif monitor.rule.during or monitor.rule.unless:
            self._add(trigger.name, functools.partial(_trigger_if_rule_applies, monitor), trigger.condition)
        else:
            self._add(trigger.name, monitor.on_trigger, trigger.condition)
        if isinstance(monitor, Precedence):  # after the trigger: no event precedes itself
            for each in monitor.rule.then:
                self._add(each.name, monitor.on_response, each.condition)
        for excuse in monitor.rule.excuses:
            if situation := excuse.situation:
                begin = situation.begin
                step = functools.partial(monitor.on_situation, excuse)
                self._add(begin.name, step, begin.condition, monitor)
                for event in situation.ends:
                    self._remember(event)

    def _add_states(self, session: Session) -> None:
        for tracker in session.all_states():
            for each in tracker.state.ends:
                if each.is_command:
                    # Not with the reply: the state may end at any time before that.
                    self._commands[each.name].afterwards.append((each.condition, tracker.on_end))
                else:
                    self._add(each.name, tracker.on_end, each.condition, tracker)
            for each in tracker.state.begins:
                if each.is_command:
                    self._commands[each.name].at_success.append((each.condition, tracker.on_begin))
                else:
                    self._add(each.name, tracker.on_begin, each.condition, tracker.others)


def state_changes(session: Session) -> dict[str, list[tuple[Condition, Step]]]:
    """Return the steps of events that begin or end a state, by name, each with its condition.

    A checker that adds rules in the middle of a stream takes these for the events before.
    """
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
    """Take the steps of one message. `Checker._step_part` does the same without a call."""
    for waiting, step in steps.steps:
        if waiting.open:
            step(seen)
    steps.remember(seen)


def _only(step: Step, waiting: Waiting = _ALWAYS_WAITING) -> Steps:
    """Return one step, without remembering the message."""
    return Steps(((waiting, step),), bool)  # `bool` takes the message, and does nothing


def _trigger_if_rule_applies(monitor: Monitor, seen: Seen) -> None:
    if monitor.applies(seen):
        monitor.on_trigger(seen)


def _steps(kind: type, planned: Sequence[_PlannedStep]) -> tuple[tuple[Waiting, Step], ...]:
    """Return the steps of messages of one class."""
    return tuple((each.waiting, _guarded(each.step, kind, each.condition)) for each in planned)


def _guarded(step: Step, kind: type, condition: Condition) -> Step:
    """Return a function that takes the step if a message of the class meets the condition."""
    if not condition:
        return step
    # Most conditions are about one member with strings: these get a check without any loop.
    if len(condition.when) == 1 and not condition.has and not condition.lacks:
        [(path, values)] = condition.when
        if all(isinstance(value, str) for value in values):
            read, wanted = accessor(kind, path), frozenset(values)

            def step_if_one_of(seen: Seen) -> None:
                value = read(seen.message)
                if type(value) is str and value in wanted:
                    step(seen)

            return step_if_one_of

    def step_if_matched(seen: Seen) -> None:
        if condition.matches(seen.value_of):
            step(seen)

    return step_if_matched
