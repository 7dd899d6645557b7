"""QAPI schemas: the language, what events reach, and what is wrong with a bad one."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from specs import SPECS

from qmpcheck import catalogue
from qmpcheck.documents import qapi
from qmpcheck.rulebase import (
    Alternate,
    Array,
    Boolean,
    Enum,
    EventRule,
    FollowUp,
    Integer,
    Marks,
    Member,
    Null,
    Number,
    Object,
    RateLimit,
    String,
)
from qmpcheck.rulebase import (
    Any as Anything,
)


def read(folder: Path, schema: str, **included: str) -> dict[str, EventRule]:
    for name, text in included.items():
        (folder / f"{name}.json").write_text(text)
    (folder / "root.json").write_text(schema)
    return qapi.read(str(folder / "root.json")).events


def without_places(described: Any) -> Any:
    """The same, no line and no file in it."""
    match described:
        case Object():
            members = tuple(map(without_places, described.members))
            branches = {value: without_places(branch) for value, branch in described.branches.items()}
            return msgspec.structs.replace(described, members=members, branches=branches)
        case Member():
            return msgspec.structs.replace(described, type=without_places(described.type), line=None, file="")
        case Alternate(types):
            return Alternate(tuple(map(without_places, types)))
        case _:
            return described


A = Member("a", String())

PAYLOADS = {
    "{ 'event': 'X' }": Object(),
    "{ 'event': 'X', 'data': { 'a': 'str' } }": Object((A,)),
    "{ 'event': 'X', 'data': { '*a': 'str' } }": Object((Member("a", String(), optional=True),)),
    "{ 'event': 'X', 'data': { 'a': ['bool'] } }": Object((Member("a", Array(Boolean())),)),
    "{ 'event': 'X', 'data': { 'a': 'number', 'b': 'null', 'c': 'any' } }": Object(
        (Member("a", Number()), Member("b", Null()), Member("c", Anything()))
    ),
    "{ 'event': 'X', 'data': { 'a': 'int', 'b': 'uint8', 'c': 'size' } }": Object(
        (Member("a", Integer("int64")), Member("b", Integer("uint8")), Member("c", Integer("uint64")))
    ),
    "{ 'enum': 'E', 'data': ['p', 'q'] } { 'event': 'X', 'data': { 'a': 'E' } }": Object(
        (Member("a", Enum(("p", "q"))),)
    ),
    "{ 'enum': 'E', 'data': [] } { 'event': 'X', 'data': { '*a': 'E' } }": Object(
        (Member("a", Enum(()), optional=True),)
    ),
    "{ 'struct': 'S', 'data': { 'a': 'str' } } { 'event': 'X', 'data': 'S' }": Object((A,)),
    "{ 'type': 'S', 'data': { 'a': 'str' } } { 'event': 'X', 'data': { 'b': 'S' } }": Object(
        (Member("b", Object((A,))),)
    ),
    # a base, by its name
    """{ 'struct': 'B', 'data': { 'a': 'str' } } { 'struct': 'S', 'base': 'B', 'data': { 'b': 'bool' } }
       { 'event': 'X', 'boxed': true, 'data': 'S' }""": Object((A, Member("b", Boolean()))),
    # a union whose base stands in it; a branch without members adds none
    """{ 'enum': 'E', 'data': ['p', 'q'] } { 'struct': 'P', 'data': { 'a': 'str' } } { 'struct': 'Q', 'data': {} }
       { 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': { 'p': 'P', 'q': 'Q' } }
       { 'event': 'X', 'boxed': true, 'data': 'U' }""": Object(
        (Member("t", Enum(("p", "q"))),), discriminator="t", branches={"p": Object((A,))}
    ),
    # a union that wraps each branch
    "{ 'union': 'U', 'data': { 'p': 'str' } } { 'event': 'X', 'data': { 'u': 'U' } }": Object(
        (
            Member(
                "u",
                Object(
                    (Member("type", Enum(("p",))),),
                    discriminator="type",
                    branches={"p": Object((Member("data", String()),))},
                ),
            ),
        )
    ),
    "{ 'union': 'U', 'data': { 'p': { 'type': 'str', 'if': 'P' } } } { 'event': 'X', 'boxed': true, 'data': 'U' }": Object(
        (Member("type", Enum(("p",), {"p": Marks("P")})),),
        discriminator="type",
        branches={"p": Object((Member("data", String(), marks=Marks("P")),))},
    ),
    "{ 'alternate': 'A', 'data': { 's': 'str', 'i': 'int' } } { 'event': 'X', 'data': { 'a': 'A' } }": Object(
        (Member("a", Alternate((String(), Integer("int64")))),)
    ),
    "{ 'union': 'A', 'discriminator': {}, 'data': { 's': 'str' } } { 'event': 'X', 'data': { 'a': 'A' } }": Object(
        (Member("a", Alternate((String(),))),)
    ),
    # a branch that only some builds have
    """{ 'enum': 'E', 'data': ['p'] } { 'struct': 'P', 'data': { 'a': 'str' } }
       { 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': { 'p': { 'type': 'P', 'if': 'Q' } } }
       { 'event': 'X', 'boxed': true, 'data': 'U' }""": Object(
        (Member("t", Enum(("p",))),),
        discriminator="t",
        branches={"p": Object((Member("a", String(), marks=Marks("Q")),))},
    ),
    """{ 'enum': 'E', 'data': ['p'] } { 'union': 'P', 'base': { 's': 'E' }, 'discriminator': 's', 'data': {} }
       { 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': { 'p': { 'type': 'P', 'if': 'Q' } } }
       { 'event': 'X', 'boxed': true, 'data': 'U' }""": Object(
        (Member("t", Enum(("p",))),), discriminator="t", branches={"p": Object(open=True)}
    ),
    # a type that holds itself through an alternate
    "{ 'struct': 'S', 'data': { 'a': 'A' } } { 'alternate': 'A', 'data': { 's': 'S', 'i': 'int' } } { 'event': 'X', 'data': 'S' }": Object(
        (Member("a", Alternate((Object(open=True, of="S"), Integer("int64")))),)
    ),
    "{ 'struct': 'S', 'data': { 'a': 'A' } } { 'alternate': 'A', 'data': { 's': 'S', 'i': 'int' } } { 'event': 'X', 'data': { 'a': 'A' } }": Object(
        (Member("a", Alternate((Object((Member("a", Anything("A")),)), Integer("int64")))),)
    ),
    # a branch that it all stands in, and a base that its own member has
    """{ 'enum': 'E', 'data': ['p'] } { 'struct': 'B', 'data': { 't': 'E', '*b': 'U' } } { 'struct': 'P', 'data': { 'u': 'U' } }
       { 'union': 'U', 'base': 'B', 'discriminator': 't', 'data': { 'p': 'P' } } { 'event': 'X', 'data': 'P' }""": Object(
        (
            Member(
                "u",
                Object(
                    (Member("t", Enum(("p",))), Member("b", Object(open=True, of="U"), optional=True)),
                    discriminator="t",
                    branches={"p": Object((Member("u", Object(open=True, of="U")),))},
                ),
            ),
        )
    ),
    # what a member's description may yet come to tell
    "{ 'event': 'X', 'data': { 'a': { 'type': 'str', 'default': 'x', 'if': { 'xor': ['P', 'Q'] } } } }": Object(
        (Member("a", String(), marks=Marks("xor (P, Q)")),)
    ),
    # what depends on the build, in each way of saying it
    "{ 'event': 'X', 'data': { 'a': { 'type': 'str', 'if': 'defined(P) && !defined(Q)' } } }": Object(
        (Member("a", String(), marks=Marks("P and not Q")),)
    ),
    "{ 'event': 'X', 'data': { 'a': { 'type': 'str', 'if': { 'any': ['P', { 'all': ['Q', 'R'] }] } } } }": Object(
        (Member("a", String(), marks=Marks("P or (Q and R)")),)
    ),
    "{ 'event': 'X', 'data': { 'a': { 'type': 'str', 'if': { 'not': 'P' }, 'features': ['unstable'] } } }": Object(
        (Member("a", String(), marks=Marks("not P", unstable=True)),)
    ),
    """{ 'enum': 'E', 'data': ['p', { 'name': 'q', 'features': [{ 'name': 'deprecated', 'if': 'P' }] }] }
       { 'event': 'X', 'data': { 'a': 'E' } }""": Object(
        (Member("a", Enum(("p", "q"), {"q": Marks(deprecated=True)})),)
    ),
    # a type that holds itself
    "{ 'struct': 'S', 'data': { '*a': 'S' } } { 'event': 'X', 'data': 'S' }": Object(
        (Member("a", Object(open=True, of="S"), optional=True),)
    ),
    # comments in every place, keys that are not known yet
    """# c
       { 'event': 'X', # c
         'newer': [ { 'than': true } ],
# c
         'data': { 'a': 'str' } } # c""": Object((A,)),
}


@pytest.mark.parametrize("schema", PAYLOADS)
def test_what_an_event_carries(schema: str, tmp_path: Path) -> None:
    assert without_places(read(tmp_path, schema)["X"].data) == PAYLOADS[schema]


def test_places_name_the_file_where_it_is_another(tmp_path: Path) -> None:
    rules = read(
        tmp_path,
        "{ 'include': 'types.json' }\n\n{ 'event': 'X',\n  'data': { 'b': 'S' } }\n",
        types="{ 'struct': 'S',\n  'data': { 'a': 'str' } }\n",
    )
    inner = Object((Member("a", String(), line=2, file="types.json"),))
    assert rules["X"] == EventRule(Object((Member("b", inner, line=4),)), line=3, file="root.json")


def test_an_event_s_marks(tmp_path: Path) -> None:
    rules = read(tmp_path, "{ 'event': 'X', 'if': 'P', 'features': ['deprecated'] }")
    assert rules["X"].marks == Marks("P", deprecated=True)


STOPS = [FollowUp(("STOP",), {"a": ("stop",)}, line=4)]


@pytest.mark.parametrize(
    ("comment", "follow_ups", "limit"),
    [
        (["# Note: If a is \"stop\", a STOP event will eventually follow the X1", "# event"], STOPS, None),
        (["# .. note:: If `a` is ``stop``, a `STOP` event will eventually", "#    follow the `X1` event."], STOPS, None),
        (["# .. note::", "#", "#    If @a is \"stop\", a STOP event will follow the X1 event."], [STOPS[0].__class__(("STOP",), {"a": ("stop",)}, line=6)], None),
        (["# Note: This event is rate-limited."], [], RateLimit(line=4)),
        (["# .. important:: This event is rate-limited."], [], RateLimit(line=4)),
        (["# .. admonition:: Notes", "#", "#    1. It is bright.", "#", "#    2. This event is rate-limited."], [], RateLimit(line=8)),
        (["# .. note:: This event is rate-limited, except if `a` is", "#    \"stop\"."], [], RateLimit(line=4, unless={"a": ("stop",)})),
        (["# Emitted now and then.  This event is rate-limited."], [], RateLimit(line=4)),
        (["# Note: If a is \"stop\", a STOP event will eventually follow the Y1 event."], [], None),
        (["# Note: A RESUME event will eventually follow the X1 event."], [], None),
        (["# Note: If b is \"stop\", a STOP event will eventually follow the X1 event."], [], None),
        (["# Example:", "#", "#  This event is rate-limited."], [], None),
    ],
)  # fmt: skip
def test_the_notes_of_an_event(
    comment: list[str], follow_ups: list[FollowUp], limit: RateLimit | None, tmp_path: Path
) -> None:
    lines = [
        "##",
        "# @X1:",
        "#",
        *comment,
        "#",
        "# Since: 1.0",
        "##",
        "{ 'event': 'X1', 'data': { 'a': 'str' } }",
        "{ 'event': 'STOP' }",
    ]
    rule = read(tmp_path, "\n".join(lines) + "\n")["X1"]
    assert (list(rule.follow_ups), rule.rate_limit) == (follow_ups, limit)


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        ("{ 'event': 'X'", 'root.json:1:15: the file ends, expected "," or "}"'),
        ("{ 'event' 'X' }", 'root.json:1:11: unexpected "\'X\'", expected ":"'),
        ("{ 'event': 'X', }", 'root.json:1:17: unexpected "}", expected a string in single quotes'),
        ("\n  x", 'root.json:2:3: unexpected "x", expected "{"'),
        ("{ 'event': 'X', 'event': 'Y' }", 'root.json:1:17: the key "event" is there already'),
        ("{ 'evnet': 'X' }", "root.json:1:1: expected a key that says what this is: include,"),
        ("{ 'event': 'X', 'data': { 'a': 'S' } }", 'root.json:1:32: no type is called "S"'),
        ("{ 'command': 'x', 'returns': ['S'] }", 'root.json:1:31: no type is called "S"'),
        ("{ 'event': 'X' }\n{ 'event': 'X' }", 'root.json:2:12: "X" is defined already, at root.json:1'),
        ("{ 'include': 'none.json' }", 'root.json:1:1: "none.json": No such file or directory'),
        ("{ 'include': 'root.json' }", 'root.json:1:14: "root.json" is being included already: a loop'),
        ("{ 'enum': 'E', 'data': ['p', 'p'] } { 'event': 'X', 'data': { 'a': 'E' } }", 'root.json:1:11: the values of "E"'),
        ("{ 'event': 'X', 'data': ['str'] }", 'root.json:1:12: the data of "X" is no object'),
        ("{ 'struct': 'B', 'data': { 'a': 'str' } } { 'struct': 'S', 'base': 'B', 'data': { 'a': 'str' } } { 'event': 'X', 'data': 'S' }", 'root.json:1:109: the data of "X" holds two members of one name in an object'),
        ("{ 'struct': 'S', 'base': 'S' } { 'event': 'X', 'data': 'S' }", 'root.json:1:26: an event reaches more than 20000 members and types, or 40 levels of them, through "S"'),
        ("{ 'include': 'a\0' }", 'root.json:1:1: "a\\x00": embedded null byte'),
        ("{ 'union': 'U', 'base': { 't': 'str' }, 'discriminator': 't', 'data': {} } { 'event': 'X', 'data': 'U' }", 'root.json:1:12: the discriminator of "U" is no enum member of its base'),
        ("{ 'event': 'X', 'data': " + "{ 'a': " * 30 + "'str'" + " }" * 31, "root.json:1:"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_schema_is_told_with_its_place(schema: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(qapi.SchemaError) as caught:
        read(tmp_path, schema)
    assert str(caught.value).startswith(error)


def test_a_schema_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(b"\n{ 'event': 'X\xff' }")
    with pytest.raises(qapi.SchemaError, match=r"root\.json:2:14: not UTF-8"):
        qapi.read(str(tmp_path / "root.json"))


@pytest.mark.parametrize(
    "level",
    [
        "{{ 'struct': 'S{0}', 'data': {{ 'a': 'S{1}', 'b': 'S{1}' }} }}\n",
        "{{ 'union': 'S{0}', 'data': {{ 'a': 'S{1}', 'b': 'S{1}' }} }}\n",
        "{{ 'alternate': 'S{0}', 'data': {{ 'a': 'S{1}', 'b': ['S{1}'] }} }}\n",
    ],
)
def test_a_schema_that_grows_without_end_is_refused(level: str, tmp_path: Path) -> None:
    levels = "".join(level.format(at, at + 1) for at in range(30))
    with pytest.raises(qapi.SchemaError, match="more than 20000 members and types"):
        read(tmp_path, levels + "{ 'struct': 'S30', 'data': {} }\n{ 'event': 'X', 'data': { 'm': 'S0' } }")


def releases() -> list[tuple[str, str]]:
    listing = SPECS / "qapi.json"
    shipped = json.loads(listing.read_text()) if listing.exists() else []
    return [(each["release"], each["root"]) for each in shipped]


@pytest.mark.parametrize(("release", "root"), releases())
def test_every_release_compiles_to_what_is_shipped(release: str, root: str) -> None:
    rules = qapi.read(str(SPECS / "qapi" / release / root))
    assert catalogue.find(release).rule_base == rules
    assert len(rules.events) >= 32
    assert {(event, each.then) for event, rule in rules.events.items() for each in rule.follow_ups} == {
        ("BLOCK_IO_ERROR", ("STOP",)),
        ("SHUTDOWN", ("STOP",)),
        ("WATCHDOG", ("RESET",)),
        ("WATCHDOG", ("SHUTDOWN",)),
        ("WATCHDOG", ("STOP",)),
    }
