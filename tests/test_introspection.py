"""Replies to `query-qmp-schema`, and the rules of their events."""

import json
from typing import Any

import pytest

from qmpcheck import rulebase
from qmpcheck.rulebase import Any as Anything
from qmpcheck.rulebase import Array, Enum, Integer, Marks, Member, Object, String
from qmpcheck.specs import introspection, load
from qmpcheck.specs.introspection import NotIntrospection
from qmpcheck.version import Version

BUILTIN = [
    {"name": name, "meta-type": "builtin", "json-type": json_type}
    for name, json_type in {
        "str": "string",
        "int": "int",
        "number": "number",
        "bool": "boolean",
        "null": "null",
        "any": "value",
    }.items()
]
GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}


def object_type(name: str, *members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "meta-type": "object", "members": list(members), **more}


def event(name: str, arg_type: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "meta-type": "event", "arg-type": arg_type, **more}


def payload(*infos: dict[str, Any]) -> Object:
    """What the event X carries, the type `1`."""
    return introspection.read([event("X", "1"), *infos, *BUILTIN]).events["X"].data


def member(*infos: dict[str, Any]) -> rulebase.Type:
    """The type `2` where it is that of the member `m`."""
    described = payload(object_type("1", {"name": "m", "type": "2"}), *infos).member("m")
    assert described
    return described.type


@pytest.mark.parametrize(
    ("type", "read"),
    [
        ("str", String()),
        ("int", Integer()),
        ("number", rulebase.Number()),
        ("bool", rulebase.Boolean()),
        ("null", rulebase.Null()),
        ("any", Anything()),
    ],
)
def test_builtin_types(type: str, read: rulebase.Type) -> None:
    assert payload(object_type("1", {"name": "m", "type": type})) == Object((Member("m", read),))


def test_members() -> None:
    assert payload(
        object_type(
            "1",
            {"name": "a", "type": "int"},
            {"name": "b", "type": "str", "default": None, "features": ["deprecated", "other"]},
        )
    ) == Object(
        (
            Member("a", Integer()),
            Member("b", String(), optional=True, marks=Marks(deprecated=True)),
        )
    )


@pytest.mark.parametrize(
    ("info", "read"),
    [
        ({"meta-type": "enum", "values": ["a", "b"]}, Enum(("a", "b"))),
        (
            {
                "meta-type": "enum",
                "values": ["a", "b"],
                "members": [{"name": "a"}, {"name": "b", "features": ["unstable"]}],
            },
            Enum(("a", "b"), {"b": Marks(unstable=True)}),
        ),
        ({"meta-type": "enum", "values": [], "members": []}, Enum(())),
        ({"meta-type": "array", "element-type": "int"}, Array(Integer())),
        (
            {"meta-type": "alternate", "members": [{"type": "str"}, {"type": "null"}]},
            rulebase.Alternate((String(), rulebase.Null())),
        ),
        (object_type("2"), Object()),
        (
            object_type("2", {"name": "next", "type": "2", "default": None}),
            Object((Member("next", Object(open=True, of="2"), optional=True),)),
        ),
    ],
)
def test_types(info: dict[str, Any], read: rulebase.Type) -> None:
    assert member({"name": "2", **info}) == read


def test_a_union_has_a_branch_for_each_case_that_adds_members() -> None:
    assert payload(
        object_type(
            "1",
            {"name": "kind", "type": "2"},
            tag="kind",
            variants=[{"case": "a", "type": "3"}, {"case": "b", "type": "4"}],
        ),
        {"name": "2", "meta-type": "enum", "values": ["a", "b"]},
        object_type("3", {"name": "m", "type": "int"}),
        object_type("4"),
    ) == Object(
        (Member("kind", Enum(("a", "b"))),),
        discriminator="kind",
        branches={"a": Object((Member("m", Integer()),))},
    )


def test_types_that_hold_one_another() -> None:
    """A list of what it is in, an alternate that comes again, and a branch that it all stands in."""
    tag = Member("kind", Enum(("a",)))
    union = Object((tag,), discriminator="kind", branches={"a": Object((Member("m", Anything(of="3")),))})
    infos = (
        object_type("1", {"name": "m", "type": "3"}),
        {"name": "3", "meta-type": "alternate", "members": [{"type": "str"}, {"type": "4"}, {"type": "[4]"}]},
        object_type("4", {"name": "kind", "type": "5"}, tag="kind", variants=[{"case": "a", "type": "1"}]),
        {"name": "5", "meta-type": "enum", "values": ["a"]},
        {"name": "[4]", "meta-type": "array", "element-type": "4"},
    )
    assert payload(*infos) == Object((Member("m", rulebase.Alternate((String(), union, Array(union)))),))


def test_events() -> None:
    read = introspection.read(
        [
            event("X", "0", features=["deprecated"]),
            {"name": "stop", "meta-type": "command", "arg-type": "0", "ret-type": "0"},
            event("Y", "0"),
            object_type("0"),
        ]
    )
    assert {name: rule.marks for name, rule in read.events.items()} == {
        "X": Marks(deprecated=True),
        "Y": Marks(),
    }


def doubling(levels: int) -> list[dict[str, Any]]:
    return [
        object_type(str(at), {"name": "a", "type": str(at + 1)}, {"name": "b", "type": str(at + 1)})
        for at in range(1, levels)
    ]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([object_type("0")], "no event in it"),
        ([event("X", "1")], 'it names the type "1", but does not describe it'),
        ([event("X", "int"), *BUILTIN], 'the type "int" is used where only an object can be'),
        ([event("X\x1b", "\x1b")], 'it names the type "\\x1b"'),
        ([{"meta-type": "event"}], "not a reply to query-qmp-schema: Object missing required field"),
        ([{"meta-type": "\x1b"}], "not a reply to query-qmp-schema: Invalid value '\\x1b'"),
        ([event("X", "1"), *doubling(30), object_type("30")], "its types contain each other too often"),
        (
            [
                event("X", "1"),
                object_type("1", {"name": "m", "type": "2"}),
                {"name": "2", "meta-type": "array", "element-type": "2"},
            ],
            "its types contain each other too often, or too deep",
        ),
        (
            [
                event("X", "1"),
                object_type("1", {"name": "t", "type": "2"}, tag="t", variants=[{"case": "a", "type": "1"}]),
                {"name": "2", "meta-type": "enum", "values": ["a"]},
            ],
            "its types contain each other too often, or too deep",
        ),
        ([event("X", "1"), *doubling(2000), object_type("2000")], "its types contain each other too often"),
        (
            [
                event("X", "1"),
                *BUILTIN,
                object_type("1", {"name": "a", "type": "int"}, {"name": "a", "type": "int"}),
            ],
            "not a reply to query-qmp-schema: two members of one name",
        ),
    ],
)
def test_what_is_no_schema(schema: list[Any], message: str) -> None:
    with pytest.raises(NotIntrospection) as caught:
        introspection.read(schema)
    assert str(caught.value).startswith(message)


SCHEMA = [event("X", "0"), object_type("0")]
OLDER = {"QMP": {"version": {"qemu": {"major": 2, "minor": 5, "micro": 0}}}}


def lines(*messages: Any) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (json.dumps(SCHEMA), None),
        (json.dumps(SCHEMA, indent=1), None),
        (json.dumps({"return": SCHEMA}), None),
        (json.dumps({"id": 1, "return": SCHEMA}, indent=1), None),
        (lines({"return": {}}, {"return": SCHEMA}), None),
        (
            lines(
                GREETING, {"return": {}}, {"return": []}, {"return": [{"name": "stop"}]}, {"return": SCHEMA}
            ),
            Version(7, 2, 22),
        ),
        (lines(OLDER, GREETING, {"return": SCHEMA}, OLDER), Version(7, 2, 22)),
        (lines(GREETING) + "what is not JSON\n" + lines({"return": SCHEMA}), Version(7, 2, 22)),
        # as libvirt keeps them
        (
            "\n\n".join(
                json.dumps(message, indent=2)
                for message in (
                    {"execute": "query-version", "id": "libvirt-2"},
                    {
                        "return": {"qemu": {"micro": 90, "minor": 2, "major": 8}, "package": ""},
                        "id": "libvirt-2",
                    },
                    {"execute": "query-qmp-schema", "id": "libvirt-5"},
                    {"return": SCHEMA, "id": "libvirt-5"},
                )
            ),
            Version(8, 2, 90),
        ),
    ],
)
def test_forms_of_a_reply(text: str, version: Version | None) -> None:
    assert introspection.parse(text) == (SCHEMA, version)


@pytest.mark.parametrize(
    "text", ["", "[]", "[1]", "{}", '{"return": {}}', "[" * 9999, lines(GREETING, {"return": {}})]
)
def test_texts_without_a_reply(text: str) -> None:
    with pytest.raises(NotIntrospection, match="no reply to query-qmp-schema in it"):
        introspection.parse(text)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x", '{"events": {}}', "rules"),
        ("x", '{"events": {', "rules"),
        ("x", "[]", "introspection"),
        ("x", '[{"name": "0"', "introspection"),
        ("x", '{"return": [', "introspection"),
        ("x", '{"QMP": {}}\n{"return": []}', "introspection"),
        ("x", "{ 'event': 'X' }", "schema"),
        ("x", "# a\n\n##\n{ 'event': 'X' }", "schema"),
        ("x", "##\n# = Lamps\n##\n{ , 'event': 'X' }", "schema"),
        ("x", "{ event: 'X' }", "schema"),
        ("x.json", "'event': 'X' }", "schema"),
        ("x", "# Lamps\n\nX1\n--\n", "document"),
        ("x", "X1\n--\n", "document"),
    ],
)
def test_what_kind_of_file_it_is(name: str, text: str, expected: str) -> None:
    assert load.kind(text, name) == expected
