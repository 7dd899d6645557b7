"""Every way to break the payload of one event in one place."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from qmpcheck import rulebase
from qmpcheck.generating.choices import NOTHING, usable
from qmpcheck.generating.values import sample
from qmpcheck.keypath import KeyPath, of_any_item
from qmpcheck.rulebase import (
    JSON_TYPES,
    Alternate,
    Array,
    Boolean,
    Enum,
    EventRule,
    Integer,
    Number,
    Object,
    String,
)


class FaultyEvent(NamedTuple):
    """An event with one fault.

    Attributes:
        code: of the finding.
        path: of the finding.
        what: what was done.
        message: the event.
        kind: the same for faults of one kind at one place of the spec.
    """

    code: str
    path: KeyPath
    what: str
    message: dict[str, Any]
    kind: Hashable


class _Replacement(NamedTuple):
    """A value in place of another one, or `GONE`, and the finding that a checker must make.

    Attributes:
        path: from the event's data.
        tags: the branches of unions that it is in.
    """

    code: str
    path: KeyPath
    what: str
    value: Any
    tags: tuple[str, ...] = ()


GONE = object()
"""In place of a value that is removed."""


def faults(rule: EventRule, message: dict[str, Any]) -> Iterator[FaultyEvent]:
    """Yield the event with one fault, for each fault that its spec lets a checker find."""
    for code, path, what, value, tags in _all_changes(rule, message):
        changed = _replaced(message, ("data", *path), value)
        kind = code, of_any_item(path), what, tags
        yield FaultyEvent(code, ("data", *path), what, changed, kind)


def _all_changes(rule: EventRule, message: dict[str, Any]) -> Iterator[_Replacement]:
    if "data" not in message:
        yield _Replacement("QMP204", (), "data is a list", [])
        if not rule.data.open:
            yield _Replacement("QMP203", (_UNKNOWN,), "a member that the spec does not have", 1)
        return
    if rule.needs_data:
        yield _Replacement("QMP202", (), "data is removed", GONE)
    yield from _changes(rule.data, message["data"], (), ())


def _changes(
    described: rulebase.Type, value: Any, path: KeyPath, tags: tuple[str, ...]
) -> Iterator[_Replacement]:
    """Yield what can be put in place of a value of a type, or inside it."""
    kinds = described.types if isinstance(described, Alternate) else (described,)
    for wrong in _wrong(kinds):
        yield _Replacement("QMP204", path, f"a value of another type, {_IN_WORDS[type(wrong)]}", wrong, tags)
    # The types of an alternate differ in their JSON types, so one of them has the value.
    found = next(each for each in kinds if type(value) in _PYTHON.get(type(each), (type(value),)))
    match found:
        case Enum(_, marks):
            yield _Replacement("QMP205", path, "a value that the spec does not have", _UNKNOWN, tags)
            for each in marks:
                if marks[each].deprecated:
                    yield _Replacement("QMP206", path, f"a deprecated value, {each}", each, tags)
        case Integer() if found.range:
            least, greatest = found.range
            yield _Replacement("QMP205", path, "one less than the least number", least - 1, tags)
            yield _Replacement("QMP205", path, "one more than the greatest number", greatest + 1, tags)
        case Array(items) if value:
            # One item stands for all: they have the same type.
            yield from _changes(items, value[0], (*path, 0), tags)
        case Object():
            yield from _changes_of_object(found, value, path, tags)


def _changes_of_object(
    described: Object, value: dict[str, Any], path: KeyPath, tags: tuple[str, ...]
) -> Iterator[_Replacement]:
    for member in described.members:
        at = (*path, member.name)
        if member.name in value:
            if not member.may_be_absent:
                yield _Replacement("QMP202", at, "a mandatory member is removed", GONE, tags)
            yield from _changes(member.type, value[member.name], at, tags)
        elif member.marks.deprecated and (possible := usable(member.type)) != NOTHING:
            yield _Replacement("QMP206", at, "a deprecated member is added", sample(possible), tags)
    if described.branches:
        tag = value[described.discriminator]
        branch = described.branches.get(tag, Object(open=described.open))
        yield from _changes_of_object(branch, value, path, (*tags, tag))
    elif not described.open:
        yield _Replacement("QMP203", (*path, _UNKNOWN), "a member that the spec does not have", 1, tags)


_UNKNOWN = "no-such"

_PYTHON: dict[type[rulebase.Type], tuple[type, ...]] = {
    String: (str,),
    Enum: (str,),
    Integer: (int,),
    Number: (int, float),
    Boolean: (bool,),
    rulebase.Null: (type(None),),
    Array: (list,),
    Object: (dict,),
}
"""The Python types of the JSON values of each type."""

_WRONG: tuple[Any, ...] = (7, "seven", True, 1.0, None, [])
"""Values of all JSON types but objects; `true` and `1.0` are not integers."""

_IN_WORDS: dict[type, str] = {
    bool: "true",
    float: "1.0",
    int: "7",
    str: "a string",
    type(None): "null",
    list: "a list",
}


def _wrong(kinds: tuple[rulebase.Type, ...]) -> list[Any]:
    """Return a value of none of the types; for an integer three, as some parsers take true or 1.0 for one."""
    if any(type(each) not in JSON_TYPES for each in kinds):
        return []
    taken = {kind for each in kinds for kind in _PYTHON[type(each)]}
    wrong = [each for each in _WRONG if type(each) not in taken]
    return wrong[:3] if int in taken else wrong[:1]


def _replaced(value: Any, path: KeyPath, new: Any) -> Any:
    """Return a copy of a JSON value with another value at a path, or without one if that is `GONE`."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, list):
        return [_replaced(each, tuple(rest), new) if at == key else each for at, each in enumerate(value)]
    if new is GONE and not rest:
        return {each: value[each] for each in value if each != key}
    value = value or {}  # there was no data
    return value | {key: _replaced(value.get(key), tuple(rest), new)}
