"""The fast half of the payload check: a rule base compiled to decoders that only say yes.

A line that a decoder takes is an event that breaks no rule; a line that it refuses may be anything, and
the slow half (`diagnose`) says what. So a decoder must never be laxer than the rules, and may be
stricter: it refuses lone surrogates and integers of thousands of digits, for example.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import EventRule, RuleBase

REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a line that it does not take."""

Decode = Callable[[bytes], msgspec.Struct]


class _Struct(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Not tracked by the garbage collector: the values hold no cycles, and there are millions."""


class _Clock(_Struct):
    seconds: int
    microseconds: Annotated[int, msgspec.Meta(ge=0, le=999_999)]


class _NoClock(_Struct):
    seconds: Literal[-1]
    microseconds: Literal[-1]


class Decoder(NamedTuple):
    """A decoder of one line, and the event that a decoded struct is, by its class."""

    decode: Decode
    names: dict[type, str]


def compile(rule_base: RuleBase, clock: bool = True) -> Decoder:
    """Compile a rule base: for hosts with a clock, or for those whose timestamps say that there is none."""
    names: dict[type, str] = {}
    return Decoder(_decoder(rule_base, _Clock if clock else _NoClock, names), names)


def _decoder(rule_base: RuleBase, timestamp: type[_Struct], names: dict[type, str]) -> Decode:
    """A decoder of the events that one can be made for; it refuses the others, which is never wrong."""
    rules = {name: rule for name, rule in rule_base.events.items() if _can_be_made(rule.data)}
    events = {_event(name, rule, timestamp): name for name, rule in rules.items()}
    names.update(events)
    return msgspec.json.Decoder(functools.reduce(operator.or_, events) if events else _Nothing).decode


class _Nothing(_Struct):
    nothing: Literal[""]


def _can_be_made(described: rulebase.Type) -> bool:
    match described:
        case rulebase.Object(members):
            plain = all(_PLAIN.fullmatch(member.name) and _can_be_made(member.type) for member in members)
            return plain and not (described.open and members)
        case rulebase.Array(items):
            return _can_be_made(items)
        case _:
            return True


_PLAIN = re.compile(r'[^\x00-\x1f"\\]+')


def _event(name: str, rule: EventRule, timestamp: type[_Struct]) -> Any:
    data = _type(rule.data)
    fields: list[Any] = [("timestamp", timestamp)]
    fields.append(("data", data) if rule.needs_data else _optional("data", data))
    return msgspec.defstruct("Event", fields, bases=(_Struct,), tag=name, tag_field="event")


def _optional(field: str, described: Any) -> Any:
    return field, described | msgspec.UnsetType, msgspec.UNSET


def _type(described: rulebase.Type) -> Any:
    match described:
        case rulebase.Enum(values):
            return Literal[values]
        case rulebase.Array(items):
            return list[_type(items)]  # type: ignore[misc]
        case rulebase.Object(members, open=False):
            return _object(members)
        case _:
            return _SIMPLE[type(described)]


_SIMPLE: dict[type[rulebase.Type], Any] = {
    rulebase.String: str,
    rulebase.Integer: int,
    rulebase.Number: int | float,
    rulebase.Boolean: bool,
    rulebase.Null: None,
    rulebase.Any: Any,
    rulebase.Object: dict[str, Any],
}


def _object(members: tuple[rulebase.Member, ...]) -> Any:
    """A struct whose fields are numbered: members' names need not be Python's."""
    in_order = sorted(
        members, key=lambda member: member.optional
    )  # as Python wants fields with defaults last
    fields: list[Any] = []
    for at, member in enumerate(in_order):
        described = _type(member.type)
        fields.append(_optional(f"_{at}", described) if member.optional else (f"_{at}", described))
    names = {f"_{at}": member.name for at, member in enumerate(in_order)}
    return msgspec.defstruct("Object", fields, bases=(_Struct,), rename=names)
