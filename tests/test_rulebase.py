"""Rule bases as values: written, read again, and refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rulebases import QAPI

from qmpcheck.cli import main
from qmpcheck.keypath import as_text
from qmpcheck.rulebase import (
    DEEPEST,
    Alternate,
    Array,
    Enum,
    EventRule,
    Integer,
    Member,
    Null,
    Number,
    Object,
    RuleBase,
    String,
    Type,
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
    with pytest.raises(ValueError, match="does not distinguish"):
        load(dump(rule_base))


def test_the_rule_base_reads_as_it_was_written() -> None:
    assert load(dump(QAPI)) == QAPI


def in_branch(inner: Type) -> Object:
    kind = Member("kind", Enum(("wall",)))
    return Object((kind,), discriminator="kind", branches={"wall": Object((Member("in", inner),))})


WRAPPERS: dict[str, tuple[int, Callable[[Type], Type]]] = {
    "member": (1, lambda inner: Object((Member("in", inner),))),
    "list": (1, Array),
    "alternate": (2, lambda inner: Alternate((Null(), Object((Member("in", inner),))))),
    "branch": (2, in_branch),
}
"""Types around a type, by how many levels they add."""


@pytest.mark.parametrize(("levels", "around"), WRAPPERS.values(), ids=WRAPPERS)
def test_commands_follow_the_deepest_types_and_refuse_deeper_ones(
    levels: int, around: Callable[[Type], Type], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deepest: Type = String()
    for _ in range((DEEPEST - 2) // levels):
        deepest = around(deepest)
    spec, stream = tmp_path / "spec.json", tmp_path / "s.jsonl"
    stream.write_text(
        '{"event": "LAMP", "data": {}, "timestamp": {"seconds": 1700000000, "microseconds": 5}}\n'
    )
    commands = {
        f"validate {stream} --spec {spec}": 1,  # data lacks a member
        f"diff {spec} {spec}": 0,
        f"show {spec}": 0,
        f"schema {spec}": 0,
        f"generate --spec {spec} --events 3": 0,
        f"compile {spec}": 0,
    }

    spec.write_bytes(dump(RuleBase({"LAMP": EventRule(Object((Member("in", deepest),)))})))
    assert {command: main(command.split()) for command in commands} == commands
    capsys.readouterr()

    deeper = around(around(deepest))
    spec.write_bytes(dump(RuleBase({"LAMP": EventRule(Object((Member("in", deeper),)))})))
    for command in commands:
        assert main(command.split()) == 2
        why = "not a compiled rule base: more than 100 levels of types inside of types"
        assert capsys.readouterr().err == f"qmpcheck: {spec}: {why}\n"


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
