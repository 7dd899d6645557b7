"""What a client receives, and which changes touch that."""

import json

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from rulebases import QAPI
from strategies import events
from test_compare import neighbours

from qmpcheck import catalogue, rulebase
from qmpcheck.checking.diagnose import Diagnostician
from qmpcheck.drift.compare import compare
from qmpcheck.drift.uses import of_stream, touches
from qmpcheck.rulebase import (
    BUILD,
    SCHEMA,
    TEXT,
    Alternate,
    Any,
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

PAIRS = [*neighbours(), ("v1", "v6"), ("v4", "7.2"), ("2.1", "10.0"), ("2.8", "7.2")]


def rules(name: str) -> RuleBase:
    return catalogue.find(name).rule_base


def faults(spec: RuleBase, line: bytes) -> list[str]:
    found = Diagnostician(spec).diagnose(line).findings
    return [each.code for each in found if each.code.startswith("QMP2") and each.code != "QMP206"]


@given(st.data(), st.sampled_from(PAIRS), st.booleans())
@settings(max_examples=2000, deadline=None)
def test_what_no_change_touches_conforms_to_both(
    data: st.DataObject, pair: tuple[str, str], back: bool
) -> None:
    old, new = map(rules, pair[:: -1 if back else 1])
    hold(data, old, new)


def hold(data: st.DataObject, old: RuleBase, new: RuleBase) -> None:
    line = json.dumps(data.draw(events(old))).encode()
    assert faults(old, line) == []
    uses = of_stream([line], [old, new])
    if not any(touches(change, uses) for change in compare(old, new)):
        assert faults(new, line) == []


SIMPLE: list[Type] = [String(), Integer(), Integer("uint8"), Number(), Boolean(), Any(), Null(), Enum(("on", "off")), Object(), Array(String())]  # fmt: skip


@st.composite
def variants(draw: st.DrawFn, described: Type) -> Type:
    """A type near another."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(SIMPLE))
    match described:
        case Enum(values):
            kept = draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
            return Enum((*kept, *draw(st.sampled_from([(), ("new",)]))))
        case Array(items):
            return Array(draw(variants(items)))
        case Alternate(types):
            return Alternate(tuple(draw(st.lists(st.sampled_from(types), min_size=1, unique_by=type))))
        case Object():
            return draw(objects(described))
        case _:
            return described


@st.composite
def objects(draw: st.DrawFn, described: Object) -> Object:
    """An object near another."""
    tag = described.discriminator
    members = [
        draw(members_near(member, member.name == tag))
        for member in described.members
        if member.name == tag or draw(st.integers(0, 5))
    ]
    members += draw(
        st.sampled_from([[], [], [Member("more", String())], [Member("more", Null(), optional=True)]])
    )
    if not tag:
        return Object(tuple(members), draw(st.integers(0, 9)) == 0)
    branches = {value: draw(objects(branch)) for value, branch in described.branches.items()}
    return Object(tuple(members), discriminator=tag, branches=branches)


@st.composite
def members_near(draw: st.DrawFn, member: Member, tag: bool) -> Member:
    described = draw(variants(member.type))
    if tag:
        return Member(member.name, described)
    marks = draw(st.sampled_from([Marks(), Marks(), Marks("CONFIG_X"), Marks(deprecated=True)]))
    return Member(member.name, described, draw(st.sampled_from([member.optional, True, False])), marks=marks)


@st.composite
def rule_bases(draw: st.DrawFn) -> RuleBase:
    """A sound rule base near one that uses everything, of any kind."""
    event = draw(st.shared(st.sampled_from(list(QAPI.events)), key="event"))
    near = RuleBase(
        {event: EventRule(draw(objects(QAPI.events[event].data)))},
        draw(st.sampled_from([TEXT, SCHEMA, BUILD])),
    )
    try:
        return rulebase.load(rulebase.dump(near))
    except ValueError:
        reject()


@given(st.data(), rule_bases(), rule_bases())
@settings(max_examples=1000, deadline=None)
def test_the_same_for_specs_that_never_were(data: st.DataObject, old: RuleBase, new: RuleBase) -> None:
    hold(data, old, new)
