"""Temporal rules: rules about several messages, as plain values.

The follow-ups of a spec, the rules of a user and those about commands are all values of `TemporalRule`;
`monitors` tracks each of them through a stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
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
"""Which of the shipped rules about commands count."""

STOP, RESUME = "STOP", "RESUME"


class Condition(msgspec.Struct, frozen=True):
    """A condition on the members of an event's data, or of a command's arguments.

    Attributes:
        when: members, and the values that each may have.
        has: members that are there.
        lacks: members that are not there.
    """

    when: tuple[tuple[MemberPath, tuple[Any, ...]], ...] = ()
    has: tuple[MemberPath, ...] = ()
    lacks: tuple[MemberPath, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.when or self.has or self.lacks)

    def holds(self, data: Any) -> bool:
        """Whether it holds for data as plain JSON values."""
        for path, values in self.when:
            if not _is_any_of(value_at(data, path), values):
                return False
        return MISSING not in [value_at(data, path) for path in self.has] and all(
            value_at(data, path) is MISSING for path in self.lacks
        )


def _is_any_of(value: Any, values: Sequence[Any]) -> bool:
    """Whether a JSON value is one of several: in Python, `true` is also 1."""
    return value in [each for each in values if isinstance(each, bool) == isinstance(value, bool)]


ALWAYS = Condition()


class Pattern(msgspec.Struct, frozen=True):
    """The messages of one name for which a condition holds: events, or commands with `is_command`."""

    name: str
    condition: Condition = ALWAYS
    is_command: bool = False


class Situation(msgspec.Struct, frozen=True):
    """The time from an event to the first of others, in which QEMU does not keep some rule.

    It also covers triggers that happened up to `before` microseconds ahead of it.

    Attributes:
        child: a member of the trigger that names a device, and a member of `begin` that must be the path of
            something in it, and what; None for any.
    """

    begin: Pattern
    ends: frozenset[str]
    before: int
    child: tuple[MemberPath, MemberPath, str] | None = None


class State(msgspec.Struct, frozen=True):
    """Something that holds from one message to another, for each key by itself.

    It is not known before the first of these messages, and after a client reconnected.

    Attributes:
        begins: the messages from which on it holds; a command counts with its successful reply.
        ends: those from which on it does not.
        same: pairs of the trigger's member and the member of these messages that tells keys apart.
    """

    begins: tuple[Pattern, ...]
    ends: tuple[Pattern, ...] = ()
    same: tuple[tuple[MemberPath, MemberPath], ...] = ()


class Excuse(msgspec.Struct, frozen=True):
    """A known erratum of QEMU, and for which triggers it excuses that a rule is not kept.

    Attributes:
        erratum: its name.
        trigger: a condition on the trigger beyond that of the rule.
        situation: what the trigger must lie in; None where every trigger is covered.
        until: the last release that shows it, as (major, minor); None where the newest does.
    """

    erratum: str
    trigger: Condition = ALWAYS
    situation: Situation | None = None
    until: tuple[int, int] | None = None


class TemporalRule(msgspec.Struct, frozen=True):
    """One rule about several messages.

    Attributes:
        text: the rule in words; findings show it.
        trigger: the messages that it is about.
        then: its responses; one is enough.
        kind: `response`: one of `then` comes after the trigger; `precedence`: one came before it; `absence`:
            none comes after it, or none until one of `until` comes; `never`: the trigger does not come.
        same: pairs of a trigger's member and a response's member that must have the same value.
        within: microseconds that a response may take; None for any.
        until: lifts an absence for its key: what the members of `same` are in the response.
        until_all: lifts it for every key.
        is_limited: whether the trigger is rate-limited, and so can be sent after its own response.
        excuses: known cases in which QEMU does not keep it.
        never_missing: whether a response may always still come, as where the guest decides.
        error_closes: whether an error reply to the command that triggered it closes it.
        name: what the user or the project calls it; "" for nothing.
        during: the state that a trigger must come in; one that comes otherwise, or when it is not known,
            does not count.
        unless: the states that a trigger must not come in.
        ends_with_process: whether the end of the process drops what the trigger began, so that a response
            may never come then.
        line, file: where the spec states it; None and "" where it does not.
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
        """Its name, or else itself in words."""
        return self.name or self.text

    @property
    def is_about_commands(self) -> bool:
        """Whether commands must be read for it."""
        states = [*self.unless, *([self.during] if self.during else [])]
        patterns = [self.trigger, *self.until, *self.until_all]
        patterns += [each for state in states for each in (*state.begins, *state.ends)]
        return any(each.is_command for each in patterns)

    @property
    def needs_running(self) -> bool:
        """Whether only a running machine responds: one that is stopped does not stop again."""
        return self.kind == "response" and [each.name for each in self.then] == [STOP]


def follow_ups(
    rule_base: RuleBase, assumed: Collection[str] = (), within: float | None = None
) -> Iterator[TemporalRule]:
    """The follow-ups of a spec.

    Args:
        rule_base: the spec.
        assumed: command-line options that QEMU was given; a follow-up that depends on another is left out.
        within: seconds that they may take; None for any.
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
    """A condition on members, by their dotted paths, and their values."""
    return Condition(tuple((tuple(keypath.names(path)), tuple(allowed)) for path, allowed in values.items()))


def options_with_follow_ups(rule_base: RuleBase) -> frozenset[str]:
    """The command-line options that some follow-up of the spec depends on, without their dashes."""
    return frozenset(
        each.option for rule in rule_base.events.values() for each in rule.follow_ups if each.option
    )


def assumed_options(rule_base: RuleBase, given: Iterable[str]) -> tuple[str, ...]:
    """The command-line options that QEMU is said to have been given, without their dashes.

    Raises:
        SpecError: no follow-up of the spec depends on one of them.
    """
    known = options_with_follow_ups(rule_base)
    for option in given:
        if option.lstrip("-") not in known:
            which = f"only on {', '.join(sorted(known))}" if known else "on none"
            raise SpecError(f"assume: {quoted(option)}: the spec's follow-ups depend {which}")
    return tuple(option.lstrip("-") for option in given)
