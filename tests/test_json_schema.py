"""The JSON Schema that is exported."""

import itertools
import json
from typing import Any

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rulebases import QAPI
from strategies import events, faults

from qmpcheck.checking import json_schema
from qmpcheck.checking.explain import Explainer
from qmpcheck.rulebase import Enum, EventRule, Integer, Member, Object, RuleBase
from qmpcheck.specs import catalogue

RULES = {"v2": catalogue.find("v2").rule_base, "v5": catalogue.find("v5").rule_base, "qapi": QAPI}
VALIDATORS = {name: Draft202012Validator(json_schema.of_rule_base(rules)) for name, rules in RULES.items()}
EXPLAIN = {name: Explainer(rules).explain for name, rules in RULES.items()}


@pytest.mark.parametrize("name", RULES)
def test_it_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json_schema.of_rule_base(RULES[name]))


@given(st.data(), st.sampled_from(list(RULES)))
@examples(300)
def test_it_agrees_with_what_is_told_of_events(data: st.DataObject, name: str) -> None:
    faulty = data.draw(st.booleans())
    message = data.draw(faults(RULES[name])).message if faulty else data.draw(events(RULES[name]))
    wrong = {each.code for each in EXPLAIN[name](json.dumps(message).encode()).findings} - {"QMP206"}
    if not _has_whole_float(message):
        assert VALIDATORS[name].is_valid(message) == (not wrong)


def _has_whole_float(value: Any) -> bool:
    """Whether there is a `1.0`, which is an integer to JSON Schema."""
    match value:
        case dict():
            return any(map(_has_whole_float, value.values()))
        case list():
            return any(map(_has_whole_float, value))
        case _:
            return isinstance(value, float) and value.is_integer()


def test_of_an_event() -> None:
    union = Object(
        (Member("type", Enum(("a", "b"))),),
        discriminator="type",
        branches={"a": Object((Member("size", Integer("uint8")),))},
    )
    described = json_schema.of_event("X1", EventRule(union))
    assert described["properties"]["data"] == {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": ["a", "b"]}},
        "required": ["type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": "a"}}, "required": ["type"]},
                "then": {
                    "properties": {"type": True, "size": {"type": "integer", "minimum": 0, "maximum": 255}},
                    "required": ["size"],
                    "additionalProperties": False,
                },
            },
            {
                "if": {"properties": {"type": {"const": "b"}}, "required": ["type"]},
                "then": {"properties": {"type": True}, "required": [], "additionalProperties": False},
            },
        ],
    }
    assert described["required"] == ["event", "data", "timestamp"]


def test_what_is_deprecated_is_marked() -> None:
    assert json_schema.of_event("X1", QAPI.events["OLD_EVENT"])["deprecated"] is True
    old = json_schema.of_type(QAPI.events["OLD_MEMBER"].data)["properties"]["old"]
    assert old == {"type": "integer", "deprecated": True}


@pytest.mark.parametrize("clock", [*itertools.product([-2, -1, 0], [-2, -1, 0, 999_999, 1_000_000])])
def test_timestamps(clock: tuple[int, int]) -> None:
    seconds, microseconds = clock
    message = {"event": "STOP", "timestamp": {"seconds": seconds, "microseconds": microseconds}}
    valid = VALIDATORS["v2"].is_valid(message)
    assert valid == (0 <= microseconds <= 999_999 or clock == (-1, -1))


def test_any_name_of_an_event_is_found() -> None:
    names = ["a/b", "~", "50%", "x y", '"', "é"]
    validator = Draft202012Validator(json_schema.of_rule_base(RuleBase(dict.fromkeys(names, EventRule()))))
    for name in names:
        message: dict[str, Any] = {"event": name, "timestamp": {"seconds": 1, "microseconds": 1}}
        assert validator.is_valid(message)
        assert not validator.is_valid(message | {"data": {"x": 1}})
    assert not validator.is_valid({"event": "z", "timestamp": {"seconds": 1, "microseconds": 1}})
