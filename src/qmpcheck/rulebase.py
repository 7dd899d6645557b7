"""A spec compiled: what each event may carry, and what must follow it.

Everything here is a frozen value that reads and writes as JSON (`load`, `dump`). `line` is always the
line of the spec document that states the fact, counted from 1.
"""

from __future__ import annotations

from typing import Any as Json

import msgspec

Line = int | None


class _Type(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="type"):
    """What a value may be; the tag `type` names which."""


class String(_Type, frozen=True, tag="string"):
    """Any string; `known` are values the spec mentions without closing the set."""

    known: tuple[str, ...] = ()


class Enum(_Type, frozen=True, tag="enum"):
    """One of a closed set of strings."""

    values: tuple[str, ...]


class Integer(_Type, frozen=True, tag="integer"):
    """A number written without fraction or exponent."""


class Number(_Type, frozen=True, tag="number"):
    """Any JSON number."""


class Boolean(_Type, frozen=True, tag="boolean"):
    """`true` or `false`."""


class Null(_Type, frozen=True, tag="null"):
    """`null`."""


class Any(_Type, frozen=True, tag="any"):
    """Anything: the spec names no type, or names one (`of`) that is described elsewhere."""

    of: str = ""


class Array(_Type, frozen=True, tag="array"):
    """A list of items of one type."""

    items: Type


class Object(_Type, frozen=True, tag="object"):
    """An object; an `open` one may hold members that the spec leaves to another text (`of`)."""

    members: tuple[Member, ...] = ()
    open: bool = False
    of: str = ""

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        return next((member for member in self.members if member.name == name), None)


Type = String | Enum | Integer | Number | Boolean | Null | Any | Array | Object


class Member(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One key of an object."""

    name: str
    type: Type
    optional: bool = False
    line: Line = None


class FollowUp(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """After the event that holds it, one of `then` eventually comes.

    `when` are members (of `data`) and the values under which the rule applies; `option` a command-line
    option it depends on. With neither it always applies.
    """

    then: tuple[str, ...]
    when: dict[str, tuple[str, ...]] = {}
    option: str = ""
    line: Line = None


class RateLimit(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The event is sent at most once a second for each distinct value of the `key` members."""

    key: tuple[str, ...] = ()
    line: Line = None


class EventRule(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one event may carry, and what must follow it."""

    data: Object = Object()
    follow_ups: tuple[FollowUp, ...] = ()
    rate_limit: RateLimit | None = None
    line: Line = None

    @property
    def needs_data(self) -> bool:
        """Whether `data` itself is mandatory."""
        return bool(self.data.of) or any(not member.optional for member in self.data.members)


class RuleBase(msgspec.Struct, frozen=True, gc=False):
    """The rules of one spec, by event name in the spec's order."""

    events: dict[str, EventRule]

    @property
    def follow_ups(self) -> int:
        """How many follow-up rules there are."""
        return sum(len(rule.follow_ups) for rule in self.events.values())


def load(text: bytes) -> RuleBase:
    """Read a compiled rule base.

    Raises:
        ValueError: the bytes are not one.
    """
    try:
        rule_base = msgspec.json.decode(text, type=RuleBase)
        for rule in rule_base.events.values():
            _check(rule.data)
    except RecursionError:
        raise ValueError("types nested too deep") from None
    if not rule_base.events:
        raise ValueError("no event in it")
    return rule_base


def _check(described: Type) -> None:
    match described:
        case Enum(()):
            raise ValueError("an enum without values")
        case Array(items):
            _check(items)
        case Object(members):
            if len({member.name for member in members}) < len(members):
                raise ValueError("two members of one name in an object")
            for member in members:
                _check(member.type)


def dump(rule_base: RuleBase) -> bytes:
    """Write a rule base as JSON, one event a line, so that a diff shows which events changed."""
    events: dict[str, Json] = rule_base.events
    rows = (msgspec.json.encode(name) + b": " + msgspec.json.encode(rule) for name, rule in events.items())
    return b'{"events": {\n' + b",\n".join(rows) + b"\n}}\n"
