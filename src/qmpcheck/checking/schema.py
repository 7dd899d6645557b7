"""A rule base as JSON Schema (draft 2020-12), for the slow half of the payload check."""

from __future__ import annotations

from typing import Any

from qmpcheck import rulebase

Schema = dict[str, Any]


def of_type(described: rulebase.Type) -> Schema:
    """The schema of a value."""
    match described:
        case rulebase.Any():
            return {}
        case rulebase.Enum(values):
            return {"type": "string", "enum": list(values)}
        case rulebase.Array(items):
            return {"type": "array", "items": of_type(items)}
        case rulebase.Object():
            return _object(described)
        case _:
            return {"type": _NAMES[type(described)]}


_NAMES: dict[type[rulebase.Type], str] = {
    rulebase.String: "string",
    rulebase.Integer: "integer",
    rulebase.Number: "number",
    rulebase.Boolean: "boolean",
    rulebase.Null: "null",
}


def _object(described: rulebase.Object) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {member.name: of_type(member.type) for member in described.members},
        "required": [member.name for member in described.members if not member.optional],
    }
    return schema if described.open else schema | {"additionalProperties": False}
