"""Convert a rule base to JSON Schema (draft 2020-12): for users, and to compare the payload check with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from qmpcheck import rulebase
from qmpcheck.rulebase import JSON_TYPES, EventRule, RuleBase
from qmpcheck.streams.messages import LAST_SECOND

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def of_rule_base(rule_base: RuleBase) -> Schema:
    """Return the schema of all events of a spec, as whole messages."""
    # `if` and `then` for each event, not `oneOf`: a validator's error is then about that event alone.
    chosen = (
        _where("event", event, {"$ref": f"#/$defs/{quote(_pointer(event), safe='')}"})
        for event in rule_base.events
    )
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {"event": {"enum": list(rule_base.events)}},
        "required": ["event"],
        "allOf": list(chosen),
        "$defs": {event: of_event(event, rule) for event, rule in rule_base.events.items()},
    }


def _pointer(key: str) -> str:
    """Return a key, escaped for a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def of_event(name: str, rule: EventRule) -> Schema:
    """Return the schema of one event, as a whole message."""
    schema: Schema = {
        "type": "object",
        "properties": {"event": {"const": name}, "data": of_type(rule.data), "timestamp": _TIMESTAMP},
        "required": ["event", *(["data"] if rule.needs_data else []), "timestamp"],
        "additionalProperties": False,
    }
    return schema | _annotations(rule.marks)


_NO_CLOCK = {"seconds": {"const": -1}, "microseconds": {"const": -1}}

_TIMESTAMP = {
    "type": "object",
    "properties": {"seconds": {"type": "integer"}, "microseconds": {"type": "integer"}},
    "required": ["seconds", "microseconds"],
    "additionalProperties": False,
    # Both members are -1 if the host has no clock; a lone -1 is an error.
    "if": {"properties": _NO_CLOCK},
    "else": {
        "properties": {
            "seconds": {"minimum": -LAST_SECOND, "maximum": LAST_SECOND},
            "microseconds": {"minimum": 0, "maximum": 999_999},
        }
    },
}


def of_type(described: rulebase.Type) -> Schema:
    """Return the schema of a type's values."""
    match described:
        case rulebase.Enum(values):
            return {"type": "string", "enum": list(values)}
        case rulebase.Integer() if described.range:
            least, greatest = described.range
            return {"type": "integer", "minimum": least, "maximum": greatest}
        case rulebase.Array(items):
            return {"type": "array", "items": of_type(items)}
        case rulebase.Alternate(types):
            return _alternate(types)
        case rulebase.Object():
            return {"type": "object", **_members(described, ())}
        case _:
            name = JSON_TYPES.get(type(described))
            return {"type": name} if name else {}


def _alternate(types: tuple[rulebase.Type, ...]) -> Schema:
    schemas = [of_type(each) for each in types]
    more = [{"if": {"type": schema["type"]}, "then": schema} for schema in schemas if len(schema) > 1]
    return {"type": [schema["type"] for schema in schemas], **({"allOf": more} if more else {})}


def _members(described: rulebase.Object, above: tuple[str, ...]) -> Schema:
    """Return the schema of the members of an object or a branch; `above` are those of its union."""
    own = {member.name: of_type(member.type) | _annotations(member.marks) for member in described.members}
    schema: Schema = {
        "properties": dict.fromkeys(above, True) | own,
        "required": [member.name for member in described.members if not member.may_be_absent],
    }
    if described.branches:
        return schema | {"allOf": [*_branches(described, (*above, *own))]}
    return schema if described.open else schema | {"additionalProperties": False}


def _branches(described: rulebase.Object, above: tuple[str, ...]) -> Iterator[Schema]:
    for value in described.tag.values:
        branch = described.branches.get(value, rulebase.Object(open=described.open))
        yield _where(described.discriminator, value, _members(branch, above))


def _where(key: str, value: str, then: Schema) -> Schema:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


def _annotations(marks: rulebase.Marks) -> Schema:
    return {"deprecated": True} if marks.deprecated else {}
