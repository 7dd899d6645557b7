"""The commands of a schema, and their arguments: the first level of them, for rules that users write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qmpcheck import rulebase
from qmpcheck.rulebase import Member, Object, Type
from qmpcheck.specs.qapi import definitions
from qmpcheck.specs.qapi.definitions import Definition, description
from qmpcheck.specs.qapi.expressions import ListNode, Node, ObjectNode, StringNode


def arguments(root: str) -> dict[str, Object]:
    """The arguments of each command of the schema with that root file.

    What is inside an argument that is itself an object is left open.

    Raises:
        SchemaError, OSError: as `qapi.read` does.
    """
    defined = definitions.load(root)
    commands = [each for each in defined.values() if each.kind == definitions.COMMAND]
    return {str(each.name): _arguments(each, defined) for each in commands}


def _arguments(command: Definition, defined: Mapping[str, Definition]) -> Object:
    is_open = command.table.get("gen") in (False, "no")
    members = {member.name: member for member in _members(command.table.get("data"), defined)}
    return Object(tuple(members.values()), is_open)


def _members(data: Node | None, defined: Mapping[str, Definition]) -> Iterator[Member]:
    """The members of a table, or of the struct or union that a name means, with those of all branches."""
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
                    yield from _members(description(branch).get("type", branch), defined)


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
    """The name of an enum's value, which newer schemas put into a table."""
    return str(value["name"]) if isinstance(value, ObjectNode) else str(value)
