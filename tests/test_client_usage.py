"""What a client receives, and which changes touch that."""

import functools
import gzip
import json
import re
from pathlib import Path

import pytest
from effort import examples
from hypothesis import given, reject
from hypothesis import strategies as st
from rulebases import QAPI
from strategies import events
from test_compare import neighbours

from qmpcheck import rulebase
from qmpcheck.checking.explain import Explainer
from qmpcheck.drift import client_usage_list
from qmpcheck.drift.change import Change
from qmpcheck.drift.client_usage import EventUsage, of_client, touches
from qmpcheck.drift.client_usage_file import load, of_stream
from qmpcheck.drift.compare import compare
from qmpcheck.keypath import ITEMS, KeyPath
from qmpcheck.rulebase import (
    BUILD,
    SCHEMA,
    TEXT,
    Alternate,
    Any,
    Array,
    Boolean,
    BranchCondition,
    Enum,
    EventRule,
    Integer,
    Marks,
    Member,
    Null,
    Number,
    Object,
    RuleBase,
    SpecError,
    String,
    Type,
)
from qmpcheck.specs import catalogue

PAIRS = [*neighbours(), ("v1", "v6"), ("v4", "7.2"), ("2.1", "10.0"), ("2.8", "7.2")]


@functools.cache
def rules(name: str) -> RuleBase:
    return catalogue.find(name).rule_base


def faults(spec: RuleBase, line: bytes) -> list[str]:
    found = Explainer(spec).explain(line).findings
    return [each.code for each in found if each.code.startswith("QMP2") and each.code != "QMP206"]


@given(st.data(), st.sampled_from(PAIRS), st.booleans())
@examples(1000)
def test_what_no_change_touches_conforms_to_both(
    data: st.DataObject, pair: tuple[str, str], back: bool
) -> None:
    old, new = pair[:: -1 if back else 1]
    hold(data, rules(old), rules(new), changes_between(old, new))


@functools.cache
def changes_between(old: str, new: str) -> tuple[Change, ...]:
    return compare(rules(old), rules(new))


def hold(data: st.DataObject, old: RuleBase, new: RuleBase, changes: tuple[Change, ...]) -> None:
    line = json.dumps(data.draw(events(old))).encode()
    assert faults(old, line) == []
    uses = of_stream([line], [old, new])
    if not any(touches(change, uses) for change in changes):
        assert faults(new, line) == []


SIMPLE: list[Type] = [String(), Integer(), Integer("uint8"), Number(), Boolean(), Any(), Null(), Enum(("on", "off")), Object(), Array(String())]  # fmt: skip


@st.composite
def variants(draw: st.DrawFn, described: Type) -> Type:
    """A type near another."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(SIMPLE))
    match described:
        case Enum(values):
            kept = draw(st.lists(st.sampled_from(values), min_size=1, unique=True) if values else st.just([]))
            marks = draw(st.sampled_from([{}, dict.fromkeys(kept[:1], Marks("CONFIG_X"))]))
            return Enum((*kept, *draw(st.sampled_from([(), ("new",)]))), marks)
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
@examples(500)
def test_the_same_for_specs_that_never_were(data: st.DataObject, old: RuleBase, new: RuleBase) -> None:
    hold(data, old, new, compare(old, new))


def event(data: str, name: str = "CONNECTED") -> bytes:
    return b'{"event": "%s", "data": %s}\n' % (name.encode(), data.encode())


STREAM = (
    b"a log line\n[]\n{\n" + event('{"address": {"type": "inet", "port": 1}, "list": [{"k": ["v"]}, 3]}') * 3
)


def at(text: str) -> KeyPath:
    """The keys of a path as it is printed."""
    keys = re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d*)\]|([^.\[\]]+)', text)
    return tuple(
        plain
        or (ITEMS if not quoted and not index else int(index) if index else re.sub(r"\\(.)", r"\1", quoted))
        for quoted, index, plain in keys
    )


def test_a_stream_shows_paths_and_strings() -> None:
    found = of_stream(
        [*STREAM.splitlines(), b' {"return": {}}', b'{"event": 5}', event("7"), event("{}", "NOT_IN_IT")],
        [QAPI],
    )
    assert set(found) == {"CONNECTED", "NOT_IN_IT"}
    assert found["CONNECTED"].values == {
        at("data"): set(),
        at("data.address"): set(),
        at("data.address.type"): {"inet"},
        at("data.address.port"): set(),
        at("data.list"): set(),
        at("data.list[]"): set(),
        at("data.list[].k"): set(),
        at("data.list[].k[]"): {"v"},
    }  # fmt: skip


def test_lines_that_the_fast_decoder_refuses_are_seen() -> None:
    odd = event('{"a": "\\ud800", "b": ' + "9" * 5000 + ', "c": ' + "[" * 1000 + "]" * 1000 + "}")
    seen = of_stream([odd], [QAPI])["CONNECTED"]
    assert seen.takes(at("data.a"), "\ud800")
    assert seen.has(at("data.b"))
    assert seen.takes(at("data.c" + "[]" * 99), "anything")


def test_what_is_too_much_to_keep_stands_for_anything() -> None:
    many = of_stream([event(f'{{"a": "{number}"}}') for number in range(300)], [QAPI])["CONNECTED"]
    assert many.takes(at("data.a"), "never")
    assert not many.has(at("data.b"))
    wide = event(json.dumps({str(number): 1 for number in range(5000)}))
    assert of_stream([wide], [QAPI])["CONNECTED"].takes(at("data.b.c"), "never")


LISTED = {
    "CONNECTED": EventUsage({at("data"): frozenset()}, frozenset({at("data")})),
    "CONNECTED.address": EventUsage(
        {at("data"): frozenset(), at("data.address"): frozenset()},
        frozenset({at("data.address")}),
        frozenset({at("data")}),
    ),
    "CONNECTED.address.type = inet": EventUsage(
        {
            at("data"): frozenset(),
            at("data.address"): frozenset(),
            at("data.address.type"): frozenset({"inet"}),
        },
        parts=frozenset({at("data"), at("data.address")}),
        handled=frozenset({(at("data.address.type"), "inet")}),
    ),
    "CONNECTED!": EventUsage({}),
    "CONNECTED.address.path": EventUsage(
        {
            at("data"): frozenset(),
            at("data.address"): frozenset(),
            at("data.address.path"): frozenset(),
            at("data.address.type"): frozenset({"unix"}),
        },
        frozenset({at("data.address.path")}),
        frozenset({at("data"), at("data.address")}),
    ),
}


@pytest.mark.parametrize(("text", "seen"), LISTED.items(), ids=list(LISTED))
def test_a_list(text: str, seen: EventUsage) -> None:
    assert client_usage_list.read(f"# mine\n\n {text}  # so\n", [QAPI], "mine").uses == {"CONNECTED": seen}


def test_a_list_names_a_member_that_another_vendor_added() -> None:
    vendors = Object(
        (
            Member("reason", Object((Member("__org.x_code", Integer()),))),
            Member("__com.redhat_reason", String()),
        )
    )
    spec = RuleBase({"BLOCK_IO_ERROR": EventRule(vendors)}, BUILD)
    listed = "BLOCK_IO_ERROR.__com.redhat_reason=enospc\nBLOCK_IO_ERROR.reason.__org.x_code"
    seen = client_usage_list.read(listed, [spec], "mine").uses["BLOCK_IO_ERROR"]
    assert seen.takes(at('data["__com.redhat_reason"]'), "enospc")
    assert seen.has(at('data.reason["__org.x_code"]'))


@pytest.mark.parametrize("item", ["CONNECTED", "CONNECTED.address.type", "CONNECTED.address.type=inet"])
def test_a_list_may_take_paths_as_reports_show_them(item: str) -> None:
    event, *rest = item.split(".")
    assert client_usage_list.read(".".join([event, "data", *rest]), [QAPI], "mine") == client_usage_list.read(
        item, [QAPI], "mine"
    )


def test_what_a_list_says_of_items_is_found_inside_them() -> None:
    seen = client_usage_list.read("ALTERNATES.where.type=fd\nALTERNATES.limit", [QAPI], "mine").uses[
        "ALTERNATES"
    ]
    assert seen.takes(at("data.where.type"), "fd")
    assert seen.has(at("data.limit[]"))


ALL_THE_SAME = "if the client does read an item that no release has, write ? after it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "CONNECTED\nCONECTED",
            'mine:2: no release has the event "CONECTED" (did you mean CONNECTED?)',
        ),
        ("__\x1b[2J", 'mine:1: no release has the event "__\\x1b[2J"'),
        (
            "CONNECTED.adress",
            'mine:1: CONNECTED: no release has the member "adress" (did you mean address?)',
        ),
        ("CONNECTED.", 'mine:1: CONNECTED: no release has the member ""'),
        ("CONNECTED=inet", 'mine:1: CONNECTED: no release has the value "inet"'),
        ("CONNECTED.address.port=5", 'mine:1: CONNECTED.address.port: no release has the value "5"'),
        (
            "CONNECTED.data.adress",
            'mine:1: CONNECTED: no release has the member "data.adress" (did you mean address or address.id?)',
        ),
        (
            "CONNECTED.address.type=inett",
            'mine:1: CONNECTED.address.type: no release has the value "inett" (did you mean inet?)',
        ),
    ],
)
def test_a_list_with_a_mistake(text: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        client_usage_list.read(text, [QAPI], "mine")
    assert str(error.value).splitlines() == [message, ALL_THE_SAME]


@pytest.mark.parametrize("text", ["These are the\nevents that we read.\n", "connected\n", "GIF89a\0\1"])
def test_a_file_that_is_no_list(text: str) -> None:
    with pytest.raises(SpecError) as error:
        client_usage_list.read(text, [QAPI], "mine")
    assert str(error.value) == (
        "mine: no recording, and no list of what a client reads: expected JSON messages, or on each line one "
        "EVENT, EVENT.member or EVENT.member=value; see 'qmpcheck diff --help'"
    )


def test_a_list_in_which_much_is_wrong() -> None:
    with pytest.raises(SpecError) as error:
        client_usage_list.read("XYZZY\n" * 25, [QAPI], "mine")
    assert str(error.value).splitlines()[19:] == [
        'mine:20: no release has the event "XYZZY"',
        "and 5 lines more",
        ALL_THE_SAME,
    ]


def test_a_mistake_far_down_a_list_stands_on_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text(f"#{'-' * 1022}\n" * 1024 + "CONECTED\n")  # more than is read at once
    with pytest.raises(SpecError, match=r"mine:1025: no release has the event \"CONECTED\""):
        load(str(path), [QAPI])


def test_a_stream_and_a_list_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(gzip.compress(STREAM))
    (tmp_path / "l").write_text("\ufeffCONNECTED\n")
    assert load(str(tmp_path / "s"), [QAPI]).uses["CONNECTED"].whole == set()
    assert load(str(tmp_path / "l"), [QAPI]).uses["CONNECTED"].whole == {at("data")}
    for text, message in (
        ("# no\n", "no event in it"),
        ('{"return": {}}', "no event in it"),
        (None, "No such file"),
    ):
        other = tmp_path / "other"
        if text is None:
            other.unlink()
        else:
            other.write_text(text)
        with pytest.raises(SpecError, match=message):
            load(str(other), [QAPI])


INET = (BranchCondition(at("data.address"), "type", "inet"),)
UNIX = (BranchCondition(at("data.address"), "type", "unix"),)

TOUCHED = [
    (Change("QMP501", "CONNECTED", (), ""), True),
    (Change("QMP502", "CONNECTED", (), ""), False),
    (Change("QMP501", "UNION", (), ""), False),
    (Change("QMP503", "CONNECTED", at("data.address.port"), ""), True),
    (Change("QMP503", "CONNECTED", at("data.address.port"), "", where=INET), True),
    (Change("QMP503", "CONNECTED", at("data.address.port"), "", where=UNIX), False),
    (Change("QMP503", "CONNECTED", at("data.address.path"), ""), False),
    (Change("QMP505", "CONNECTED", at("data.address.more"), ""), True),
    (Change("QMP505", "CONNECTED", at("data.other.more"), ""), False),
    (Change("QMP505", "CONNECTED", at('data.address["a \\"b\\" c"]'), ""), True),
    (Change("QMP506", "CONNECTED", at("data.address.host"), ""), False),
    (Change("QMP507", "CONNECTED", at("data.address.host"), ""), True),
    (Change("QMP510", "CONNECTED", at("data.address.type"), "", value="new"), True),
    (Change("QMP511", "CONNECTED", at("data.address.type"), "", value="inet"), True),
    (Change("QMP511", "CONNECTED", at("data.address.type"), "", value="unix"), False),
    (Change("QMP516", "CONNECTED", at("data.address.type"), "", value="unix"), False),
    (Change("QMP516", "CONNECTED", at("data.address.type"), ""), True),
    (Change("QMP517", "CONNECTED", at("data.address.type"), "", value="inet"), True),
    (Change("QMP517", "CONNECTED", at("data.address.type"), "", value="unix"), False),
    (Change("QMP512", "CONNECTED", (), ""), True),
    (Change("QMP508", "CONNECTED", at("data.list[]"), ""), True),
    (Change("QMP508", "CONNECTED", at("data.address[]"), ""), False),
]


@pytest.mark.parametrize(("change", "touched"), TOUCHED, ids=[str(change)[13:70] for change, _ in TOUCHED])
def test_which_changes_touch_a_client(change: Change, touched: bool) -> None:
    assert touches(change, of_stream(STREAM.splitlines(), [QAPI])) is touched


def test_who_receives_a_member_of_a_branch_receives_that_branch() -> None:
    mine = client_usage_list.read("CONNECTED.address.path", [QAPI], "mine").uses
    assert touches(Change("QMP508", "CONNECTED", at("data.address.path"), "", where=UNIX), mine)
    assert touches(Change("QMP511", "CONNECTED", at("data.address.type"), "", value="unix"), mine)
    assert not touches(Change("QMP508", "CONNECTED", at("data.address.path"), "", where=INET), mine)


LISTED_TOUCHED = [
    ("CONNECTED", Change("QMP505", "CONNECTED", at("data.more"), ""), True),
    ("CONNECTED.address", Change("QMP501", "CONNECTED", (), ""), True),
    ("CONNECTED.address", Change("QMP505", "CONNECTED", at("data.more"), ""), False),
    ("CONNECTED.address", Change("QMP507", "CONNECTED", at("data.more"), ""), False),
    ("CONNECTED.address", Change("QMP505", "CONNECTED", at("data.address"), ""), True),
    ("CONNECTED.address", Change("QMP505", "CONNECTED", at("data.address.more"), ""), True),
    ("CONNECTED.address.port", Change("QMP505", "CONNECTED", at("data.address.more"), ""), False),
    ("CONNECTED.address.port", Change("QMP507", "CONNECTED", at("data.address.port"), ""), True),
    ("CONNECTED.address.port", Change("QMP506", "CONNECTED", at("data.address"), ""), True),
    ("CONNECTED.address.port\nCONNECTED", Change("QMP505", "CONNECTED", at("data.address.more"), ""), True),
    ("CONNECTED.address.type=inet", Change("QMP505", "CONNECTED", at("data.address.more"), ""), False),
    (
        "CONNECTED.address.port",
        Change("QMP505", "CONNECTED", at("data.address.gate"), "", counterpart="port"),
        True,
    ),
    ("CONNECTED.address.port", Change("QMP505", "CONNECTED", at("data.gate"), "", counterpart="port"), False),
    (
        "CONNECTED.address.type=inet",
        Change("QMP510", "CONNECTED", at("data.address.type"), "", value="new"),
        True,
    ),
]


@pytest.mark.parametrize(("listed", "change", "touched"), LISTED_TOUCHED)
def test_a_listed_member_means_that_member_and_its_event(listed: str, change: Change, touched: bool) -> None:
    assert touches(change, client_usage_list.read(listed, [QAPI], "mine").uses) is touched


NAME_ONLY = [
    (Change("QMP501", "CONNECTED", (), ""), True),
    (Change("QMP516", "CONNECTED", (), ""), True),
    (Change("QMP514", "CONNECTED", (), ""), True),
    (Change("QMP503", "CONNECTED", at("data.address"), ""), False),
    (Change("QMP505", "CONNECTED", at("data.more"), ""), False),
    (Change("QMP501", "UNION", (), ""), False),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("change", "touched"), NAME_ONLY)
def test_who_looks_at_a_name_only(change: Change, touched: bool, strict: bool) -> None:
    for listed in ("CONNECTED!", "CONNECTED!?", "CONNECTED!\nCONNECTED!"):
        assert touches(change, client_usage_list.read(listed, [QAPI], "mine").uses, strict) is touched
    also = client_usage_list.read("CONNECTED!\nCONNECTED.address", [QAPI], "mine").uses
    assert touches(Change("QMP503", "CONNECTED", at("data.address"), ""), also)


def test_a_value_that_the_client_handles_may_come() -> None:
    """Of two values that are new, the one that it lists is safe, and the other one is as risky as ever."""
    tag = "data.address.type"
    changes = [Change("QMP510", "CONNECTED", at(tag), "", value=value) for value in ("inet", "other")]
    for listed in (f"CONNECTED.{tag[5:]}=inet", "CONNECTED.address\nCONNECTED.address.type=inet"):
        found = of_client(changes, client_usage_list.read(listed, [QAPI], "mine").uses)
        assert [(each.value, str(each.level()), str(each.level(strict=True))) for each in found] == [
            ("inet", "safe", "safe"),
            ("other", "risky", "breaking"),
        ]
    gone = Change("QMP511", "CONNECTED", at(tag), "", value="inet")
    assert not of_client([gone], client_usage_list.read("CONNECTED.address.type=inet", [QAPI], "mine").uses)[
        0
    ].is_handled


def read_for(old: str, new: str, listed: str) -> client_usage_list.Listed:
    return client_usage_list.read(listed, [rules(old), rules(new)], "mine")


@pytest.mark.parametrize(
    ("listed", "old", "new", "elsewhere"),
    [
        ("GUEST_CRASHLOADED", "7.2", "8.0", []),
        ("GUEST_CRASHLOADED", "2.1", "2.2", ["GUEST_CRASHLOADED (since 5.0)"]),
        ("RDMA_GID_STATUS_CHANGED.netdev", "9.0", "9.1", []),
        ("RDMA_GID_STATUS_CHANGED.netdev", "9.1", "9.2", ["RDMA_GID_STATUS_CHANGED.netdev (4.0 to 9.0)"]),
        ("MIGRATION.status=colo", "2.4", "2.5", ["MIGRATION.status=colo (since 2.8)"]),
        ("MIGRATION.status=colo", "2.7", "2.8", []),
        ("DEBUG!", "7.2", "8.0", ["DEBUG! (0.12)"]),
        ("XYZZY?\nMIGRATION.xyzzy?\nMIGRATION.status=xyzzy?\nXYZZY!?", "7.2", "8.0", []),
        ("MIGRATION.status=colo?", "2.4", "2.5", ["MIGRATION.status=colo? (since 2.8)"]),
    ],
)
def test_one_list_serves_all_pairs(listed: str, old: str, new: str, elsewhere: list[str]) -> None:
    assert read_for(old, new, listed).elsewhere == tuple(elsewhere)


def test_every_mistake_of_a_list_is_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        read_for("7.2", "8.0", "XYZZY\nSHUTDOWN\nSHUTDOWN.reasn\nMIGRATION.status=lamp\nSTOP.x!\nSTOP!=x")
    assert str(caught.value).splitlines() == [
        'mine:1: no release has the event "XYZZY"',
        'mine:3: SHUTDOWN: no release has the member "reasn" (did you mean reason?)',
        'mine:4: MIGRATION.status: no release has the value "lamp"; it has "active", "cancelled", "cancelling" and 11 more',
        "mine:5: STOP.x!: ! means the name of an event alone, and cannot follow a member",
        "mine:6: STOP!=x: ! means the name of an event alone, and cannot follow a member",
        ALL_THE_SAME,
    ]


def test_a_strict_client_meets_members_that_it_does_not_list() -> None:
    mine = client_usage_list.read("CONNECTED.address.port", [QAPI], "mine").uses
    added = {
        path: Change("QMP505", "CONNECTED", at(path), "")
        for path in ("data.x", "data.address.x", "data.list.x")
    }
    assert [path for path, change in added.items() if touches(change, mine, strict=True)] == [
        "data.x",
        "data.address.x",
    ]
    assert not any(touches(change, mine) for change in added.values())
