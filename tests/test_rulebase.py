"""Rule bases as values: written, read again, and refused."""

from typing import Any

import pytest
from rulebases import QAPI

from qmpcheck.keypath import as_text
from qmpcheck.rulebase import (
    Alternate,
    Array,
    Enum,
    EventRule,
    Integer,
    Member,
    Number,
    Object,
    RuleBase,
    String,
    dump,
    load,
    resolve,
    walk,
)


@pytest.mark.parametrize(
    "types", [(), (Integer(), Number()), (String(), Alternate((String(), Object())))], ids=str
)
def test_an_alternate_is_told_by_json_types(types: Any) -> None:
    rule_base = RuleBase({"X1": EventRule(Object((Member("a", Alternate(types)),)))})
    with pytest.raises(ValueError, match="tell apart"):
        load(dump(rule_base))


def test_the_rule_base_reads_as_it_was_written() -> None:
    assert load(dump(QAPI)) == QAPI


LAMP = Object(
    (
        Member("shade", Alternate((String(), Object((Member("colour", String()),))))),
        Member("bulbs", Array(Object((Member("watts", Integer(), line=4),)))),
        Member("kind", Enum(("desk", "wall"))),
    ),
    discriminator="kind",
    branches={"wall": Object((Member("hook", String(), line=7, file="wall.json"),))},
)


def test_walk_meets_every_value_before_what_is_inside_of_it() -> None:
    found = [(as_text(each.path), type(each.type), each.is_member) for each in walk(LAMP, ("data",))]
    assert found == [
        ("data", Object, False),
        ("data.shade", Alternate, True),
        ("data.shade", String, False),
        ("data.shade", Object, False),
        ("data.shade.colour", String, True),
        ("data.bulbs", Array, True),
        ("data.bulbs[]", Object, False),
        ("data.bulbs[].watts", Integer, True),
        ("data.kind", Enum, True),
        ("data.hook", String, True),
    ]


def test_walk_knows_branches_and_places() -> None:
    rule = EventRule(LAMP, line=1, file="lamp.json")
    found = {each.names: each for each in rule.walk()}
    assert [str(found[names].place) for names in [(), ("bulbs", "watts"), ("hook",)]] == [
        "lamp.json:1",
        "lamp.json:4",
        "wall.json:7",
    ]
    assert [str(branch) for branch in found["hook",].branches] == ['kind is "wall"']
    assert found["kind",].branches == ()


@pytest.mark.parametrize("event", QAPI.events)
def test_resolve_finds_what_walk_meets(event: str) -> None:
    data = QAPI.events[event].data
    met = [*walk(data)]
    for each in met:
        same = [other.type for other in met if other.path == each.path]
        assert [found.type for found in resolve(data, each.path)] == same
    assert resolve(data, ("none",)) == []
