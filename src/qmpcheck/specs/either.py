"""Merge two specs into one that allows what either allows: for builds made between two releases."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from qmpcheck.rulebase import (
    JSON_TYPES,
    UNMARKED,
    Alternate,
    Any,
    Array,
    Enum,
    EventRule,
    Integer,
    Marks,
    Member,
    Number,
    Object,
    RateLimit,
    RuleBase,
    String,
    Type,
    check,
)


def either(older: RuleBase, newer: RuleBase) -> RuleBase:
    """Return rules that allow every event that one of two specs allows.

    What only one of them demands is not demanded. Lines are those of the newer spec, as far as it has them.
    """
    events = dict.fromkeys([*older.events, *newer.events])
    return RuleBase(
        {event: _event(older.events.get(event), newer.events.get(event)) for event in events}, newer.source
    )


def _event(older: EventRule | None, newer: EventRule | None) -> EventRule:
    rule = newer or older
    assert rule, "an event of one of the two"
    if older is None or newer is None:
        return rule
    stated = [msgspec.structs.replace(follow_up, line=None) for follow_up in older.follow_ups]
    return msgspec.structs.replace(
        newer,
        data=_either_object(older.data, newer.data),
        follow_ups=tuple(
            each for each in newer.follow_ups if msgspec.structs.replace(each, line=None) in stated
        ),
        rate_limit=_rate_limit(older.rate_limit, newer.rate_limit),
        marks=_marks(older.marks, newer.marks),
    )


def _rate_limit(older: RateLimit | None, newer: RateLimit | None) -> RateLimit | None:
    """Return the more lenient limit. A limit of only one side excuses late events, but no event breaks it."""
    if older and newer:
        return max((newer, older), key=lambda limit: len(limit.unless))
    one = older or newer
    return one and msgspec.structs.replace(one, known_by="neighbour")


def _marks(older: Marks, newer: Marks) -> Marks:
    """Return the marks that both sides have, and the condition on the build that either has."""
    return Marks(
        older.built_if or newer.built_if,
        older.deprecated and newer.deprecated,
        older.unstable and newer.unstable,
    )


def _either_type(older: Type, newer: Type) -> Type:  # noqa: PLR0911 -- a case each
    match older, newer:
        case _ if older == newer:
            return newer
        case (Any(), _) | (_, Any()):
            return Any()
        case Object(), Object():
            return _either_object(older, newer)
        case Enum(), Enum():
            return _enum(older, newer)
        case Array(), Array():
            return Array(_either_type(older.items, newer.items))
        case (Enum() | String(), Enum() | String()):
            return String()
        case Integer(), Integer():
            return _wider(older, newer)
        case (Integer() | Number(), Integer() | Number()):
            return Number()
        case _:
            return _alternate(older, newer)


def _either_object(older: Object, newer: Object) -> Object:
    if older == newer:
        return newer
    # Nothing is known about the build but its neighbours: if they do not compare, allow anything.
    if older.open or newer.open or older.discriminator != newer.discriminator:
        return Object(open=True)
    merged = Object(
        _members(older.members, newer.members),
        discriminator=newer.discriminator,
        branches={value: _branch(value, older, newer) for value in {**older.branches, **newer.branches}},
    )
    try:
        check(merged)
    except ValueError:  # a member moved into a branch, or no longer tells branches apart
        return Object(open=True)
    return merged


def _branch(value: str, older: Object, newer: Object) -> Object:
    """Return what a value of the discriminator adds; if only one side knows the value, what it adds there."""
    sides = [union.branches.get(value, Object()) for union in (older, newer) if value in union.tag.values]
    return _either_object(*sides) if len(sides) == len((older, newer)) else sides[0]


def _members(older: Iterable[Member], newer: Iterable[Member]) -> tuple[Member, ...]:
    before, after = ({member.name: member for member in side} for side in (older, newer))
    return tuple(_member(before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after]))


def _member(older: Member | None, newer: Member | None) -> Member:
    member = newer or older
    assert member, "a member of one of the two"
    if older is None or newer is None:
        # Only one neighbour has the member, so the build may lack it.
        return msgspec.structs.replace(member, optional=True)
    return msgspec.structs.replace(
        newer,
        type=_either_type(older.type, newer.type),
        optional=older.optional or newer.optional,
        marks=_marks(older.marks, newer.marks),
    )


def _enum(older: Enum, newer: Enum) -> Enum:
    values = tuple(dict.fromkeys([*older.values, *newer.values]))
    marks = {
        value: _marks(older.marks.get(value, UNMARKED), newer.marks.get(value, UNMARKED))
        for value in values
        if value in older.values and value in newer.values
    }
    return Enum(values, {value: each for value, each in marks.items() if each != UNMARKED})


def _wider(older: Integer, newer: Integer) -> Integer:
    a, b = older.range, newer.range
    if a and b and a[0] <= b[0] and b[1] <= a[1]:
        return older
    if a and b and b[0] <= a[0] and a[1] <= b[1]:
        return newer
    return Integer()


def _alternate(older: Type, newer: Type) -> Type:
    """Return an alternate of both types, or `Any` if they do not differ in their JSON types."""
    types = [
        each for side in (older, newer) for each in (side.types if isinstance(side, Alternate) else [side])
    ]
    kinds: dict[str, Type] = {}
    for each in types:
        kind = JSON_TYPES.get(type(each), "")
        kind = "number" if kind == "integer" else kind
        kinds[kind] = _either_type(kinds[kind], each) if kind in kinds else each
    # One of them allows any value.
    if "" in kinds:
        return Any()
    first, *others = kinds.values()
    return Alternate((first, *others)) if others else first
