"""A document's defects: each kind by a small document, and where it stands."""

import pytest
from msgspec.structs import replace

from qmpcheck.checking.lint import findings
from qmpcheck.codes import CODES, DOCUMENT_CODES
from qmpcheck.reports.fingerprint import of_finding
from qmpcheck.specs import documents

EXAMPLE = 'Example:\n{ "event": "X1", "timestamp": { "seconds": 1, "microseconds": 2 } }\n'
NONE = f"X1\n--\nData: None.\n{EXAMPLE}"
DATA = '"data": { "a": "%s" }'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NONE, []),
        (f"stray\n{NONE}", ["1 QMP901 "]),
        (f"{NONE}\nstray\nstray\n", ["7 QMP901 ", "8 QMP901 "]),
        (f"{NONE}Note: Lamps are bright.\nOr not.\n", ["6 QMP901 X1", "7 QMP901 X1"]),
        ("X1\n--\nData: some.\n", ["1 QMP916 X1", "3 QMP901 X1"]),
        ('X1\n--\n- "a": x (json-int, since 2.0)\n', ["3 QMP901 X1 data.a", "3 QMP901 X1 data.a"]),
        ('X1\n--\nData: None.\nExample:\n{ "event"\n  : "X1",,\n', ["6 QMP902 X1"]),
        ('X1\n--\nData: None.\nExample:\n{ "event": "X1" }\n', ["5 QMP903 X1 timestamp"]),
        (NONE.replace('"X1"', '"Y1"'), ["5 QMP904 X1"]),
        ('X1\n--\nData: None.\n- "a": x (json-int)\n', ["3 QMP905 X1"]),
        ("1 X1\n----\nData: None.\n1 Y1\n----\nData: None.\n", ["4 QMP906 Y1"]),
        ("X1\n---\nData: None.\n", ["2 QMP907 X1"]),
        ('X1\n--\n- "a": x\n', ["3 QMP908 X1 data.a"]),
        ('X1\n--\n- "a": one of the following:\n   "p": x\n', ["3 QMP908 X1 data.a"]),
        (f'{NONE}Note: If a is "p", a X1 event will follow the X1 event.\n', ["6 QMP909 X1 data.a"]),
        (f'{NONE}Note: this event is rate-limited separately for each "a".\n', ["6 QMP909 X1 data.a"]),
        (f'{NONE}Note: this event is rate-limited, except if a is "p".\n', ["6 QMP909 X1 data.a"]),
        (f"{NONE}Note: A X1 event will follow the Y1 event.\n", ["6 QMP910 X1"]),
        (f"{NONE}Note: A Y1 event will follow the X1 event.\n", ["6 QMP911 X1"]),
        (NONE + NONE, ["6 QMP912 X1"]),
        ('X1\n--\n- "a": x (json-int)\n- "a": y (json-int)\n', ["4 QMP913 X1 data.a"]),
        ('X1\n--\n- "a": x (json-foo)\n', ["3 QMP914 X1 data.a"]),
        (NONE.replace("Example:\n", ""), ["4 QMP915 X1"]),
        ("X1\n--\n", ["1 QMP916 X1"]),
        ('X1\n--\n- "a.b": x (json-int)\n', ['3 QMP901 X1 data["a.b"]']),
        ('X1\n--\n- "a": x (json-int of json-string)\n', ["3 QMP901 X1 data.a"]),
        ('X1\n--\n- "a": x (json-array of json-foo)\n', ["3 QMP914 X1 data.a"]),
        ('X1\n--\n- "a": x (json-int or json-number)\n', ["3 QMP914 X1 data.a"]),
        ('X1\n--\n- "a": x (json-int)\n  - "b": x (json-int)\n', ["4 QMP919 X1 data.b"]),
        ("X1\n--\nData:\n", ["1 QMP916 X1"]),
        (f"{NONE}\nY1_Z\n\nData: None.\n", ["7 QMP918 Y1_Z"]),
        (
            "X1\n--\nData: 'a' keys with the same keys as 'q'.\nData: 'a' keys with the same keys as 'q'.\n",
            [],
        ),
        ('X1\n--\n- "a": x (json-string)\n  "p": y\n', ["4 QMP901 X1 data.a"]),
        (
            'X1\n--\n- "a": x (json-string, "p")\nNote: If a is "q", a X1 event will follow the X1 event.\n',
            ["4 QMP917 X1"],
        ),
    ],
)
def test_defects(text: str, expected: list[str]) -> None:
    found = [
        f"{d.line} {d.code} {d.event} {d.shown_path}".rstrip(" ") for d in findings(documents.read(text))
    ]
    assert found == [line.rstrip(" ") for line in expected]


def test_a_defect_drops_nothing_else() -> None:
    text = f'stray\nX1\n---\n- "a": x (json-foo)\n- "b": x (json-int)\nExample:\n{{\n\n{NONE.replace("X1", "Y1")}'
    events = documents.read(text).rule_base.events
    assert list(events) == ["X1", "Y1"]
    assert [member.name for member in events["X1"].data.members] == ["a", "b"]


def test_names_from_a_document_are_safe_to_print() -> None:
    [defect] = findings(documents.read('X1\n--\n- "a\x1b[31m": x (json-f\u202eoo)\n'))[:1]
    assert "\x1b" not in defect.shown_path + defect.message
    assert "\u202e" not in defect.shown_path + defect.message


def example(data: str) -> str:
    return f'Example:\n{{ "event": "X1", {data}, "timestamp": {{ "seconds": 1, "microseconds": 2 }} }}\n'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"stray\nlost\n{NONE}", "QMP901"),
        (f"{NONE}Note: Lamps are bright.\nOr not.\n", "QMP901"),
        (f"X1\n--\nData: None.\n{EXAMPLE.replace('1', '1,,')}{EXAMPLE.replace(':', ';')}", "QMP902"),
        (f'X1\n--\n- "a": x (json-string, "p" or "q")\n{example(DATA % 1)}{example(DATA % 2)}', "QMP903"),
        (f"{NONE}{EXAMPLE}".replace('"X1"', '"Y1"', 1).replace('"X1"', '"Z1"', 1), "QMP904"),
        (
            f"{NONE}Note: A Y1 event will follow the X1 event.\nA Z1 event will follow the X1 event.\n",
            "QMP911",
        ),
        ('X1\n--\n- "a": x (json-foo)\n- "b": x (json-bar)\n', "QMP914"),
    ],
)
def test_a_baseline_tells_two_defects_of_one_kind_apart(text: str, code: str) -> None:
    """Whatever the messages say: these may be reworded, and a user's baseline must not go stale by that."""
    found = [replace(defect, message="") for defect in findings(documents.read(text)) if defect.code == code]
    assert len(found) == len(set(map(of_finding, found))) == 2


@pytest.mark.parametrize("code", sorted(DOCUMENT_CODES))
def test_a_baseline_does_not_depend_on_messages(code: str) -> None:
    try:
        defects = findings(documents.read(CODES[code].bad))
    except documents.NotADocument:
        return  # an example of a schema
    assert all(of_finding(defect) == of_finding(replace(defect, message="")) for defect in defects)
