"""Check that a schema is valid, definition by definition, whether or not an event uses it.

QEMU's own scripts refuse more: the style of names and comments, and types that differ in JSON but not on
QEMU's command line. None of that changes what an event may carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, NoReturn

from qmpcheck.specs.qapi import definitions
from qmpcheck.specs.qapi.definitions import BUILT_IN, Definition, description
from qmpcheck.specs.qapi.expressions import ListNode, Node, ObjectNode, StringNode
from qmpcheck.text import quoted
from qmpcheck.wording import did_you_mean

_STRUCTURED = (definitions.STRUCT, definitions.UNION)


class _AllowedKeys(NamedTuple):
    """The keys that a table must have, and may have."""

    mandatory: tuple[str, ...]
    optional: tuple[str, ...]


_ALWAYS = ("if", "features")

_OF_DEFINITIONS = {
    definitions.ENUM: _AllowedKeys(("data",), ("prefix", *_ALWAYS)),
    definitions.STRUCT: _AllowedKeys(("data",), ("base", *_ALWAYS)),
    definitions.UNION: _AllowedKeys(("data",), ("base", "discriminator", *_ALWAYS)),
    definitions.ALTERNATE: _AllowedKeys(("data",), _ALWAYS),
    definitions.EVENT: _AllowedKeys((), ("data", "boxed", *_ALWAYS)),
    definitions.COMMAND: _AllowedKeys(
        (),
        (
            *("data", "returns", "boxed", "gen", "success-response"),
            *("allow-oob", "allow-preconfig", "coroutine", *_ALWAYS),
        ),
    ),
}
_OF_VALUES = _AllowedKeys(("name",), _ALWAYS)
_OF_MEMBERS = _AllowedKeys(("type",), _ALWAYS)
_OF_BRANCHES = _AllowedKeys(("type",), ("if",))
_OF_FEATURES = _AllowedKeys(("name",), ("if",))

_NAME = re.compile(r"(?:__[a-z0-9.-]+_)?[a-z][a-z0-9_-]*", re.IGNORECASE)
_VALUE = re.compile(r"(?:__[a-z0-9.-]+_)?[a-z0-9][a-z0-9_.-]*", re.IGNORECASE)


def check(defined: Mapping[str, Definition]) -> None:
    """Check all definitions of a schema.

    Raises:
        SchemaError: a definition is invalid; the error is about the first one.
    """
    # Only schemas that call structs types have members that are tables of members.
    nests = any("type" in each.table for each in defined.values())
    for definition in defined.values():
        _Check(definition, defined, nests).all()


class _Check:
    """Checks one definition.

    Attributes:
        nests: whether a member may be a struct without a name, as up to QEMU 2.3, when structs were still
            called types.
    """

    def __init__(self, definition: Definition, defined: Mapping[str, Definition], nests: bool) -> None:
        self.definition, self.table = definition, definition.table
        self.defined, self.nests = defined, nests

    def all(self) -> None:
        kind = self.definition.kind
        known = {kind, "type"} if kind == definitions.STRUCT else {kind}
        self.keys(self.table, _OF_DEFINITIONS[kind], known)
        self.name(self.definition.name, _NAME)
        if self.definition.name in definitions.SENT:
            self.refuse(
                self.definition.name, f"{quoted(self.definition.name)} is already the name of a built-in type"
            )
        self.marks(self.table)
        match kind:
            case definitions.ENUM:
                self.enum()
            case definitions.STRUCT:
                self.base()
                self.members(self.data_table())
                self.clashes(self.definition.name, self.own_members(self.definition))
            case definitions.UNION if isinstance(self.table.get("discriminator"), ObjectNode):
                self.alternate()  # as they were written up to QEMU 2.3
            case definitions.UNION:
                self.union()
            case definitions.ALTERNATE:
                self.alternate()
            case _:
                self.arguments()

    def refuse(self, where: Node | None, reason: str, member: str = "") -> NoReturn:
        raise self.definition.wrong(where, reason, member)

    # Parts that several kinds have

    def keys(
        self, table: ObjectNode, keys: _AllowedKeys, known: set[str] | None = None, member: str = ""
    ) -> None:
        allowed = {*(known or ()), *keys.mandatory, *keys.optional}
        for key, _ in table.pairs():
            if key not in allowed:
                self.refuse(key, f"unknown key {quoted(key)}", member)
        for mandatory in keys.mandatory:
            if mandatory not in table:
                self.refuse(table, f"the key {quoted(mandatory)} is missing", member)

    def name(self, name: StringNode, pattern: re.Pattern[str], member: str = "") -> None:
        if not pattern.fullmatch(name):
            self.refuse(name, f"{quoted(name)} is not a valid name", member)

    def marks(self, table: ObjectNode, member: str = "") -> None:
        """Check the keys `features` and `if` of a table."""
        self.condition(table.get("if"), table, member)
        features = table.get("features", ListNode())
        if not isinstance(features, ListNode):
            self.refuse(table, "features: expected a list", member)
        names = [self.named(each, _OF_FEATURES, features, member) for each in features]
        self.once(names, "feature", member)

    def condition(self, value: Node | None, where: ObjectNode, member: str) -> None:
        if isinstance(value, ObjectNode):
            if len(value) != 1 or not {"all", "any", "not"}.issuperset(value):
                self.refuse(value, "a condition must have one of the keys all, any and not", member)
            for key, each in value.pairs():
                if (key == "not") == isinstance(each, ListNode):
                    self.refuse(
                        key, "expected a list of conditions for all and any, one condition for not", member
                    )
                self.condition(each, value, member)
        elif isinstance(value, ListNode):
            if not value:
                self.refuse(value, "an empty condition", member)
            for each in value:
                self.condition(each, where, member)
        elif value is not None and (not isinstance(value, StringNode) or not value.strip()):
            self.refuse(
                where, "a condition must be the name of an option, or a table with all, any or not", member
            )

    def named(self, value: Node, keys: _AllowedKeys, where: ListNode, member: str = "") -> StringNode:
        """Return the name of a value or a feature, which is a string, or a table with the name."""
        name: Node | None = value
        if isinstance(value, ObjectNode):
            self.keys(value, keys, member=member)
            self.marks(value, member)
            name = value.get("name")
        if not isinstance(name, StringNode):
            self.refuse(where, "expected a name", member)
        return name

    def once(self, names: list[StringNode], what: str, member: str = "") -> None:
        """Refuse two equal names; dashes and underscores are equal, as they are in C."""
        seen: dict[str, StringNode] = {}
        for name in names:
            before = seen.setdefault(re.sub("[-.]", "_", name.removeprefix("*")), name)
            if before is not name:
                as_other = f", as {quoted(before)}" if before != name else ""
                self.refuse(name, f"the {what} {quoted(name)} exists already{as_other}", member)

    def data_table(self) -> ObjectNode:
        data = self.table.get("data")
        if not isinstance(data, ObjectNode):
            self.refuse(data, "data: expected a table of members")
        return data

    def members(self, table: ObjectNode) -> None:
        for name, value in table.pairs():
            plain = name.removeprefix("*")
            if not _NAME.fullmatch(plain):
                self.refuse(name, f"{quoted(name)} is not a valid name", plain)
            if isinstance(value, ObjectNode) and self.nests and "type" not in value:
                self.members(value)
            else:
                self.type(self.of_member(value, name, _OF_MEMBERS), name)
        self.once([name for name, _ in table.pairs()], "member")

    def of_member(self, value: Node, name: StringNode, keys: _AllowedKeys) -> Node | None:
        """Check the type of a member or a branch, which may be in a table."""
        if not isinstance(value, ObjectNode):
            return value
        self.keys(value, keys, member=name.removeprefix("*"))
        self.marks(value, name.removeprefix("*"))
        return value["type"]

    def type(self, value: Node | None, member: StringNode | None = None) -> None:
        """Check the name of a type, or a list of one."""
        name = member.removeprefix("*") if member is not None else ""
        if isinstance(value, ListNode):
            if len(value) != 1 or not isinstance(value[0], StringNode):
                self.refuse(value, "expected a list with one type", name)
            value = value[0]
        if not isinstance(value, StringNode):
            self.refuse(
                value if isinstance(value, ObjectNode) else member, "expected the name of a type", name
            )
        found = self.defined.get(value)
        if value not in BUILT_IN and (
            found is None or found.kind in (definitions.EVENT, definitions.COMMAND)
        ):
            hint = did_you_mean(value, [*BUILT_IN, *self.defined])
            self.refuse(value, f"no type is called {quoted(value)}{hint}", name)

    def kind(self, name: Node | None) -> str:
        """Return the kind of the type with this name; "" if nothing defines it."""
        found = self.defined.get(name) if isinstance(name, StringNode) else None
        return found.kind if found else ""

    # What each kind is made of

    def enum(self) -> None:
        data = self.table["data"]
        if not isinstance(data, ListNode):
            self.refuse(data, "data: expected a list of values")
        names = [self.named(each, _OF_VALUES, data) for each in data]
        for name in names:
            self.name(name, _VALUE)
        self.once(names, "value")

    def base(self) -> None:
        base = self.table.get("base")
        if base is None:
            return
        if isinstance(base, ObjectNode) and self.definition.kind == definitions.UNION:
            self.members(base)
            return
        self.type(base)
        if self.kind(base) != definitions.STRUCT or not isinstance(base, StringNode):
            self.refuse(base, "the base is not a struct")
        within = [self.definition.name]
        name: Node | None = base
        while isinstance(name, StringNode) and name in self.defined:
            if name in within:
                self.refuse(base, f"{quoted(name)} is its own base")
            within.append(name)
            name = self.defined[name].table.get("base")

    def own_members(self, definition: Definition) -> Iterator[tuple[StringNode, Node]]:
        """Return the members of a struct and of its base, or those that all branches of a union share."""
        seen: set[str] = set()
        each: Definition | None = definition
        while each and each.name not in seen:
            seen.add(each.name)
            base, data = each.table.get("base"), each.table.get("data")
            if isinstance(base, ObjectNode):
                yield from base.pairs()
            if each.kind == definitions.STRUCT and isinstance(data, ObjectNode):
                yield from data.pairs()
            each = self.defined.get(base) if isinstance(base, StringNode) else None

    def branches(self, definition: Definition) -> list[tuple[tuple[StringNode, Node], ...]]:
        """Return the members of each branch of a union; none for a struct."""
        data = definition.table.get("data")
        if definition.kind != definitions.UNION or not isinstance(data, ObjectNode):
            return []
        named = (description(value).get("type", value) for value in data.values())
        found = (self.defined.get(name) for name in named if isinstance(name, StringNode))
        return [tuple(self.own_members(each)) for each in found if each]

    def clashes(
        self, where: StringNode, members: Iterator[tuple[StringNode, Node]], member: str = ""
    ) -> None:
        seen: dict[str, StringNode] = {}
        for name, _ in members:
            before = seen.setdefault(re.sub("[-.]", "_", name.removeprefix("*")), name)
            if before is not name:
                plain = quoted(name.removeprefix("*"))
                self.refuse(where, f"{quoted(self.definition.name)} has two members called {plain}", member)

    def union(self) -> None:
        self.base()
        data = self.data_table()
        if "discriminator" not in self.table:
            if "base" in self.table and not self.nests:
                self.refuse(self.table, 'a union with a base must have the key "discriminator"')
            for name, value in data.pairs():  # a union of types of any kind, as there were up to QEMU 6.0
                self.type(self.of_member(value, name, _OF_BRANCHES), name)
            self.once([name for name, _ in data.pairs()], "branch")
            return
        values = self.discriminator()
        for name, value in data.pairs():
            if name not in values:
                self.refuse(name, f"the discriminator has no value {quoted(name)}", name)
            branch = self.of_member(value, name, _OF_BRANCHES)
            self.type(branch, name)
            if self.kind(branch) not in _STRUCTURED or not isinstance(branch, StringNode):
                self.refuse(name, "a branch must be a struct or a union", name)
            inner = [*self.own_members(self.definition), *self.own_members(self.defined[branch])]
            for innermost in self.branches(self.defined[branch]) or [()]:
                self.clashes(name, iter((*inner, *innermost)), name)
        self.once([name for name, _ in data.pairs()], "branch")

    def discriminator(self) -> set[str]:
        """Return the values of the discriminator."""
        wanted = self.table["discriminator"]
        where = wanted if isinstance(wanted, StringNode) else None
        if isinstance(wanted, StringNode) and wanted.startswith("*"):
            self.refuse(wanted, "a discriminator must be a mandatory member")
        base = {str(name): value for name, value in self.own_members(self.definition)}
        value = base.get(wanted) if isinstance(wanted, StringNode) else None
        described = value if isinstance(value, ObjectNode) else ObjectNode()
        enum = described.get("type", value)
        if "if" in described or self.kind(enum) != definitions.ENUM or not isinstance(enum, StringNode):
            what = "must be a mandatory member of its base, with an enum in all builds"
            self.refuse(where, f"the discriminator of {quoted(self.definition.name)} {what}")
        data = self.defined[enum].table.get("data")
        values = data if isinstance(data, ListNode) else ListNode()
        return {str(each.get("name") if isinstance(each, ObjectNode) else each) for each in values}

    def alternate(self) -> None:
        data = self.data_table()
        if not data:
            self.refuse(self.definition.name, "an alternate without types")
        self.once([name for name, _ in data.pairs()], "branch")
        seen: dict[str, StringNode] = {}
        for name, value in data.pairs():
            self.name(name, _NAME, name)
            choice = self.of_member(value, name, _OF_BRANCHES)
            self.type(choice, name)
            kind = self.json_type(choice)
            if not kind:
                self.refuse(name, "an alternate cannot have this type", name)
            before = seen.setdefault(kind, name)
            if before is not name:
                self.refuse(
                    name, f"{quoted(name)} and {quoted(before)} cannot be distinguished in JSON", name
                )

    def json_type(self, value: Node | None) -> str:
        """Return the JSON type of a type's values; "" if there are several."""
        if isinstance(value, ListNode):
            return "array"
        kinds = {definitions.ENUM: "string", definitions.STRUCT: "object", definitions.UNION: "object"}
        names = {"str": "string", "QType": "string", "bool": "boolean", "null": "null"}
        if isinstance(value, StringNode) and (value in definitions.INTEGERS or value == "number"):
            return "number"
        return names.get(str(value), kinds.get(self.kind(value), ""))

    def arguments(self) -> None:
        """Check what an event carries, or a command takes and returns."""
        returns, data, boxed = (self.table.get(key) for key in ("returns", "data", "boxed"))
        if returns is not None:
            self.type(returns)
        if boxed not in (None, True):
            self.refuse(self.definition.name, "boxed must be true")
        if isinstance(data, ObjectNode) and not boxed:
            self.members(data)
        elif boxed or data is not None:
            if not isinstance(data, StringNode):
                self.refuse(data, "data: expected the name of a type")
            self.type(data)
            allowed = _STRUCTURED if boxed else (definitions.STRUCT,)
            if self.kind(data) not in allowed and (
                self.kind(data) or self.definition.kind == definitions.EVENT
            ):
                hint = "; a union needs 'boxed': true" if self.kind(data) == definitions.UNION else ""
                self.refuse(data, f"data is not a struct{hint}")
