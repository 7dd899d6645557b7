"""The rules of builds that were made between two releases."""

import json
from itertools import pairwise

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from rulebases import QAPI
from strategies import events

from qmpcheck import rulebase
from qmpcheck.checking.explain import Explainer
from qmpcheck.rulebase import (
    Alternate,
    Any,
    Array,
    Boolean,
    Enum,
    EventRule,
    FollowUp,
    Integer,
    Member,
    Number,
    Object,
    RateLimit,
    RuleBase,
    String,
    Type,
)
from qmpcheck.specs import catalogue
from qmpcheck.specs.either import either

NEIGHBOURS = [*pairwise(catalogue.releases())]


@given(st.sampled_from(NEIGHBOURS), st.data())
@examples(150)
def test_what_one_of_them_allows_is_allowed(
    pair: tuple[catalogue.Spec, catalogue.Spec], data: st.DataObject
) -> None:
    older, newer = (spec.rule_base for spec in pair)
    message = data.draw(events(data.draw(st.sampled_from([older, newer]))))
    findings = Explainer(either(older, newer)).explain(json.dumps(message).encode()).findings
    assert [each for each in findings if each.code not in {"QMP206"}] == []


@pytest.mark.parametrize(("older", "newer"), NEIGHBOURS, ids=lambda spec: spec.name)
def test_it_is_a_rule_base(older: catalogue.Spec, newer: catalogue.Spec) -> None:
    rules = either(older.rule_base, newer.rule_base)
    assert rulebase.load(rulebase.dump(rules)) == rules
    assert rules.events.keys() == older.rule_base.events.keys() | newer.rule_base.events.keys()


@pytest.mark.parametrize("rules", [QAPI, *(spec.rule_base for spec in catalogue.releases())])
def test_twice_the_same_is_that(rules: RuleBase) -> None:
    assert either(rules, rules) == rules


TYPES: list[tuple[Type, Type, Type]] = [
    (Enum(("a", "b")), Enum(("b", "c")), Enum(("a", "b", "c"))),
    (Enum(("a",)), String(), String()),
    (Integer("int8"), Integer("int32"), Integer("int32")),
    (Integer("int8"), Integer("uint8"), Integer()),
    (Integer("int8"), Number(), Number()),
    (Array(Enum(("a",))), Array(Enum(("b",))), Array(Enum(("a", "b")))),
    (Integer(), Boolean(), Alternate((Integer(), Boolean()))),
    (Alternate((Integer(), Boolean())), String(), Alternate((Integer(), Boolean(), String()))),
    (Alternate((Integer(), Boolean())), Number(), Alternate((Number(), Boolean()))),
    (Any(), Integer(), Any()),
    (Object(open=True), Object(), Object(open=True)),
]


@pytest.mark.parametrize(("older", "newer", "both"), TYPES)
def test_types(older: Type, newer: Type, both: Type) -> None:
    def rules(type: Type) -> RuleBase:
        return RuleBase({"X": EventRule(Object((Member("m", type),)))})

    assert either(rules(older), rules(newer)) == rules(both)


def union(*values: str) -> Object:
    tag = Member("t", Enum(values))
    return Object((tag,), discriminator="t", branches={v: Object((Member(v, Integer()),)) for v in values})


def test_unions() -> None:
    def rules(data: Object) -> RuleBase:
        return RuleBase({"X": EventRule(data)})

    assert either(rules(union("a", "b")), rules(union("b", "c"))) == rules(union("a", "b", "c"))
    plain = Object((Member("t", Enum(("a",))),))
    assert either(rules(union("a")), rules(plain)) == rules(Object(open=True))
    moved = Object((*union("a").members, Member("b", Integer())), discriminator="t")
    assert either(rules(union("a", "b")), rules(moved)) == rules(Object(open=True))


def test_what_one_of_them_alone_demands_is_not_demanded() -> None:
    demanding = EventRule(Object((Member("m", Integer()),)), (FollowUp(("STOP",), line=3),))
    older, newer = RuleBase({"X": demanding}), RuleBase({"X": EventRule()})
    for rules in (either(older, newer), either(newer, older)):
        assert rules.events["X"] == EventRule(Object((Member("m", Integer(), optional=True),)))
    same = EventRule(demanding.data, (FollowUp(("STOP",), line=9),))
    assert either(older, RuleBase({"X": same})).events["X"] == same


def test_a_limit_that_one_of_them_has_is_none_but_lets_the_event_come_late() -> None:
    limited, free = (RuleBase({"X": EventRule(rate_limit=limit)}) for limit in (RateLimit(("id",)), None))
    for rules in (either(limited, free), either(free, limited)):
        assert rules.events["X"].rate_limit == RateLimit(("id",), known_by="neighbour")
