"""What a member's text says of its type."""

import pytest

from qmpcheck.rulebase import (
    Alternate,
    Any,
    Array,
    Boolean,
    Enum,
    Integer,
    Member,
    Null,
    Number,
    Object,
    String,
    Type,
)
from qmpcheck.specs import documents

LINE = 3


def members(text: str) -> tuple[Member, ...]:
    return documents.read(f"X1\n--\n{text}").rule_base.events["X1"].data.members


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ('- "a": x (json-string)', String()),
        ("- 'a': x (json-string)", String()),
        (' -  "a" : x (json-int).', Integer()),
        ('- "a": x (json-number)', Number()),
        ('- "a": x (json-bool)', Boolean()),
        ('- "a": x (json-array)', Array(Any())),
        ('- "a": x (json-object)', Object(open=True)),
        ('- "a": x\n  over\nthree lines (json-int)', Integer()),
        ('- "a": x (if any) or y ("") (json-string)', String()),
        # Closed sets.
        ('- "a": x (json-string, "p" or "q")', Enum(("p", "q"))),
        ('- "a": x (json-string, "p", "q", or "r")', Enum(("p", "q", "r"))),
        ('- "a": x (json-string, currently always "p").', Enum(("p",))),
        ('- "a": one of the following (json-string):\n  "p": x\n  "q": y\n', Enum(("p", "q"))),
        ('- "a": one of the following:\n  "p": x,\n     going on\n  "q": y\n', Enum(("p", "q"))),
        ('- "a": one of the following (json-string):\n  "p", "q",\n  or "r"', Enum(("p", "q", "r"))),
        ('- "a": one of the following: "p" or "q". Not "r" (json-string)', Enum(("p", "q"))),
        ("- 'a': x (json-string, 'p' or 'q')", Enum(("p", "q"))),
        ("- 'a': one of the following values:\n  'p': x\n  'q': y\n", Enum(("p", "q"))),
        ("- 'a': One of these (json-string): 'p', \"q\"", Enum(("p", "q"))),
        # A list that is not understood closes nothing.
        ('- "a": x (json-string, default "p")', String()),
        ("- \"a\": the device's and the guest's (json-string)", String()),
        # Known values close nothing, and quoted words in prose are no values.
        ('- "a": x ("p" for this, json-string)', String(("p",))),
        ('- "a": x (json-string; "p" for this\n   "q" for that)', String(("p", "q"))),
        ('- "a": "p" is the usual one (json-string)', String()),
        # No type, or one that is described elsewhere.
        ('- "a": x', Any()),
        ('- "a": x (json-foo)', Any()),
        ('- "a": x (json-int or json-string)', Alternate((Integer(), String()))),
        ('- "a": LampInfo type described in lamps.json', Any("LampInfo")),
        ('- "a": state\n   See LampState in ~/lamps.json for possible values', Any("LampState")),
        # Lists in other forms; each has the form of its first item.
        ('- "a": one of the following (json-string):\n    - "p": x\n    - "q": y\n', Enum(("p", "q"))),
        ('- "a": one of the following (json-string):\n    * p = x\n    * q = y\n', Enum(("p", "q"))),
        ('- "a": one of the following (json-string):\n    "p" - x\n    "q" - y\n', Enum(("p", "q"))),
        (
            '- "a": one of the following (json-string):\n    p: x\n      going on\n    q: y\n',
            Enum(("p", "q")),
        ),
        ('- "a": it\'s one of\n  the following (json-string):\n    "p": x\n\t"q": y\n', Enum(("p", "q"))),
        ('- "a": one of: "p", "q" (json-string)', Enum(("p", "q"))),
        ('- "a": either "p" or "q" (json-string)', Enum(("p", "q"))),
        ('- "a": possible values are "p" and "q" (json-string)', Enum(("p", "q"))),
        ('- "a": x (json-string, one of "p", "q")', Enum(("p", "q"))),
        # Types in other places, and of other names.
        ('- "a" (json-int): x', Integer()),
        ('- "a": (json-int) x', Integer()),
        ('- "a": json-int, x', Integer()),
        ('* "a": x (json-int)', Integer()),
        ("- `a`: x (json-int)", Integer()),
        ("- @a: x (json-int)", Integer()),
        ('- "a": x (json-boolean)', Boolean()),
        ('- "a": x (json-array of json-string)', Array(String())),
        ('- "a": x (json-string or json-null)', Alternate((String(), Null()))),
        # What is hedged closes nothing.
        ('- "a": for example one of the following: "p", "q" (json-string)', String(("p", "q"))),
        ('- "a": x (json-string), such as one of:\n  "p": x\n  "q": y\n', String(("p", "q"))),
        # Broken notes.
        ('- "a": x (json-string, "p) y ( z', String()),
        ('- "a": ((((', Any()),
    ],
)
def test_types(text: str, type: Type) -> None:
    assert members(text) == (Member("a", type, line=LINE),)


def test_optional_wherever_the_note_stands() -> None:
    assert members('- "a": x (json-int) (optional)')[0].optional
    texts = ["(json-int, optional)", "(optional, json-int)", "(json-int,\n optional) more words"]
    assert [members(f'- "a": x {text}')[0].optional for text in texts] == [True, True, True]


@pytest.mark.parametrize(
    ("text", "optional"),
    [
        ('- "*a": x (json-int)', True),
        ("- *a: x (json-int)", True),
        ('- "a" (json-int, optional): x', True),
        ('- "a": x, optional (json-int)', True),
        ('- "a": x (json-int). Optional.', True),
        ('- "a": x (json-int) [optional]', True),
        ('- "a": x (json-int). This member is optional.', True),
        ('- "a": x (json-int, optional (since 2.0))', True),
        ('- "a": x, only present if it is known (json-int)', True),
        ('- "a": x (json-int). May be absent.', True),
        ('- "a": x (json-int). Omitted if it is not known.', True),
        ('- "a": x (json-int). Always present.', False),
        ('- "a": x (json-int). Never omitted.', False),
        ('- "a": whether the tray is present (json-int)', False),
    ],
)
def test_what_says_that_a_member_is_optional(text: str, optional: bool) -> None:
    document = documents.read(f"X1\n--\n{text}")
    assert document.rule_base.events["X1"].data.members == (Member("a", Integer(), optional, LINE),)
    assert [defect for defect in document.defects if defect.code == "QMP901"] == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('- "a": optional x (json-int)', 3),
        ('- "a": x (json-int). Not always there.', 3),
        ('- "a": x, if present (json-int)', 3),
        ('- "a": x (json-int). Only if it is known.', 3),
        ('- "a": one of the following (json-string):\n    "p": x\n    "q" y\n', 5),
        ('- "a": one of the following (json-string):\n    "p": x\n    q: y\n', 5),
        ('- "a": one of the following (json-string):\n    "p": x\n    - "q": y\n', 5),
        ('- "a": one of the following (json-string):\n    "p" x\n    "q" y\n', 5),
        ('- "a": one of the following (json-int):\n    0: x\n', 4),
        ('- "a": one of the following (json-string)\n', 3),
        ('- "a": one of "p", "q", or others (json-string)', 3),
        ('- "a": one of "p", "q", ... (json-string)', 3),
        ('- "a": one of p, q (json-string)', 3),
        ('- "a": can be "p" or "q" (json-string)', 3),
        ('- "a": "p" or "q" (json-string)', 3),
        ('- "a": "p" | "q" (json-string)', 3),
        ('- "a": one of "p" for this, "q" for that (json-string)', 3),
        ('- "a": x (json-int)\n+ "b": y', 4),
        ('- "a": x (json-string, p or q)', 3),
        ('- "a": x (json-int, 0 or 1)', 3),
        ('- "a": x (json-int)\n- "b" y (json-int)', 4),
        ('- "a": x (json-int)\n"b": y (json-int)', 4),
        ('- "a": x (json-int)\n- b": y (json-int)', 4),
        ('- "a": x (json-int)\n  b: y (json-int)', 4),
        ('- "a": x (json-int), or a json-string', 3),
        ('- "a": x, if available (json-int)', 3),
        ('- "a": sometimes present (json-int)', 3),
        ('- "a": x (json-int). May not be present.', 3),
        ('- "a": x (json-int). Exists only for some.', 3),
        ('- "a": x (json-string, "p" (at first) or "q")', 3),
        ('- "a": x, always "p" (json-string)', 3),
        ('- "a": between 0 and 5 (json-int)', 3),
        ('- "a": x (json-int)\n- "b": y, sent no more than once a second (json-int)', 4),
    ],
)
def test_what_may_be_a_rule_and_is_not_understood_is_reported(text: str, line: int) -> None:
    document = documents.read(f"X1\n--\n{text}")
    assert line in [defect.line for defect in document.defects if defect.code == "QMP901"]
    assert document.rule_base.not_understood == len(document.rule_base.events["X1"].not_understood) > 0


def test_several_members_of_one_text() -> None:
    assert members('- "a", "b": x (json-int)') == (
        Member("a", Integer(), line=LINE),
        Member("b", Integer(), line=LINE),
    )


def test_members_below_a_list_are_those_of_its_items() -> None:
    text = '- "a": x (json-array)\n  - "b": x (json-int)\n- "c": x (json-int)\n'
    items = Array(Object((Member("b", Integer(), line=4),)))
    assert members(text) == (Member("a", items, line=3), Member("c", Integer(), line=5))


def test_members_nest_by_indentation() -> None:
    text = """
- "outer": x (json-object)
  - "inner": x (json-object)
     - "core": x (json-int)
  - "other": x (json-int)
- "last": x (json-int)
"""
    inner = Object((Member("core", Integer(), line=6),))
    outer = Object((Member("inner", inner, line=5), Member("other", Integer(), line=7)))
    assert members(text) == (Member("outer", outer, line=4), Member("last", Integer(), line=8))


def test_only_objects_hold_members() -> None:
    assert [member.name for member in members('- "a": x (json-int)\n  - "b": x (json-int)\n')] == ["a", "b"]


def test_the_example_settles_what_lost_indentation_leaves_open() -> None:
    text = """
- "server": x (json-object)
- "host": x (json-string)
- "client": x (json-object)
- "host": x (json-string)
- "name": x (json-string, optional)
- "count": x (json-int)

{ "event": "X1", "data": { "server": { "host": "a" }, "client": { "host": "b" }, "count": 1 } }
"""
    server, client, count = members(text)
    assert server.type == Object((Member("host", String(), line=5),))
    assert client.type == Object((Member("host", String(), line=7), Member("name", String(), True, 8)))
    assert count == Member("count", Integer(), line=9)


def test_a_line_for_the_whole_of_data() -> None:
    data = (
        documents.read("X1\n--\n - data: LampInfo type as described in lamps.json\n")
        .rule_base.events["X1"]
        .data
    )
    assert data == Object(open=True, of="LampInfo")


def test_keys_of_a_query_stand_for_members() -> None:
    keys = Object(open=True, of="query-lamp")
    text = "Data: 'p' and 'q' keys with the same keys as 'query-lamp',\nexcept that one is not there."
    assert members(text) == (Member("p", keys, line=LINE), Member("q", keys, line=LINE))
