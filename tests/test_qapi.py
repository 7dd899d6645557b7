"""QAPI schemas: the language, what events reach, and what is wrong with a bad one."""

import fnmatch
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from effort import some
from specs import SPECS

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
from qmpcheck.specs import catalogue, qapi


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
    # a struct inside another, and a base without a discriminator, from when structs were called types
    """{ 'type': 'B', 'data': { 'b': 'int8' } } { 'union': 'U', 'base': 'B', 'data': { 'p': 'str' } }
       { 'event': 'X', 'data': { 'a': { '*s': 'str' } } }""": Object(
        (Member("a", Object((Member("s", String(), optional=True),))),)
    ),
    # an alternate that JSON tells apart, though the command line does not
    "{ 'alternate': 'A', 'data': { 's': 'str', 'b': 'bool' } } { 'event': 'X', 'data': { 'a': 'A' } }": Object(
        (Member("a", Alternate((String(), Boolean()))),)
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
    # comments in every place
    """# c
       { 'event': 'X', # c
         'features': [ { 'name': 'new' } ],
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
        ("{ 'event': 'X', 'event': 'Y' }", 'root.json:1:17: the key "event" exists already'),
        ("{ 'evnet': 'X' }", "root.json:1:1: expected a definition with one of the keys include,"),
        ("{ 'event': 'X', 'data': { 'a': 'S' } }", 'root.json:1:32: event "X", "a": no type is called "S"'),
        ("{ 'command': 'x', 'returns': ['S'] }", 'root.json:1:31: command "x": no type is called "S"'),
        ("{ 'event': 'X' }\n{ 'event': 'X' }", 'root.json:2:12: event "X": "X" is defined already, at root.json:1'),
        ("{ 'include': 'none.json' }", 'root.json:1:1: "none.json": No such file or directory'),
        ("{ 'include': 'root.json' }", 'root.json:1:14: "root.json" includes itself'),
        ("{ 'event': 'X', 'data': ['str'] }", 'root.json:1:25: event "X": data: expected the name of a type'),
        ("{ 'include': 'a\0' }", 'root.json:1:1: "a\\x00": embedded null byte'),
        ("{ 'event': 'X', 'data': " + "{ 'a': " * 30 + "'str'" + " }" * 31, "root.json:1:"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_schema_is_told_with_its_place(schema: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(qapi.SchemaError) as caught:
        read(tmp_path, schema)
    assert str(caught.value).startswith(error)


ENUM = "{ 'enum': 'E', 'data': ['p', 'q'] } "
STRUCT = "{ 'struct': 'S', 'data': { 'a': 'str' } } "
UNION = ENUM + STRUCT + "{ 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': { 'p': 'S' } } "


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        # keys
        ("{ 'event': 'X', 'dat': {} }", '1:17: event "X": unknown key "dat"'),
        ("{ 'enum': 'E' }", '1:1: enum "E": the key "data" is missing'),
        ("{ 'enum': 'E', 'struct': 'S', 'data': {} }", '1:16: enum "E": unknown key "struct"'),
        ("{ 'include': 'x', 'data': {} }", '1:19: unknown key "data" next to include'),
        ("{ 'event': 'X', 'data': { 'a': { 'type': 'str', 'default': 1 } } }", "1:"),
        ("{ 'event': 'X', 'data': { 'a': { 'typ': 'str' } } }", '1:34: event "X", "a": unknown key "typ"'),
        ("{ 'event': 'X', 'boxed': true, 'data': {} }", '1:40: event "X": data: expected the name of a type'),
        ("{ 'event': 'X', 'boxed': false }", '1:12: event "X": boxed must be true'),
        # names
        ("{ 'struct': '*S', 'data': {} }", '1:13: struct "*S": "*S" is not a valid name'),
        ("{ 'struct': 'str', 'data': {} }", '1:13: struct "str": "str" is already the name of a built-in type'),
        ("{ 'event': 'X', 'data': { 'a b': 'str' } }", '1:27: event "X", "a b": "a b" is not a valid name'),
        ("{ 'event': 'X', 'data': { 'a-b': 'str', '*a_b': 'str' } }", '1:41: event "X": the member "*a_b" exists already, as "a-b"'),
        ("{ 'enum': 'E', 'data': ['p', { 'name': 'p' }] }", '1:40: enum "E": the value "p" exists already'),
        ("{ 'enum': 'E', 'data': 'p' }", '1:24: enum "E": data: expected a list of values'),
        ("{ 'enum': 'E', 'data': [['p']] }", '1:24: enum "E": expected a name'),
        ("{ 'event': 'X', 'features': ['f', 'f'] }", '1:35: event "X": the feature "f" exists already'),
        ("{ 'event': 'X', 'features': { 'f': true } }", '1:1: event "X": features: expected a list'),
        # conditions
        ("{ 'event': 'X', 'if': '' }", '1:1: event "X": a condition must be the name of an option'),
        ("{ 'event': 'X', 'if': [] }", '1:23: event "X": an empty condition'),
        ("{ 'event': 'X', 'if': { 'xor': ['A'] } }", '1:23: event "X": a condition must have one of the keys all, any and not'),
        ("{ 'event': 'X', 'if': { 'all': 'A' } }", '1:25: event "X": expected a list of conditions for all and any'),
        # types
        ("{ 'event': 'X', 'data': { 'a': ['str', 'int'] } }", '1:32: event "X", "a": expected a list with one type'),
        ("{ 'event': 'X', 'data': { 'a': true } }", '1:27: event "X", "a": expected the name of a type'),
        ("{ 'event': 'X', 'data': 'E' } " + ENUM, '1:25: event "X": data is not a struct'),
        (UNION + "{ 'event': 'X', 'data': 'U' }", "1:"),
        # bases
        (UNION + "\n{ 'struct': 'C', 'base': 'U', 'data': {} }", '2:26: struct "C": the base is not a struct'),
        ("{ 'struct': 'S', 'base': { 'a': 'str' }, 'data': {} }", '1:26: struct "S": expected the name of a type'),
        ("{ 'struct': 'S', 'base': 'S', 'data': {} }", '1:26: struct "S": "S" is its own base'),
        ("{ 'struct': 'A', 'base': 'B', 'data': {} } { 'struct': 'B', 'base': 'A', 'data': {} }", '1:26: struct "A": "A" is its own base'),
        (ENUM + "\n{ 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': { 'p': 'A' } } { 'struct': 'A', 'base': 'A', 'data': {} }", "2:"),
        (STRUCT + "\n{ 'struct': 'C', 'base': 'S', 'data': { '*a': 'int' } }", '2:13: struct "C": "C" has two members called "a"'),
        # unions
        (ENUM + "\n{ 'union': 'U', 'base': { 't': 'str' }, 'discriminator': 't', 'data': {} }", '2:58: union "U": the discriminator'),
        (ENUM + "\n{ 'union': 'U', 'base': { '*t': 'E' }, 'discriminator': 't', 'data': {} }", '2:57: union "U": the discriminator'),
        (ENUM + "\n{ 'union': 'U', 'base': { '*t': 'E' }, 'discriminator': '*t', 'data': {} }", '2:57: union "U": a discriminator must be a mandatory member'),
        (ENUM + "\n{ 'union': 'U', 'base': { 't': { 'type': 'E', 'if': 'C' } }, 'discriminator': 't', 'data': {} }", "2:79: "),
        (ENUM + "\n{ 'union': 'U', 'discriminator': 't', 'data': {} }", '2:34: union "U": the discriminator'),
        (ENUM + "\n{ 'union': 'U', 'base': { 't': 'E' }, 'data': {} }", '2:1: union "U": a union with a base must have the key "discriminator"'),
        (UNION.replace("'p': 'S'", "'r': 'S'"), "1:"),
        (ENUM + "\n{ 'union': 'U', 'base': { 't': 'E' }, 'discriminator': 't', 'data': { 'p': 'int' } }", '2:71: union "U", "p": a branch must be a struct or a union'),
        (ENUM + STRUCT + "\n{ 'union': 'U', 'base': { 't': 'E', 'a': 'int' }, 'discriminator': 't', 'data': { 'p': 'S' } }", '2:83: union "U", "p": "U" has two members called "a"'),
        (ENUM + STRUCT + "{ 'union': 'I', 'base': { 's': 'E' }, 'discriminator': 's', 'data': { 'p': 'S' } }\n"
         "{ 'union': 'U', 'base': { 't': 'E', 'a': 'int' }, 'discriminator': 't', 'data': { 'q': 'I' } }", '2:83: union "U", "q": "U" has two members called "a"'),
        # alternates
        ("{ 'alternate': 'A', 'data': {} }", '1:16: alternate "A": an alternate without types'),
        (ENUM + "\n{ 'alternate': 'A', 'data': { 'e': 'E', 's': 'str' } }", '2:41: alternate "A", "s": "s" and "e" cannot be distinguished in JSON'),
        ("{ 'alternate': 'A', 'data': { 'i': 'int', 'n': 'number' } }", '1:43: alternate "A", "n": "n" and "i" cannot be distinguished in JSON'),
        ("{ 'alternate': 'A', 'data': { 'i': 'any' } }", '1:31: alternate "A", "i": an alternate cannot have this type'),
        ("{ 'alternate': 'A', 'data': { 'i': 'int' } } { 'alternate': 'B', 'data': { 'a': 'A' } }", "1:"),
    ],
)  # fmt: skip
def test_what_qemu_refuses_is_refused_though_no_event_reaches_it(
    schema: str, error: str, tmp_path: Path
) -> None:
    with pytest.raises(qapi.SchemaError) as caught:
        read(tmp_path, schema)
    assert str(caught.value).startswith(f"root.json:{error}")


def test_a_schema_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(b"\n{ 'event': 'X\xff' }")
    with pytest.raises(qapi.SchemaError, match=r"root\.json:2:14: not UTF-8"):
        qapi.read(str(tmp_path / "root.json"))


@pytest.mark.parametrize(
    "level",
    [
        "{{ 'struct': 'S{0}', 'data': {{ 'a': 'S{1}', 'b': 'S{1}' }} }}\n",
        "{{ 'union': 'S{0}', 'data': {{ 'a': 'S{1}', 'b': 'S{1}' }} }}\n",
        "{{ 'struct': 'S{0}', 'data': {{ 's': 'A{0}' }} }}\n{{ 'alternate': 'A{0}', 'data': {{ 'a': 'S{1}', 'b': ['S{1}'] }} }}\n",
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


@pytest.mark.parametrize(("release", "root"), some(releases()))  # `rules/make.py --check` has all
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


QEMU_TESTS = Path(os.environ.get("QEMU_SOURCE", "no-such-folder")) / "tests" / "qapi-schema"
needs_qemu = pytest.mark.skipif(not QEMU_TESTS.is_dir(), reason="QEMU_SOURCE names no source tree of QEMU")

REFUSED = """
    alternate-any alternate-base alternate-branch-if-invalid alternate-conflict-dict alternate-conflict-lists
    alternate-empty alternate-invalid-dict alternate-nested alternate-unknown args-alternate args-array-empty
    args-array-unknown args-bad-boxed args-boxed-anon args-invalid args-member-array-bad args-member-unknown
    args-name-clash args-union args-unknown bad-base bad-data bad-ident bad-if-* bad-type-* base-cycle-* double-type
    duplicate-key enum-bad-member enum-bad-name enum-clash-member enum-dict-* enum-if-invalid enum-int-member
    enum-missing-data enum-wrong-data event-boxed-empty event-member-invalid-dict event-nest-struct
    features-duplicate-name features-if-invalid features-missing-name features-name-bad-type features-no-list
    features-unknown-key flat-union-array-branch flat-union-bad-* flat-union-base-* flat-union-clash-member
    flat-union-discriminator-bad-name flat-union-inline* flat-union-int-branch flat-union-invalid-* flat-union-no-base
    flat-union-optional-discriminator flat-union-string-discriminator include-cycle include-extra-junk include-no-file
    include-non-file include-self-cycle nested-struct-data* redefined-* struct-base-clash* struct-data-invalid
    struct-member-if-invalid struct-member-invalid* union-array-branch union-bad-* union-base-* union-branch-if-invalid
    union-branch-invalid-dict union-clash-member union-discriminator-bad-name union-inline* union-int-branch
    union-invalid-* union-no-base union-optional-discriminator union-string-discriminator union-unknown
    unknown-expr-key leading-comma-* trailing-comma-* missing-* unclosed-* non-objects indented-expr
""".split()  # noqa: SIM905 -- as many lines again in quotes
"""The schemas of QEMU's tests that are wrong in what an event could carry, by the names of their files. A list of
conditions (`bad-if`) was right up to 6.0."""


def qemu_tests(legal: bool) -> list[Path]:
    roots = [path for path in sorted(QEMU_TESTS.glob("*.json")) if path.with_suffix(".err").exists()]
    return [path for path in roots if (path.with_suffix(".err").stat().st_size == 0) == legal]


@needs_qemu
def test_the_legal_schemas_of_qemu_are_read() -> None:
    """Also those that have no event."""
    for path in qemu_tests(legal=True):
        qapi.read(str(path))


@needs_qemu
def test_the_illegal_schemas_of_qemu_that_would_change_rules_are_refused() -> None:
    accepted = []
    for path in qemu_tests(legal=False):
        if any(fnmatch.fnmatch(path.stem, pattern) for pattern in REFUSED):
            try:
                qapi.read(str(path))
            except qapi.SchemaError:
                continue
            accepted.append(path.name)
    assert accepted == []
