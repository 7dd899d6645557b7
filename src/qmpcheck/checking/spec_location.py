"""Which part of a spec is about which part of an event: unions and alternates depend on what it carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from qmpcheck import rulebase
from qmpcheck.printable import name, quoted, step
from qmpcheck.rulebase import JSON_TYPES, Alternate, Array, Enum, EventRule, Line, Member, Object


class Place(NamedTuple):
    """Where the spec describes a value.

    Attributes:
        line, file: the line, and the file that it counts in.
        where: the values of discriminators under which it holds, in words.
    """

    line: Line
    file: str
    where: tuple[str, ...] = ()


def place(rule: EventRule, data: Any, path: Iterable[str | int]) -> Place:
    """Where the spec describes what stands at a path of keys and indices into an event's data.

    Of a member that the spec does not have, that is where it describes the object.
    """
    described: rulebase.Type | None = rule.data
    at = Place(rule.line, rule.file)
    for key in path:
        match of_alternate(described, data):
            case Array(items):
                described, data = items, data[key]
            case Object() as holder:
                member, where = _member(holder, data, key)
                at = at._replace(where=at.where + where)
                if member is None:
                    break
                at = _of_member(at, member)
                described, data = member.type, data.get(key)
            case _:
                break
    return at


def _of_member(holder: Place, member: Member) -> Place:
    return holder._replace(line=member.line, file=member.file or holder.file)


def _member(holder: Object, value: Any, key: str | int) -> tuple[Member | None, tuple[str, ...]]:
    where: tuple[str, ...] = ()
    for layer, where in _layers(holder, value):
        for member in layer.members:
            if member.name == key:
                return member, where
    return None, where


def _layers(described: Object, value: dict[str, Any]) -> Iterator[tuple[Object, tuple[str, ...]]]:
    """An object, and the branches that it takes where it carries that, each with the reasons for it."""
    where: tuple[str, ...] = ()
    yield described, where
    while described.branches:
        tag = value.get(described.discriminator)
        if tag not in described.tag.values:
            return
        where = (*where, f"{name(described.discriminator)} is {quoted(tag)}")
        described = described.branches.get(tag, Object())
        yield described, where


def of_alternate(described: rulebase.Type | None, value: Any) -> rulebase.Type | None:
    """Which of an alternate's types a value is of; None where it is of none. Any other type is itself."""
    if not isinstance(described, Alternate):
        return described
    found = _JSON_TYPES[type(value)]
    return next((each for each in described.types if JSON_TYPES[type(each)] in found), None)


_JSON_TYPES: dict[type, tuple[str, ...]] = {
    str: ("string",),
    bool: ("boolean",),
    type(None): ("null",),
    list: ("array",),
    dict: ("object",),
    int: ("integer", "number"),
    Decimal: ("integer", "number"),
    float: ("number",),
}


def json_type(value: Any) -> str:
    """What JSON Schema calls the type of a value, in the narrowest word."""
    return _JSON_TYPES[type(value)][0]


def has_deprecated(described: rulebase.Type) -> bool:
    """Whether a value of a type can be, or hold, what is deprecated."""
    match described:
        case Enum(_, marks):
            return any(each.deprecated for each in marks.values())
        case Array(items):
            return has_deprecated(items)
        case Alternate(types):
            return any(map(has_deprecated, types))
        case Object(members, branches=branches):
            own = any(member.marks.deprecated or has_deprecated(member.type) for member in members)
            return own or any(map(has_deprecated, branches.values()))
        case _:
            return False


class Deprecated(NamedTuple):
    """What is deprecated in an event: its dotted path, what it is, and where the spec says so."""

    path: str
    what: str
    at: Place


def deprecated(rule: EventRule, data: Any) -> Iterator[Deprecated]:
    """The deprecated members and values that an event's data holds, one of a path."""
    found: dict[str, Deprecated] = {}
    for each in _deprecated(rule.data, data, "data", Place(rule.line, rule.file)):
        found.setdefault(each.path, each)
    yield from found.values()


def _deprecated(described: rulebase.Type, value: Any, path: str, at: Place) -> Iterator[Deprecated]:
    match of_alternate(described, value), value:
        case Enum(_, marks), str() if value in marks and marks[value].deprecated:
            yield Deprecated(path, f"the value {quoted(value)}", at)
        case Array(items), list():
            for index, item in enumerate(value):
                yield from _deprecated(items, item, step(path, index), at)
        case Object() as holder, dict():
            for layer, _ in _layers(holder, value):
                for member in layer.members:
                    if member.name in value:
                        yield from _deprecated_member(member, value[member.name], path, at)


def _deprecated_member(member: Member, value: Any, above: str, holder: Place) -> Iterator[Deprecated]:
    path, at = step(above, member.name), _of_member(holder, member)
    if member.marks.deprecated:
        yield Deprecated(path, "this member", at)
    yield from _deprecated(member.type, value, path, at)
