"""Events made from a rule base: conforming ones, and ones with a single fault."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from qmpcheck import rulebase
from qmpcheck.rulebase import Alternate, Enum, EventRule, FollowUp, Member, Object, RateLimit, RuleBase
from qmpcheck.streams.messages import LAST_SECOND

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)

seconds = st.integers(-LAST_SECOND, LAST_SECOND) | st.sampled_from([-LAST_SECOND, LAST_SECOND])

timestamps = st.one_of(
    st.fixed_dictionaries({"seconds": seconds, "microseconds": st.integers(0, 999_999)}),
    st.just({"seconds": -1, "microseconds": -1}),
)


def values(described: rulebase.Type) -> st.SearchStrategy[Any]:  # noqa: C901 -- one case for each type
    match described:
        case rulebase.String():
            return st.text(max_size=5)
        case rulebase.Enum(allowed):
            return st.sampled_from(allowed) if allowed else st.nothing()
        case rulebase.Integer():
            if described.range:
                return st.integers(*described.range) | st.sampled_from(described.range)
            return st.integers() | st.integers(2**63, 2**70)
        case rulebase.Number():
            return st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        case rulebase.Boolean():
            return st.booleans()
        case rulebase.Array(items):
            return st.lists(values(items), max_size=2)
        case rulebase.Alternate(types):
            return st.one_of(*map(values, types))
        case rulebase.Null():
            return st.none()
        case rulebase.Object() if described.branches:
            return st.sampled_from(described.tag.values).flatmap(lambda tag: values(chosen(described, tag)))
        case rulebase.Object(members):
            required = {member.name: values(member.type) for member in members if not member.may_be_absent}
            optional = {member.name: values(member.type) for member in members if member.may_be_absent}
            known = st.fixed_dictionaries(required, optional=optional)
            return known if not described.open else st.builds(lambda a, b: {**b, **a}, known, unknown_members)
        case _:
            return anything


def of_alternate(described: rulebase.Type, value: Any) -> rulebase.Type | None:
    """Which of an alternate's types a value is of; None where it is of none. Any other type is itself."""
    if not isinstance(described, Alternate):
        return described
    kinds: dict[type, tuple[type, ...]] = {
        str: (rulebase.String, Enum),
        bool: (rulebase.Boolean,),
        type(None): (rulebase.Null,),
        list: (rulebase.Array,),
        dict: (Object,),
        int: (rulebase.Integer, rulebase.Number),
        float: (rulebase.Number,),
    }
    return next((each for each in described.types if isinstance(each, kinds[type(value)])), None)


def chosen(described: Object, tag: str) -> Object:
    """What an object of a union is whose discriminator has that value."""
    branch = described.branches.get(tag, Object())
    members = [
        Member(member.name, Enum((tag,))) if member.name == described.discriminator else member
        for member in described.members
    ]
    return Object((*members, *branch.members), False, "", branch.discriminator, branch.branches)


unknown_members = st.dictionaries(st.text(min_size=1, max_size=3), anything, max_size=2)


@st.composite
def events(draw: st.DrawFn, rules: RuleBase) -> dict[str, Any]:
    """An event that breaks no rule, its keys in any order."""
    name = draw(st.sampled_from(list(rules.events)))
    rule = rules.events[name]
    message = {"event": name, "timestamp": draw(timestamps)}
    if rule.needs_data or draw(st.booleans()):
        message["data"] = draw(values(rule.data))
    return {key: message[key] for key in draw(st.permutations(list(message)))}


class Fault(NamedTuple):
    """An event with one fault, and the finding it calls for."""

    message: dict[str, Any]
    code: str
    path: str


@st.composite
def faults(draw: st.DrawFn, rules: RuleBase) -> Fault:
    """An event that breaks one rule."""
    message = draw(events(rules))
    rule = rules.events[message["event"]]
    fault: Fault = draw(st.sampled_from(_faults(draw, message, rule)))
    return fault


def _faults(draw: st.DrawFn, message: dict[str, Any], rule: EventRule) -> list[Fault]:
    clock = {"seconds": 1, "microseconds": draw(st.sampled_from([-1, 1_000_000, 10**30]))}
    made = [
        Fault(message | {"event": "NO_SUCH"}, "QMP201", "event"),
        Fault(message | {"vm": 1}, "QMP105", "vm"),
        Fault(message | {"timestamp": clock}, "QMP104", "timestamp.microseconds"),
        Fault({key: message[key] for key in message if key != "timestamp"}, "QMP104", "timestamp"),
        Fault(message | {"data": draw(st.sampled_from([None, 1, "x", []]))}, "QMP204", "data"),
    ]
    if rule.needs_data:
        made.append(Fault({key: message[key] for key in message if key != "data"}, "QMP202", "data"))
    data = message.get("data", {})
    if rule.needs_data or not rule.data.members:
        for changed, code, path in _object_changes(draw, rule.data, data, "data"):
            made.append(Fault(message | {"data": changed}, code, path))
    return made


def _changes(draw: st.DrawFn, described: rulebase.Type, value: Any, at: str) -> list[tuple[Any, str, str]]:
    """The value with one fault inside, in each way; with the code and the path of that."""
    match of_alternate(described, value), value:
        case Object() as found, dict():
            return _object_changes(draw, found, value, at)
        case rulebase.Array(items), list() if value:
            wrong = [(each, code, f"{at}[0]") for each, code in _wrong(items)]
            inner = wrong + _changes(draw, items, value[0], f"{at}[0]")
            return [([changed, *value[1:]], code, deeper) for changed, code, deeper in inner]
        case _:
            return []


def _object_changes(
    draw: st.DrawFn, described: Object, data: dict[str, Any], at: str
) -> list[tuple[Any, str, str]]:
    changes: list[tuple[Any, str, str]] = []
    if described.branches:
        tag, path = described.discriminator, f"{at}.{described.discriminator}"
        rest = {key: data[key] for key in data if key != tag}
        changes += [
            (rest, "QMP202", path),
            (rest | {tag: "no-such"}, "QMP205", path),
            (rest | {tag: 1}, "QMP204", path),
        ]
        inner = _object_changes(draw, chosen(described, data[tag]), data, at)
        return changes + [change for change in inner if change[2] != path]
    if not described.open:
        changes.append((data | {"no-such": draw(anything)}, "QMP203", f"{at}.no-such"))
    for member in described.members:
        path = f"{at}.{member.name}"
        if not member.may_be_absent:
            changes.append(({key: data[key] for key in data if key != member.name}, "QMP202", path))
        for wrong, code in _wrong(member.type):
            changes.append((data | {member.name: wrong}, code, path))
        if member.name in data:
            inner = _changes(draw, member.type, data[member.name], path)
            changes += [(data | {member.name: changed}, code, deeper) for changed, code, deeper in inner]
    return changes


def _wrong(described: rulebase.Type) -> list[tuple[Any, str]]:
    match described:
        case rulebase.String():
            return [(1, "QMP204"), (None, "QMP204"), (["x"], "QMP204")]
        case rulebase.Enum(allowed):
            near = [text for value in allowed[:1] for text in (f"{value}x", value.swapcase())]
            return [(1, "QMP204"), *((text, "QMP205") for text in ("", *near))]
        case rulebase.Integer():
            least, greatest = described.range or (0, 0)
            outside = [(least - 1, "QMP205"), (greatest + 1, "QMP205")] if described.range else []
            return [(1.0, "QMP204"), (1e3, "QMP204"), (True, "QMP204"), ("1", "QMP204"), *outside]
        case rulebase.Number():
            return [(True, "QMP204"), ("1", "QMP204"), (None, "QMP204")]
        case rulebase.Boolean():
            return [(1, "QMP204"), ("true", "QMP204"), (None, "QMP204")]
        case rulebase.Object():
            return [([], "QMP204"), (None, "QMP204")]
        case rulebase.Array():
            return [({}, "QMP204"), ("x", "QMP204")]
        case rulebase.Null():
            return [(0, "QMP204"), ("null", "QMP204")]
        case rulebase.Alternate(types):
            wrong = [fault for each in types for fault in _wrong(each)]
            return [(value, code) for value, code in wrong if code == "QMP205"] + [
                (value, code)
                for value, code in wrong
                if code == "QMP204" and of_alternate(described, value) is None
            ]
        case _:
            return []


# Rule bases


def _object(members: list[tuple[rulebase.Type, bool]]) -> Object:
    return Object(tuple(Member(f"m{at}", *member) for at, member in enumerate(members)))


def _members_of(types: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[rulebase.Type, bool]]]:
    return st.lists(st.tuples(types, st.booleans()), max_size=3)


types = st.recursive(
    st.sampled_from([rulebase.String(), rulebase.String(("a", "b")), rulebase.Boolean(), rulebase.Null()])
    | st.sampled_from([rulebase.Integer(), rulebase.Integer("int8"), rulebase.Number(), rulebase.Any()])
    | st.sampled_from([Enum(("x",)), Enum(("x", "y")), Enum(())]),
    lambda inner: st.builds(rulebase.Array, inner) | st.builds(_object, _members_of(inner)),
    max_leaves=6,
)

rules_of_events = st.builds(
    EventRule,
    st.builds(_object, _members_of(types)),
    st.lists(st.sampled_from("ABCX").map(lambda event: FollowUp((event,))), max_size=1).map(tuple),
    st.sampled_from([None, RateLimit(), RateLimit(("m0",))]),
)
"""What one of the events A, B and C may carry, and which of them must follow it; X is none of them."""
