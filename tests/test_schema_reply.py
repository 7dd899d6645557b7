"""The reply to `query-qmp-schema` that says what a rule base says."""

import msgspec
import pytest

from qmpcheck import rulebase
from qmpcheck.rulebase import Alternate, Any, Array, Enum, Integer, Marks, Member, Object, String, Type
from qmpcheck.specs import catalogue, introspection, schema_reply
from qmpcheck.specs.catalogue import Spec


def as_a_build_says_it(described: Type) -> Type:
    """A type without what introspection leaves out: lines, sizes, conditions, values that close nothing."""
    match described:
        case Array(items):
            return Array(as_a_build_says_it(items))
        case Alternate(types):
            return Alternate(tuple(map(as_a_build_says_it, types)))
        case Enum(values, marks):
            kept = {value: plain(each) for value, each in marks.items() if plain(each) != Marks()}
            return Enum(values, kept)
        case Object(open=True):
            return Object(open=True)
        case Object():
            return object_as_a_build_says_it(described)
        case Integer() | String() | Any():
            return type(described)()
    return described


def object_as_a_build_says_it(described: Object) -> Object:
    return Object(
        tuple(
            Member(each.name, as_a_build_says_it(each.type), each.optional, marks=plain(each.marks))
            for each in described.members
        ),
        discriminator=described.discriminator,
        branches={value: object_as_a_build_says_it(each) for value, each in described.branches.items()},
    )


def plain(marks: Marks) -> Marks:
    return msgspec.structs.replace(marks, built_if="")


@pytest.mark.parametrize("spec", catalogue.releases()[::6], ids=lambda spec: spec.name)
def test_introspection_reads_what_was_written(spec: Spec) -> None:
    read = introspection.read(schema_reply.reply(spec.rule_base)).events
    assert list(read) == list(spec.rule_base.events)
    for name, rule in spec.rule_base.events.items():
        assert read[name].data == object_as_a_build_says_it(rule.data)
        assert read[name].marks == plain(rule.marks)


def test_a_type_that_is_there_twice_is_written_once() -> None:
    lamp = Object((Member("lamp", Enum(("on", "off"))), Member("dimmed", Integer("int8"), optional=True)))
    rule = rulebase.EventRule(lamp, marks=Marks(deprecated=True))
    assert schema_reply.reply(rulebase.RuleBase({"LIT": rule, "BLOWN": rulebase.EventRule(lamp)})) == [
        {"name": "LIT", "meta-type": "event", "arg-type": "2", "features": ["deprecated"]},
        {"name": "BLOWN", "meta-type": "event", "arg-type": "2"},
        {
            "name": "0",
            "meta-type": "enum",
            "members": [{"name": "on"}, {"name": "off"}],
            "values": ["on", "off"],
        },
        {"name": "int", "meta-type": "builtin", "json-type": "int"},
        {
            "name": "2",
            "meta-type": "object",
            "members": [
                {"name": "lamp", "type": "0"},
                {"name": "dimmed", "type": "int", "default": None},
            ],
        },
    ]
