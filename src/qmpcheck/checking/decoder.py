"""The fast half of the payload check: compile a rule base to decoders that accept only conforming events.

A line that a decoder accepts is an event that breaks no rule. A line that it refuses may be anything; the
slow half (`explain`) finds out what it is. So a decoder must never accept more than the rules allow, but may
refuse more: lone surrogates and integers of thousands of digits, for example. To add a check, let the decoder
refuse what breaks it (or more), and let `explain` say what is wrong.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import EventRule, RuleBase
from qmpcheck.streams.messages import LAST_SECOND

REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a line that it refuses."""

Decode = Callable[[bytes], msgspec.Struct]


class _Struct(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The base of decoded values. The garbage collector ignores them: there are millions, without cycles."""


class _ClockTimestamp(_Struct):
    seconds: Annotated[int, msgspec.Meta(ge=-LAST_SECOND, le=LAST_SECOND)]
    microseconds: Annotated[int, msgspec.Meta(ge=0, le=999_999)]


class _NoClockTimestamp(_Struct):
    seconds: Literal[-1]
    microseconds: Literal[-1]


class Decoder(msgspec.Struct, frozen=True):
    """A function that decodes one line, and the name of the event for each class of its results."""

    decode: Decode
    names: dict[type, str]


def compile(rule_base: RuleBase, clock: bool = True) -> Decoder:
    """Compile a rule base.

    Args:
        rule_base: the spec.
        clock: whether the host has a clock. Without one, both members of a timestamp are -1; types for both
            cases at once would make every event slower.
    """
    names: dict[type, str] = {}
    return Decoder(_decoder(rule_base, _ClockTimestamp if clock else _NoClockTimestamp, names), names)


def _decoder(rule_base: RuleBase, timestamp: type[_Struct], names: dict[type, str]) -> Decode:
    """Return a decoder of the events that msgspec can describe; refusing the others is never wrong."""
    # One union of all events, tagged by name: by the tag, msgspec knows which struct to fill.
    rules = {name: rule for name, rule in rule_base.events.items() if _can_describe_event(rule)}
    alone = len(rules) == 1
    events = {_event(name, rule, timestamp, alone): name for name, rule in rules.items()}
    names.update(events)
    return msgspec.json.Decoder(_any_of(events) if events else _Impossible).decode


def _any_of(types: Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, types)


class _Impossible(_Struct):
    """A type without values: the events of a spec that has none that msgspec can describe."""

    nothing: Annotated[int, msgspec.Meta(ge=1, le=0)]


def _can_describe_event(rule: EventRule) -> bool:
    return not rule.marks.deprecated and _can_describe(rule.data)


def _can_describe(described: rulebase.Type) -> bool:
    """Return whether msgspec can describe a type exactly, without what is deprecated.

    What is deprecated is refused, as the use of it is a finding.
    """
    match described:
        case rulebase.Object():
            return _can_describe_object(described) and all(
                map(_can_describe_branch, described.branches.values())
            )
        case rulebase.Array(items):
            return _can_describe(items)
        case rulebase.Alternate(types):
            return all(map(_can_describe, types))
        case rulebase.Enum():
            return bool(_values(described))  # there is no `Literal` without values
        case _:
            return True


def _can_describe_branch(branch: rulebase.Object) -> bool:
    # Two tags in one object, and members of any name beside a tag, are beyond msgspec.
    return not branch.branches and not branch.open and _can_describe_object(branch)


def _can_describe_object(described: rulebase.Object) -> bool:
    if described.open:  # a dict; msgspec has no struct with further members of any name
        return not described.members and not described.branches
    return all(map(_can_describe_member, described.members))


def _can_describe_member(member: rulebase.Member) -> bool:
    if member.marks.deprecated:  # left out, so that the decoder refuses events that have it
        return member.may_be_absent
    return bool(_PLAIN.fullmatch(member.name)) and _can_describe(member.type)


_PLAIN = re.compile(r'[^\x00-\x1f"\\]+')
"""Names that JSON writes without escapes: msgspec accepts no others as names of fields."""


def _event(name: str, rule: EventRule, timestamp: type[_Struct], alone: bool) -> Any:
    """Return an event's struct. Only one of several gets a tag: msgspec lets a single struct lack its tag."""
    data = _type(rule.data)
    fields: list[Any] = [("event", Literal[name])] if alone else []
    fields.append(("timestamp", timestamp))
    fields.append(("data", data) if rule.needs_data else _optional("data", data))
    tag = None if alone else name
    return msgspec.defstruct("Event", fields, bases=(_Struct,), tag=tag, tag_field=tag and "event")


def _optional(field: str, described: Any) -> Any:
    return field, described | msgspec.UnsetType, msgspec.UNSET


def _type(described: rulebase.Type) -> Any:
    match described:
        case rulebase.Enum():
            return Literal[_values(described)]
        case rulebase.Integer() if described.range:
            return _integer(*described.range)
        case rulebase.Array(items):
            return list[_type(items)]  # type: ignore[misc]
        case rulebase.Alternate(types):
            return _any_of(map(_type, types))
        case rulebase.Object() if not described.open:
            return _union(described) if described.branches else _object(described.members)
        case _:
            return _SIMPLE[type(described)]


def _values(described: rulebase.Enum) -> tuple[str, ...]:
    """Return the values that are not deprecated."""
    marks = described.marks
    return tuple(value for value in described.values if not marks.get(value, rulebase.UNMARKED).deprecated)


def _integer(least: int, greatest: int) -> Any:
    """Return the type of an integer in a range.

    msgspec takes bounds of 63 bits at most; of a uint64, the upper half is refused, and so explained.
    """
    return Annotated[int, msgspec.Meta(ge=least, le=min(greatest, (1 << 63) - 1))]


_SIMPLE: dict[type[rulebase.Type], Any] = {
    rulebase.String: str,
    rulebase.Integer: int,
    rulebase.Number: int | float,
    rulebase.Boolean: bool,
    rulebase.Null: None,
    rulebase.Any: Any,
    rulebase.Object: dict[str, Any],
}


def _union(described: rulebase.Object) -> Any:
    """Return a struct for each value of the discriminator, which is their tag."""
    name, values = described.discriminator, _values(described.tag)
    others = tuple(member for member in described.members if member.name != name)
    if len(values) == 1:  # msgspec would let it lack its tag
        tag = rulebase.Member(name, rulebase.Enum(values))
        return _object((tag, *others, *_added(described, values[0])))
    return _any_of(_object((*others, *_added(described, value)), name, value) for value in values)


def _added(described: rulebase.Object, value: str) -> tuple[rulebase.Member, ...]:
    """Return the members that the branch of a value adds."""
    return described.branches[value].members if value in described.branches else ()


def _object(
    members: tuple[rulebase.Member, ...], tag_field: str | None = None, tag: str | None = None
) -> Any:
    """Return a struct with numbered fields: names of members need not be valid in Python."""
    kept = [member for member in members if not member.marks.deprecated]
    in_order = sorted(kept, key=lambda member: member.may_be_absent)  # Python requires defaults to come last
    fields: list[Any] = []
    for at, member in enumerate(in_order):
        described = _type(member.type)
        fields.append(_optional(f"_{at}", described) if member.may_be_absent else (f"_{at}", described))
    names = {f"_{at}": member.name for at, member in enumerate(in_order)}
    bases, namespace = (_Struct,), {TAG: tag}
    return msgspec.defstruct(
        "Object", fields, bases=bases, namespace=namespace, rename=names, tag_field=tag_field, tag=tag
    )


TAG = "tag"
"""The attribute with the value of a union's discriminator, which is no field."""
