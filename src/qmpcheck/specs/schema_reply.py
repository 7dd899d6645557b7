"""Write the reply to `query-qmp-schema` of a build with the events of a rule base: `introspection` backwards.

The reply has the events, and the types that they use. As in QEMU's, names of types are masked, and equal
types are written once.
"""

from __future__ import annotations

import json
from typing import Any

from qmpcheck.rulebase import (
    Alternate,
    Array,
    Boolean,
    Enum,
    EventRule,
    Integer,
    Marks,
    Member,
    Null,
    Number,
    Object,
    RuleBase,
    String,
    Type,
)

Info = dict[str, Any]


def reply(rule_base: RuleBase) -> list[Info]:
    """Return what such a build returns: events, then types, each an object with a `meta-type`."""
    types = _SchemaTypes()
    events = [types.event(name, rule) for name, rule in rule_base.events.items()]
    return [*events, *types.infos]


_BUILTIN: dict[type[Type], tuple[str, str]] = {
    String: ("str", "string"),
    Integer: ("int", "int"),
    Number: ("number", "number"),
    Boolean: ("bool", "boolean"),
    Null: ("null", "null"),
}
"""The names of types, and their JSON types; all other types are `any`."""


class _SchemaTypes:
    """Gives names to types.

    Attributes:
        infos: the descriptions of the types that were named so far.
    """

    def __init__(self) -> None:
        self.infos: list[Info] = []
        self._names: dict[str, str] = {}

    def event(self, name: str, rule: EventRule) -> Info:
        members = self.object(rule.data)
        return {"name": name, "meta-type": "event", "arg-type": members, **_features(rule.marks)}

    def name(self, described: Type) -> str:
        match described:
            case Enum(values, marks):
                # Releases before 6.2 have only `values`, so a client may read either.
                members = [{"name": value, **_features(marks.get(value, Marks()))} for value in values]
                return self._named({"meta-type": "enum", "members": members, "values": list(values)})
            case Array(items):
                element = self.name(items)
                return self._named({"meta-type": "array", "element-type": element}, f"[{element}]")
            case Alternate(types):
                return self._named(
                    {"meta-type": "alternate", "members": [{"type": self.name(each)} for each in types]}
                )
            case Object(open=True):
                return self._named({"meta-type": "builtin", "json-type": "object"}, "object")
            case Object():
                return self.object(described)
        name, json_type = _BUILTIN.get(type(described), ("any", "value"))
        return self._named({"meta-type": "builtin", "json-type": json_type}, name)

    def object(self, described: Object) -> str:
        """Return the name of an object with these members; that it may be open is ignored."""
        info: Info = {"meta-type": "object", "members": [self._member(each) for each in described.members]}
        if described.branches:
            info["tag"] = described.discriminator
            info["variants"] = [
                {"case": value, "type": self.object(described.branches.get(value, Object()))}
                for value in described.tag.values
            ]
        return self._named(info)

    def _member(self, member: Member) -> Info:
        optional = {"default": None} if member.optional else {}
        return {"name": member.name, "type": self.name(member.type), **optional, **_features(member.marks)}

    def _named(self, info: Info, name: str = "") -> str:
        """Return the name of the type with this description; a number if it has no name of its own."""
        # The description is the key, so that equal types get one name.
        key = json.dumps(info)
        if key not in self._names:
            self._names[key] = name or str(len(self._names))
            self.infos.append({"name": self._names[key], **info})
        return self._names[key]


def _features(marks: Marks) -> Info:
    features = [name for name in ("deprecated", "unstable") if getattr(marks, name)]
    return {"features": features} if features else {}
