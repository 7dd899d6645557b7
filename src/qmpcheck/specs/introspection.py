"""Compile the reply to `query-qmp-schema`, in which a binary describes itself, to a rule base.

The reply is a flat list of types, commands and events that refer to each other by name. In a rule base, each
event contains its types. A type that contains itself is cut there: its inner value may have any members.
Branches of unions are parts of them, and never cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import UNMARKED, EventRule, Marks, Member, RuleBase
from qmpcheck.text import one_line, quoted
from qmpcheck.version import Version, of_greeting

MOST_TYPES = 100_000
"""How many types may be expanded; QEMU's own events have some hundreds."""

DEEPEST = 40
"""How many levels of types inside of types there may be; QEMU's own have some four."""


class NotIntrospection(ValueError):
    """The value is not a reply to `query-qmp-schema`, or contradicts itself."""


class Introspection(NamedTuple):
    """A recorded reply, and the version in the greeting before it, if there is one."""

    schema: list[Any]
    version: Version | None


def parse(text: str) -> Introspection:
    """Return the first reply to `query-qmp-schema` in a text: a list, `{"return": [...]}`, or a transcript.

    A message of a transcript may be on one line or on several, as in the files that libvirt keeps. The
    version is that of the greeting, or of the reply to `query-version`.

    Raises:
        NotIntrospection: there is none.
    """
    version = None
    for value in _values(text):
        schema: Any = value.get("return") if isinstance(value, dict) else value
        version = of_greeting(value) or of_greeting({"QMP": {"version": schema}}) or version
        if isinstance(schema, list) and schema and isinstance(schema[0], dict) and "meta-type" in schema[0]:
            return Introspection(schema, version)
    raise NotIntrospection("no reply to query-qmp-schema in it, so it is no spec")


def _values(text: str) -> Iterator[Any]:
    """Yield the JSON values in a text, one after the other; lines at which none begins are skipped."""
    decoder, at = json.JSONDecoder(), 0
    while space := _SPACE.match(text, at):
        if space.end() == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, space.end())
            yield value
        except (ValueError, RecursionError):  # a transcript may have other text between messages
            at = text.find("\n", space.end()) + 1 or len(text)


_SPACE = re.compile(r"\s*")


def read(schema: list[Any]) -> RuleBase:
    """Return the rules of the events in a reply.

    Raises:
        NotIntrospection: it is not a reply, it lacks a type that it names, or it has too many types.
    """
    try:
        infos = msgspec.convert(schema, list[_SchemaInfo])
    except msgspec.ValidationError as error:
        raise _not_a_reply(error) from None
    events = [info for info in infos if isinstance(info, _SchemaInfoEvent)]
    if not events:
        raise NotIntrospection("no event in it: this QEMU is too old to describe its events")
    writer = _TypeExpander(
        {info.name: info for info in infos if not isinstance(info, (_SchemaInfoEvent, _SchemaInfoCommand))}
    )
    rule_base = RuleBase({event.name: writer.event(event) for event in events}, rulebase.BUILD)
    try:
        # Read it as if from a file: a binary is as little to be trusted, and `load` checks all types.
        return rulebase.load(rulebase.dump(rule_base))
    except ValueError as error:
        raise _not_a_reply(error) from None


def _not_a_reply(error: Exception) -> NotIntrospection:
    return NotIntrospection(f"not a reply to query-qmp-schema: {one_line(str(error))}")


class _SchemaInfoBase(msgspec.Struct, frozen=True, tag_field="meta-type", rename="kebab"):
    name: str


class _SchemaInfoBuiltin(_SchemaInfoBase, frozen=True, tag="builtin", rename="kebab"):
    json_type: Literal["string", "number", "int", "boolean", "null", "object", "array", "value"]


class _SchemaInfoEnumMember(msgspec.Struct, frozen=True):
    name: str
    features: tuple[str, ...] = ()


class _SchemaInfoEnum(_SchemaInfoBase, frozen=True, tag="enum"):
    """An enum. Releases before 6.2 have only `values`, without features."""

    members: tuple[_SchemaInfoEnumMember, ...] = ()
    values: tuple[str, ...] = ()


class _SchemaInfoArray(_SchemaInfoBase, frozen=True, tag="array", rename="kebab"):
    element_type: str


class _SchemaInfoObjectMember(msgspec.Struct, frozen=True):
    """A member; it is optional if it has a `default`, which is always null."""

    name: str
    type: str
    default: Any = msgspec.UNSET
    features: tuple[str, ...] = ()


class _SchemaInfoObjectVariant(msgspec.Struct, frozen=True):
    case: str
    type: str


class _SchemaInfoObject(_SchemaInfoBase, frozen=True, tag="object"):
    members: tuple[_SchemaInfoObjectMember, ...]
    tag: str = ""
    variants: tuple[_SchemaInfoObjectVariant, ...] = ()


class _SchemaInfoAlternateMember(msgspec.Struct, frozen=True):
    type: str


class _SchemaInfoAlternate(_SchemaInfoBase, frozen=True, tag="alternate"):
    members: tuple[_SchemaInfoAlternateMember, ...]


class _SchemaInfoEvent(_SchemaInfoBase, frozen=True, tag="event", rename="kebab"):
    arg_type: str
    features: tuple[str, ...] = ()


class _SchemaInfoCommand(_SchemaInfoBase, frozen=True, tag="command"):
    """A command, which no rule base has."""


_SchemaInfoType = (
    _SchemaInfoBuiltin | _SchemaInfoEnum | _SchemaInfoArray | _SchemaInfoObject | _SchemaInfoAlternate
)
_SchemaInfo = _SchemaInfoType | _SchemaInfoEvent | _SchemaInfoCommand

_BUILTIN: dict[str, rulebase.Type] = {
    "string": rulebase.String(),
    "number": rulebase.Number(),
    "int": rulebase.Integer(),
    "boolean": rulebase.Boolean(),
    "null": rulebase.Null(),
    "object": rulebase.Object(open=True),
    "array": rulebase.Array(rulebase.Any()),
    "value": rulebase.Any(),
}


class _TypeExpander:
    """Expands types: each contains the types that it refers to."""

    def __init__(self, types: dict[str, _SchemaInfoType]) -> None:
        self.types = types
        self.written = 0

    def event(self, event: _SchemaInfoEvent) -> EventRule:
        return EventRule(self.object(event.arg_type, ()), marks=_marks(event.features))

    def type(self, name: str, inside: tuple[str, ...]) -> rulebase.Type:  # noqa: PLR0911 -- a case each
        """Return the type of a name, expanded inside of the types named in `inside`."""
        match self.described(name, inside):
            case _SchemaInfoBuiltin(json_type=json_type):
                return _BUILTIN[json_type]
            case _SchemaInfoEnum() as enum:
                return _enum(enum)
            case _SchemaInfoArray(element_type=element):
                return rulebase.Array(self.type(element, (*inside, name)))
            # A type that contains itself ends here; types that merely repeat do not.
            case _SchemaInfoObject() if name in inside:
                return rulebase.Object(open=True, of=name)
            case _SchemaInfoAlternate() if name in inside:
                return rulebase.Any(of=name)
            case _SchemaInfoAlternate(members=choices):
                return rulebase.Alternate(
                    tuple(self.type(choice.type, (*inside, name)) for choice in choices)
                )
            case _:
                return self.object(name, inside)

    def object(self, name: str, inside: tuple[str, ...]) -> rulebase.Object:
        described = self.described(name, inside)
        if not isinstance(described, _SchemaInfoObject):
            raise NotIntrospection(f"the type {quoted(name)} is used where only an object can be")
        inside = (*inside, name)
        branches = {each.case: self.object(each.type, inside) for each in described.variants}
        # A value without a branch adds no members, so an empty branch says nothing.
        adding = {case: branch for case, branch in branches.items() if branch != rulebase.Object()}
        return rulebase.Object(
            tuple(self.member(member, inside) for member in described.members),
            discriminator=described.tag,
            branches=adding,
        )

    def member(self, member: _SchemaInfoObjectMember, inside: tuple[str, ...]) -> Member:
        optional = member.default is not msgspec.UNSET
        return Member(member.name, self.type(member.type, inside), optional, marks=_marks(member.features))

    def described(self, name: str, inside: tuple[str, ...]) -> _SchemaInfoType:
        self.written += 1
        if self.written > MOST_TYPES or len(inside) > DEEPEST:
            raise NotIntrospection("its types contain each other too often, or too deeply, to be written out")
        if name not in self.types:
            raise NotIntrospection(f"it names the type {quoted(name)}, but does not describe it")
        return self.types[name]


def _enum(enum: _SchemaInfoEnum) -> rulebase.Enum:
    marked = {value.name: _marks(value.features) for value in enum.members}
    marks = {name: marks for name, marks in marked.items() if marks != UNMARKED}
    return rulebase.Enum(tuple(marked) or enum.values, marks)


def _marks(features: tuple[str, ...]) -> Marks:
    if not features:
        return UNMARKED
    return Marks(deprecated="deprecated" in features, unstable="unstable" in features)
