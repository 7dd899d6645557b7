"""Temporal rules: rules about several messages, as plain values.

The follow-ups of a spec, the rules of a user and the rules about commands are all values of `TemporalRule`,
so that there is one implementation of each kind of rule. `monitors` has a class for each kind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from qmpcheck import keypath
from qmpcheck.checking.accessors import MISSING, MemberPath, value_at
from qmpcheck.checking.timestamps import sent_late
from qmpcheck.rulebase import LineNumber, RuleBase, SpecError
from qmpcheck.streams.messages import MICROSECONDS
from qmpcheck.text import quoted
from qmpcheck.wording import follow_up_text

RuleKind = Literal["response", "precedence", "absence", "never"]

Level = Literal["all", "strict", "none"]
"""Which of the rules about commands that come with qmpcheck are checked."""

STOP, RESUME = "STOP", "RESUME"


class Condition(msgspec.Struct, frozen=True):
    """A condition on the members of an event's data, or of a command's arguments.

    Attributes:
        when: members, and the values that each may have.
        has: members that must be present.
        lacks: members that must be absent.
    """

    when: tuple[tuple[MemberPath, tuple[Any, ...]], ...] = ()
    has: tuple[MemberPath, ...] = ()
    lacks: tuple[MemberPath, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.when or self.has or self.lacks)

    def matches_data(self, data: Any) -> bool:
        """Return whether data or arguments, as plain JSON values, meet the condition."""
        return self.matches(functools.partial(value_at, data))

    def matches(self, value_of: Callable[[MemberPath], Any]) -> bool:
        """Return whether a message meets the condition.

        Args:
            value_of: returns the message's value at a path; MISSING if there is none. Only the members that
                the condition names are read: decoding a whole message to JSON values would be slow.
        """
        for path, values in self.when:
            if not _is_any_of(value_of(path), values):
                return False
        for path in self.has:
            if value_of(path) is MISSING:
                return False
        return not self.lacks or all(value_of(path) is MISSING for path in self.lacks)


def _is_any_of(value: Any, values: Sequence[Any]) -> bool:
    """Return whether a JSON value is one of several. In Python, `True == 1`; in JSON, they differ."""
    return value in values and value in [
        each for each in values if isinstance(each, bool) == isinstance(value, bool)
    ]


ALWAYS = Condition()


class Pattern(msgspec.Struct, frozen=True):
    """Messages of one name that meet a condition: events, or commands if `is_command`."""

    name: str
    condition: Condition = ALWAYS
    is_command: bool = False


class Situation(msgspec.Struct, frozen=True):
    """The time from one event to another, in which QEMU does not follow some rule.

    Attributes:
        begin: the event that begins it.
        ends: the names of the events that end it.
        before: how many microseconds before `begin` a trigger may come to be covered.
        child: a member of the trigger that names a device, a member of `begin` that must be the path of a
            part of that device, and the part's name; None for any.
    """

    begin: Pattern
    ends: frozenset[str]
    before: int
    child: tuple[MemberPath, MemberPath, str] | None = None


class State(msgspec.Struct, frozen=True):
    """A state between two messages, separate for each key.

    Before the first of these messages, and after a client has reconnected, it is unknown whether it applies.

    Attributes:
        begins: the messages that begin it; a command counts when its successful reply comes.
        ends: the messages that end it.
        same: pairs of the trigger's member and a member of these messages, whose values form the key.
    """

    begins: tuple[Pattern, ...]
    ends: tuple[Pattern, ...] = ()
    same: tuple[tuple[MemberPath, MemberPath], ...] = ()


class Excuse(msgspec.Struct, frozen=True):
    """A known erratum of QEMU, and the triggers of a rule that it covers: their finding is a warning.

    Attributes:
        erratum: its name.
        trigger: a condition on the trigger beyond that of the rule.
        situation: the situation in which the trigger must come; None for any.
        until: the last release that shows it, as (major, minor); None if the newest one does.
    """

    erratum: str
    trigger: Condition = ALWAYS
    situation: Situation | None = None
    until: tuple[int, int] | None = None


class TemporalRule(msgspec.Struct, frozen=True):
    """One rule about several messages.

    Attributes:
        text: the rule in words, for findings.
        trigger: the messages that make it apply.
        then: the responses; one is enough.
        kind: `response`: one of `then` comes after the trigger; `precedence`: one came before it; `absence`:
            none comes after it, or none until one of `until` comes; `never`: the trigger does not come.
        same: pairs of a trigger's member and a response's member that must have the same value.
        within: microseconds that a response may take; None for any.
        until: messages that end an absence for their key, the values of the members of `same`.
        until_all: messages that end it for every key.
        is_limited: whether the trigger is rate-limited, and so can be sent after its own response.
        excuses: known cases in which QEMU does not follow it.
        never_missing: whether a response may always still come, for example because the guest decides.
        error_closes: whether the rule no longer applies to a command if its reply is an error.
        name: its name, if the user or the project gave it one; otherwise "".
        during: the state that a trigger must come in; None for any. A trigger is ignored while the state is
            unknown.
        unless: the states in which a trigger is ignored.
        ends_with_process: whether the end of the process ends what the trigger began, so that the response
            may never come.
        line, file: where the spec states it; None and "" if it does not.
    """

    text: str
    trigger: Pattern
    then: tuple[Pattern, ...] = ()
    kind: RuleKind = "response"
    same: tuple[tuple[MemberPath, MemberPath], ...] = ()
    within: int | None = None
    until: tuple[Pattern, ...] = ()
    until_all: tuple[Pattern, ...] = ()
    is_limited: bool = False
    excuses: tuple[Excuse, ...] = ()
    never_missing: bool = False
    error_closes: bool = True
    name: str = ""
    during: State | None = None
    unless: tuple[State, ...] = ()
    ends_with_process: bool = False
    line: LineNumber = None
    file: str = ""

    @property
    def title(self) -> str:
        """Its name, or else its text."""
        return self.name or self.text

    @property
    def is_about_commands(self) -> bool:
        """Whether checking it takes the commands of a stream, and not only the events."""
        states = [*self.unless, *([self.during] if self.during else [])]
        patterns = [self.trigger, *self.until, *self.until_all]
        patterns += [each for state in states for each in (*state.begins, *state.ends)]
        return any(each.is_command for each in patterns)

    def is_checkable(self, lacks_events: bool, lacks_commands: bool) -> bool:
        """Return whether a stream that lacks some messages can show that the rule is broken.

        Args:
            lacks_events: whether it lacks some events.
            lacks_commands: whether it lacks some commands or replies.
        """
        if self.kind == "never":
            return True  # one message breaks it, whatever is missing around it
        if lacks_commands and self.is_about_commands:
            return False
        # A missing event can be the response. A forbidden one that is there proves an absence broken, unless
        # the event that would have allowed it is missing.
        return not lacks_events or (self.kind == "absence" and not (self.until or self.until_all))

    @property
    def needs_running(self) -> bool:
        """Whether only a running machine can respond: QEMU sends no second STOP for a stopped one."""
        return self.kind == "response" and [each.name for each in self.then] == [STOP]


def follow_ups(
    rule_base: RuleBase, assumed: Collection[str] = (), within: float | None = None
) -> Iterator[TemporalRule]:
    """Yield the follow-ups of a spec, as rules of the kind `response`.

    Args:
        rule_base: the spec.
        assumed: command-line options that QEMU was given, without dashes. Follow-ups that depend on other
            options are omitted: nobody knows whether they apply.
        within: seconds that a response may take; None for any number.
    """
    late = sent_late(rule_base)
    for event, rule in rule_base.events.items():
        for follow_up in rule.follow_ups:
            if not follow_up.option or follow_up.option in assumed:
                yield TemporalRule(
                    text=follow_up_text(follow_up),
                    trigger=Pattern(event, condition(follow_up.when)),
                    then=tuple(map(Pattern, follow_up.then)),
                    within=None if within is None else round(within * MICROSECONDS),
                    is_limited=event in late,
                    line=follow_up.line,
                    file=rule.file,
                )


def condition(values: dict[str, Sequence[str]] | dict[str, tuple[str, ...]]) -> Condition:
    """Return the condition that each member has one of its values; the keys are dotted paths."""
    return Condition(tuple((tuple(keypath.names(path)), tuple(allowed)) for path, allowed in values.items()))


def options_with_follow_ups(rule_base: RuleBase) -> frozenset[str]:
    """Return the command-line options that follow-ups of the spec depend on, without dashes."""
    return frozenset(
        each.option for rule in rule_base.events.values() for each in rule.follow_ups if each.option
    )


def assumed_options(rule_base: RuleBase, given: Iterable[str]) -> tuple[str, ...]:
    """Return the command-line options that the user says QEMU was given, without dashes.

    Args:
        rule_base: the spec.
        given: the options, with or without dashes.

    Raises:
        SpecError: no follow-up of the spec depends on one of them.
    """
    known = options_with_follow_ups(rule_base)
    # An option that no follow-up depends on would change nothing, and is probably mistyped.
    for option in given:
        if option.lstrip("-") not in known:
            which = f"only on {', '.join(sorted(known))}" if known else "on none"
            raise SpecError(f"assume: {quoted(option)}: the spec's follow-ups depend {which}")
    return tuple(option.lstrip("-") for option in given)
