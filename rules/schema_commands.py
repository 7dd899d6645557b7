"""Read the commands of a schema: the first level of their arguments, and the JSON type of their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from qmpcheck import rulebase
from qmpcheck.rulebase import Member, Object, Type
from qmpcheck.specs.qapi import definitions
from qmpcheck.specs.qapi.definitions import Definition, description
from qmpcheck.specs.qapi.expressions import ListNode, Node, ObjectNode, StringNode


class CommandDefinition(NamedTuple):
    """A command.

    Attributes:
        arguments: what it takes; what is inside an argument that is itself an object is left open.
        returns: the JSON type of what it returns; `object` where the schema names no other.
        allows_oob: whether it can be executed out of band.
    """

    arguments: Object
    returns: str
    allows_oob: bool


def commands(root: str) -> dict[str, CommandDefinition]:
    """Return the commands of the schema with this root file.

    Raises:
        SchemaError, OSError: as `qapi.read` does.
    """
    defined = definitions.load(root)
    found = [each for each in defined.values() if each.kind == definitions.COMMAND]
    return {
        str(each.name): CommandDefinition(
            _arguments(each, defined), _returns(each, defined), bool(each.table.get("allow-oob"))
        )
        for each in found
    }


def _returns(command: Definition, defined: Mapping[str, Definition]) -> str:
    value = command.table.get("returns")
    kind = _type(value, defined) if value is not None else Object()
    return rulebase.JSON_TYPES.get(type(kind), "object")


def _arguments(command: Definition, defined: Mapping[str, Definition]) -> Object:
    is_open = command.table.get("gen") in (False, "no")
    members = {member.name: member for member in _members(command.table.get("data"), defined)}
    return Object(tuple(members.values()), is_open)


def _members(data: Node | None, defined: Mapping[str, Definition]) -> Iterator[Member]:
    """Return the members of a table, or of the struct or union of a name, with those of all branches."""
    match data:
        case ObjectNode():
            for name, value in data.pairs():
                kind = _type(description(value).get("type", value), defined)
                yield Member(name.removeprefix("*"), kind, name.startswith("*"))
        case StringNode() if data in defined:
            definition = defined[data]
            yield from _members(definition.table.get("base"), defined)
            if definition.kind != definitions.UNION:
                yield from _members(definition.table.get("data"), defined)
            elif isinstance(branches := definition.table.get("data"), ObjectNode):
                for _, branch in branches.pairs():
                    for member in _members(description(branch).get("type", branch), defined):
                        yield Member(member.name, member.type, optional=True)  # the other branches lack it


def _type(value: Node, defined: Mapping[str, Definition]) -> Type:  # noqa: PLR0911 -- a case each
    if isinstance(value, ListNode):
        return rulebase.Array(rulebase.Any())
    definition = defined.get(str(value))
    if definition and definition.kind == definitions.ENUM:
        values = definition.table.get("data")
        names = [description_name(each) for each in values] if isinstance(values, ListNode) else []
        return rulebase.Enum(tuple(names))
    if definition and definition.kind == definitions.ALTERNATE:
        return rulebase.Any()
    if definition:
        return Object(open=True)
    if value == "str":
        return rulebase.String()
    if value == "bool":
        return rulebase.Boolean()
    if value in ("number", "any", "null", "**", "dict", "visitor", "QType"):
        return rulebase.Any() if value != "number" else rulebase.Number()
    return rulebase.Integer()


def description_name(value: Node) -> str:
    """Return the name of an enum's value, which newer schemas put into a table."""
    return str(value["name"]) if isinstance(value, ObjectNode) else str(value)
