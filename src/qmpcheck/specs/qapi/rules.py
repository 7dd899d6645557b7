"""Compile a schema's events to rules; each event contains all types that it uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import EventRule, Marks, Member, Object, RuleBase, Type
from qmpcheck.specs.documents import compile, note
from qmpcheck.specs.documents.note import Context, Sentence
from qmpcheck.specs.qapi import checks, comments, definitions
from qmpcheck.specs.qapi.comments import Passage
from qmpcheck.specs.qapi.definitions import Definition, description
from qmpcheck.specs.qapi.expressions import ListNode, Node, ObjectNode, StringNode
from qmpcheck.text import quoted


def rule_base(defined: Mapping[str, Definition]) -> RuleBase:
    """Return the rules of a schema's events.

    Args:
        defined: its definitions by name.

    Raises:
        SchemaError: a type that an event uses is invalid.
    """
    # All definitions, not only those that events use: a broken one may be an event's in the next release.
    checks.check(defined)
    types = _Types(defined)
    events = {str(each.name): each for each in defined.values() if each.kind == definitions.EVENT}
    rules = {name: _event(each, types, events) for name, each in events.items()}
    return RuleBase(rules, rulebase.SCHEMA, sum(len(rule.not_understood) for rule in rules.values()))


def _event(definition: Definition, types: _Types, events: Collection[str]) -> EventRule:
    data = _in_file(types.payload(definition), definition.file)
    said = sentences(definition, data, events)
    follow_ups = compile.follow_ups(said, [definition.name], data)[definition.name]
    return EventRule(
        data,
        # A comment may still name an event that was removed.
        tuple(rule for rule in follow_ups if all(event in events for event in rule.then)),
        compile.rate_limit(said, [definition.name]),
        definition.name.line,
        definition.file,
        _marks(definition.table),
        tuple(sorted({line for sentence in said if sentence.unknown for line in sentence.lines})),
    )


def sentences(definition: Definition, data: Object, events: Collection[str]) -> tuple[Sentence, ...]:
    """Return the sentences of an event's comment that state rules, in notes, in paragraphs and about members.

    Args:
        definition: that of the event.
        data: what the event carries.
        events: the names of all events.
    """
    context = Context((definition.name,), events, {member.name for member in data.members})
    passages = comments.parse(definition.comment, definition.comment_line)
    return tuple(sentence for each in passages for sentence in _of_passage(each, context))


def _of_passage(passage: Passage, context: Context) -> Iterator[Sentence]:
    if passage.kind == comments.MEMBER:
        name, _, text = passage.text.partition(":")
        yield from note.about_member(text, passage.line, context, name.strip().removeprefix("@"))
        return
    for sentence in note.sentences(passage.text, passage.line, context):
        if sentence.rules or note.bears_on_rules(sentence.unknown, context):
            yield sentence


def _in_file(described: Object, file: str) -> Object:
    """Return the object; members in the same file as the object name no file."""
    members = tuple(
        msgspec.structs.replace(
            member,
            type=_type_in_file(member.type, member.file),
            file="" if member.file == file else member.file,
        )
        for member in described.members
    )
    branches = {value: _in_file(branch, file) for value, branch in described.branches.items()}
    return msgspec.structs.replace(described, members=members, branches=branches)


def _type_in_file(described: Type, file: str) -> Type:
    match described:
        case Object():
            return _in_file(described, file)
        case rulebase.Array(items):
            return rulebase.Array(_type_in_file(items, file))
        case rulebase.Alternate(types):
            return rulebase.Alternate(tuple(_type_in_file(each, file) for each in types))
        case _:
            return described


_BUILT_IN: dict[str, Type] = {
    "str": rulebase.String(),
    "number": rulebase.Number(),
    "bool": rulebase.Boolean(),
    "null": rulebase.Null(),
    "any": rulebase.Any(),
    "**": rulebase.Any(),
    "dict": rulebase.Any(),
    "visitor": rulebase.Any(),
    "QType": rulebase.Any("QType"),
    "int": rulebase.Integer("int64"),
    "size": rulebase.Integer("uint64"),
    "int8": rulebase.Integer("int8"),
    "int16": rulebase.Integer("int16"),
    "int32": rulebase.Integer("int32"),
    "int64": rulebase.Integer("int64"),
    "uint8": rulebase.Integer("uint8"),
    "uint16": rulebase.Integer("uint16"),
    "uint32": rulebase.Integer("uint32"),
    "uint64": rulebase.Integer("uint64"),
}

_MOST = 20_000
"""How many members and types an event may contain; QEMU's own have some dozens."""

_DEEPEST = 40
"""How many levels of types inside of types there may be."""


class _Types:
    """Builds the types of a rule base, in which each type contains those that it refers to.

    A type that contains itself is cut there: its inner value may have any members. The base of a type and the
    branches of a union are parts of it, and never cut.
    """

    def __init__(self, defined: Mapping[str, Definition]) -> None:
        self._defined = defined
        self._written = 0
        self._inside: list[str] = []

    def payload(self, event: Definition) -> Object:
        """Return what an event carries."""
        data = event.table.get("data")
        if data is None:
            return Object()
        self._written = 0
        payload = self._part(data, event)
        assert isinstance(payload, Object), "it is checked"
        try:
            # The checks of definitions cannot see this, as it depends on where a union is used.
            rulebase.check(payload)  # what branches of branches have may still clash
        except ValueError as error:
            raise event.wrong(event.name, f"its data holds {error}") from None
        return payload

    def _named(self, name: StringNode, user: Definition) -> Type:
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        self._written += 1
        if self._written > _MOST or len(self._inside) > _DEEPEST:
            most = f"{_MOST} members and types, or {_DEEPEST} levels of them,"
            raise user.wrong(name, f"an event reaches more than {most} through {quoted(name)}")
        self._inside.append(name)
        made = self._of_definition(self._defined[name])
        self._inside.pop()
        return made

    def _of_definition(self, definition: Definition) -> Type:
        table = definition.table
        discriminator = table.get("discriminator")
        match definition.kind:
            case definitions.ENUM:
                return _enum(definition)
            case definitions.ALTERNATE:
                return self._alternate(definition)
            case definitions.UNION if isinstance(discriminator, ObjectNode):
                return self._alternate(definition)  # as alternates were written up to QEMU 2.3
            case definitions.UNION if discriminator is None:
                return self._wrapping_union(definition)
            case definitions.UNION:
                return self._union(definition, discriminator)
            case _:
                return Object(
                    (*self._base(definition), *self._members(_table(definition, "data"), definition))
                )

    def _of_value(self, value: Node, user: Definition) -> Type:
        """Return the type of a member, an item or a choice."""
        if isinstance(value, StringNode) and value in self._inside:
            return _cut(self._defined[value])
        return self._part(value, user)

    def _part(self, value: Node, user: Definition) -> Type:
        """Return the type of a base, a branch or an event's data, which is never cut."""
        match value:
            case StringNode():
                return self._named(value, user)
            case ListNode([StringNode() as item]):
                return rulebase.Array(self._of_value(item, user))
            case _:
                assert isinstance(value, ObjectNode), "it is checked"
                return Object(self._members(value, user))

    def _members(self, table: ObjectNode, user: Definition) -> tuple[Member, ...]:
        self._written += len(table)
        return tuple(self._member(name, value, user) for name, value in table.pairs())

    def _member(self, name: StringNode, value: Node, user: Definition) -> Member:
        table = description(value)
        return Member(
            name.removeprefix("*"),
            self._of_value(table.get("type", value), user),
            name.startswith("*"),
            name.line,
            user.file,
            _marks(table),
        )

    def _base(self, definition: Definition) -> tuple[Member, ...]:
        base = definition.table.get("base")
        if base is None:
            return ()
        described = self._part(base, definition)
        assert isinstance(described, Object), "it is checked"
        return described.members

    def _wrapping_union(self, definition: Definition) -> Object:
        """Return a union of types of any kind, as up to QEMU 6.0: each is the only member of its branch."""
        branches = _table(definition, "data")
        marks = {str(name): _marks(description(value)) for name, value in branches.pairs()}
        tag = Member("type", _enum_of(marks), False, definition.name.line, definition.file)
        wrapped = {
            str(name): Object((msgspec.structs.replace(self._member(name, value, definition), name="data"),))
            for name, value in branches.pairs()
        }
        return Object((*self._base(definition), tag), discriminator="type", branches=wrapped)

    def _union(self, definition: Definition, discriminator: Node | None) -> Object:
        branches = _table(definition, "data")
        base = self._base(definition)
        made = {str(name): self._branch(value, definition) for name, value in branches.pairs()}
        # A value without a branch adds no members, so an empty branch says nothing.
        adding = {value: branch for value, branch in made.items() if branch != Object()}
        return Object(base, discriminator=str(discriminator), branches=adding)

    def _branch(self, value: Node, union: Definition) -> Object:
        table = description(value)
        described = self._part(table.get("type", value), union)
        condition = _marks(table).built_if
        assert isinstance(described, Object), "it is checked"
        return _built_if(condition, described) if condition else described

    def _alternate(self, definition: Definition) -> Type:
        choices = _table(definition, "data").values()
        types = [self._of_value(description(each).get("type", each), definition) for each in choices]
        return rulebase.Alternate(tuple(each for at, each in enumerate(types) if each not in types[:at]))


def _cut(definition: Definition) -> Type:
    name = str(definition.name)
    return rulebase.Any(name) if definition.kind == definitions.ALTERNATE else Object(open=True, of=name)


def _built_if(condition: str, branch: Object) -> Object:
    """Return a branch that only some builds have: the events of other builds may lack its members.

    If the branch is a union itself, it may have any members, since a discriminator cannot be absent.
    """
    # Leaving it open is the safe side: no false alarm about builds with that branch.
    if branch.discriminator:
        return Object(open=True)

    def marked(member: Member) -> Member:
        conditions = dict.fromkeys(filter(None, (condition, member.marks.built_if)))
        marks = msgspec.structs.replace(member.marks, built_if=" and ".join(conditions))
        return msgspec.structs.replace(member, marks=marks)

    return msgspec.structs.replace(branch, members=tuple(map(marked, branch.members)))


def _table(definition: Definition, key: str) -> ObjectNode:
    value = definition.table.get(key)
    return value if isinstance(value, ObjectNode) else ObjectNode()


def _enum(definition: Definition) -> rulebase.Enum:
    marks: dict[str, Marks] = {}
    for each in _several(definition.table.get("data")):
        described = each if isinstance(each, ObjectNode) else ObjectNode()
        marks[str(described.get("name", each))] = _marks(described)
    return _enum_of(marks)


def _enum_of(marks: dict[str, Marks]) -> rulebase.Enum:
    return rulebase.Enum(tuple(marks), {k: v for k, v in marks.items() if v is not rulebase.UNMARKED})


def _marks(table: ObjectNode) -> Marks:
    """Return what is special about a definition, a member or a value."""
    listed = _several(table.get("features"))
    features = [each.get("name") if isinstance(each, ObjectNode) else each for each in listed]
    marks = Marks(_condition(table.get("if")), "deprecated" in features, "unstable" in features)
    return rulebase.UNMARKED if marks == rulebase.UNMARKED else marks


_SIGNS = (
    (r"defined\s*\(\s*(\w+)\s*\)", r"\1"),
    (r"\s*&&\s*", " and "),
    (r"\s*\|\|\s*", " or "),
    (r"!\s*", "not "),
)


def _condition(value: Node | None) -> str:
    """Return a condition on the build in words, however it is written: `CONFIG_VNC and not CONFIG_X`."""
    match value:
        case StringNode():
            said = str(value)
            for sign, word in _SIGNS:
                said = re.sub(sign, word, said)
            return said
        case ListNode():
            return " and ".join(map(_within, value))
        case ObjectNode():
            return " and ".join(filter(None, (_clause(key, each) for key, each in value.items())))
        case _:
            return ""


def _clause(key: str, value: Node) -> str:
    parts = [*map(_within, value if isinstance(value, ListNode) else [value])]
    match key:
        case "all":
            return " and ".join(parts)
        case "any":
            return " or ".join(parts)
        case _:
            return " and ".join(f"not {part}" for part in parts)


def _within(value: Node) -> str:
    """Return a condition as a part of another, in parentheses if necessary."""
    said = _condition(value)
    return f"({said})" if " or " in said or " and " in said else said


def _several(value: Node | None) -> ListNode:
    return value if isinstance(value, ListNode) else ListNode()
