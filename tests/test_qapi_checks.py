"""What is said of events whose rules only QAPI schemas can state: see `rulebases.QAPI`."""

import io
import json
from typing import Any

import pytest
from checking import check
from rulebases import QAPI

from qmpcheck.checking import user_rules
from qmpcheck.checking.temporal_rule import TemporalRule
from qmpcheck.finding import Finding
from qmpcheck.reports import text
from qmpcheck.rulebase import (
    Alternate,
    EventRule,
    Integer,
    Member,
    Number,
    Object,
    RateLimit,
    RuleBase,
    String,
    dump,
    load,
)


def line(event: str, data: Any, seconds: float = 1) -> str:
    timestamp = {"seconds": int(seconds), "microseconds": round(seconds % 1 * 1_000_000)}
    return json.dumps({"event": event, "data": data, "timestamp": timestamp}) + "\n"


def findings(
    stream: str, rule_base: RuleBase = QAPI, more: tuple[TemporalRule, ...] = ()
) -> tuple[Finding, ...]:
    return check(rule_base, stream, complete=True, rules=more).listed


def said(event: str, data: Any) -> list[str]:
    return [f"{each.code} {each.shown_path}: {each.message}" for each in findings(line(event, data))]


INET = {"type": "inet", "host": "h", "port": 80}


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("UNION", INET, []),
        ("UNION", {"type": "fd"}, []),
        ("UNION", INET | {"port": 70000}, ['QMP205 data.port: expected 0 to 65535, got 70000 (where type is "inet")']),
        ("UNION", {"type": "vsock", "port": 70000}, []),
        ("UNION", {"type": "vsock"}, ['QMP202 data.port: mandatory member is missing (where type is "vsock")']),
        ("UNION", {"type": "fd", "port": 1}, ['QMP203 data.port: the spec has no such member here: it has "type", "id" (where type is "fd")']),
        ("UNION", INET | {"id": 1}, ["QMP204 data.id: expected a string, got 1"]),
        # Which branch it is, is not known: only that is told, and what is wrong with what all have.
        ("UNION", INET | {"type": "tcp", "id": 1}, ['QMP205 data.type: expected "inet", "unix", "fd" or "vsock", got "tcp"', "QMP204 data.id: expected a string, got 1"]),
        ("UNION", {"host": 1}, ["QMP202 data.type: mandatory member is missing"]),
        ("UNION", {"type": [1]}, ["QMP204 data.type: expected a string, got a list of 1"]),
        ("CONNECTED", {"address": INET | {"host": 1}}, ['QMP204 data.address.host: expected a string, got 1 (where type is "inet")']),
        ("NESTED", {"kind": "deep", "mode": "a", "x": 127}, []),
        ("NESTED", {"kind": "deep", "mode": "a", "x": 128}, ['QMP205 data.x: expected -128 to 127, got 128 (where kind is "deep" and mode is "a")']),
        ("NESTED", {"kind": "deep", "mode": "b", "x": 1}, ['QMP203 data.x: the spec has no such member here: it has "kind", "mode" (where kind is "deep" and mode is "b")']),
        ("NESTED", {"kind": "flat", "mode": "b"}, ['QMP203 data.mode: the spec has no such member here: it has "kind" (where kind is "flat")']),
        ("ONE_BRANCH", {"union": {"n": 1, "m": None}}, ["QMP202 data.union.only: mandatory member is missing"]),
        ("ALTERNATES", {"name": None, "limit": True, "where": "here"}, []),
        ("ALTERNATES", {"name": "n", "limit": [-128], "where": INET, "what": 1.5}, []),
        ("ALTERNATES", {"name": 1, "limit": 256, "where": "else", "what": "x"}, [
            "QMP204 data.name: expected a string or a null, got 1",
            "QMP205 data.limit: expected 0 to 255, got 256",
            'QMP205 data.where: expected "here" or "there", got "else"',
            "QMP204 data.what: expected an object or a number, got \"x\"",
        ]),
        ("ALTERNATES", {"name": "n", "limit": [1, 128], "where": INET | {"port": -1}}, [
            "QMP205 data.limit[1]: expected -128 to 127, got 128",
            'QMP205 data.where.port: expected 0 to 65535, got -1 (where type is "inet")',
        ]),
        ("ON_SOME_BUILDS", {}, []),
        ("NEVER", {}, []),
        ("NEVER", {"never": "x"}, ['QMP205 data.never: expected nothing, got "x"']),
        ("OLD_EVENT", {}, ["QMP206 event: the spec marks the event as deprecated"]),
        ("OLD_MEMBER", {"new": 1}, []),
        ("OLD_MEMBER", {"new": 1, "old": 1}, ["QMP206 data.old: the spec marks this member as deprecated"]),
        ("OLD_MANDATORY", {"old": 1}, ["QMP206 data.old: the spec marks this member as deprecated"]),
        ("OLD_VALUE", {"lamp": "on"}, []),
        ("OLD_VALUE", {"lamp": "dim"}, ['QMP206 data.lamp: the spec marks the value "dim" as deprecated']),
    ],
)  # fmt: skip
def test_findings(event: str, data: Any, expected: list[str]) -> None:
    assert sorted(said(event, data)) == sorted(expected)


def test_the_largest_and_the_smallest_integers() -> None:
    types = {member.name: member.type for member in QAPI.events["INTEGERS"].data.members}
    ranges = {name: each.range for name, each in types.items() if isinstance(each, Integer) and each.range}
    assert said("INTEGERS", {member: least for member, (least, _) in ranges.items()}) == []
    assert said("INTEGERS", {member: greatest for member, (_, greatest) in ranges.items()}) == []
    assert len(said("INTEGERS", {member: least - 1 for member, (least, _) in ranges.items()})) == 8
    assert len(said("INTEGERS", {member: greatest + 1 for member, (_, greatest) in ranges.items()})) == 8


@pytest.mark.parametrize(
    ("event", "data", "place"),
    [
        ("UNION", None, "(qapi/net.json:1 of the spec)"),
        ("CONNECTED", {"address": {"type": "inet", "host": 1, "port": 1}}, "(qapi/net.json:10 of the spec)"),
        ("CONNECTED", {"address": {"type": "vsock", "port": ""}}, "(qapi/net.json:30 of the spec)"),
        ("CONNECTED", {"address": {"type": "unix", "path": 1}}, "(qapi/unix.json:20 of the spec)"),
        ("OLD_EVENT", {}, "(qapi/old.json:40 of the spec)"),
        ("OLD_MEMBER", {"new": 1, "old": 1}, "(qapi/old.json:42 of the spec)"),
    ],
)
def test_a_finding_names_the_file_and_the_line_of_the_spec(event: str, data: Any, place: str) -> None:
    out = io.StringIO()
    text.write([check(QAPI, line(event, data))], out)
    assert out.getvalue().splitlines()[1].endswith(place)


def test_an_event_alone_in_its_spec_needs_its_name() -> None:
    alone = RuleBase({"ALONE": EventRule()})
    nameless = '{"timestamp": {"seconds": 1, "microseconds": 1}}\n'
    assert [each.code for each in findings(nameless, alone)] == ["QMP103"]


@pytest.mark.parametrize(
    "types", [(), (Integer(), Number()), (String(), Alternate((String(), Object())))], ids=str
)
def test_an_alternate_is_told_by_json_types(types: Any) -> None:
    rule_base = RuleBase({"X1": EventRule(Object((Member("a", Alternate(types)),)))})
    with pytest.raises(ValueError, match="tell apart"):
        load(dump(rule_base))


def test_the_rule_base_reads_as_it_was_written() -> None:
    assert load(dump(QAPI)) == QAPI


OWN = '[[rule]]\nevent = "UNION"\nwhen = {{ {} }}\nthen = "OLD_VALUE"\n'


@pytest.mark.parametrize(
    ("when", "data", "expected"),
    [
        ('type = "inet"', INET, ["QMP301"]),
        ('type = "inet"', {"type": "fd"}, []),
        ("port = 80", INET, ["QMP301"]),
        ("port = 80", {"type": "vsock", "port": 80}, ["QMP301"]),
        ("port = 70000", INET, []),
    ],
)
def test_rules_of_the_user_reach_into_branches(
    when: str, data: Any, expected: list[str], tmp_path: Any
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN.format(when))
    more = tuple(user_rules.load(str(own), QAPI))
    assert [each.code for each in findings(line("UNION", data), more=more)] == expected


def test_rules_of_the_user_cannot_ask_for_what_no_branch_has(tmp_path: Any) -> None:
    own = tmp_path / "own.toml"
    for when in ("port = 5000000000", "colour = 1", 'type = "tcp"'):
        own.write_text(OWN.format(when))
        with pytest.raises(ValueError, match=r"cannot be|has no member"):
            user_rules.load(str(own), QAPI)


IO_ERROR = Object((Member("qom-path", String()), Member("action", String())))
LIMITED = RuleBase({"BLOCK_IO_ERROR": EventRule(IO_ERROR, rate_limit=RateLimit(("qom-path",)))})
UNLIMITED = RuleBase({"BLOCK_IO_ERROR": EventRule(IO_ERROR)})


@pytest.mark.parametrize(
    ("rule_base", "actions", "expected"),
    [
        (LIMITED, "report report report", ["QMP304"]),
        (LIMITED, "report stop report", []),
        (LIMITED, "report stop report stop report", ["QMP304"]),
        (LIMITED, "stop stop stop", []),
        (UNLIMITED, "report report report", []),
    ],
)
def test_a_disk_that_stops_the_machine_says_so_at_once(
    rule_base: RuleBase, actions: str, expected: list[str]
) -> None:
    stream = "".join(
        line("BLOCK_IO_ERROR", {"qom-path": "/d", "action": action}) for action in actions.split()
    )
    assert [each.code for each in findings(stream, rule_base)] == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [("1 1 1", ["QMP304"]), ("1 9 1", []), ("1 9 1 9 1", ["QMP304"]), ("9 9 9", []), ("8 9 8", [])],
)
def test_a_rate_limit_spares_what_the_spec_excepts(levels: str, expected: list[str]) -> None:
    limit = RateLimit(unless={"level": ("8", "9")})
    rule_base = RuleBase({"ALARM": EventRule(Object((Member("level", String()),)), rate_limit=limit)})
    stream = "".join(line("ALARM", {"level": level}) for level in levels.split())
    assert [each.code for each in findings(stream, rule_base)] == expected
