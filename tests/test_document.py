"""The structure of a document: what each line is."""

import pytest

from qmpcheck.specs import documents

DOCUMENT = """\
             Lamp Events
             ===========

LAMP_SWITCHED
-------------

Somebody moved the switch.

Data:

- "state": where it stands now, it's one of the following:
    "on": bright
    "off": dark
- "by": who moved it
        (json-string, optional)

Example:

{ "event": "LAMP_SWITCHED",
  "data": { "state": "on" },
  "timestamp": { "seconds": 1, "microseconds": 2 } }

Note: this event is rate-limited.
"""

KINDS = """\
title title blank
heading underline blank
prose blank
data blank
member value value member type_note blank
label blank
example example example blank
note
"""


def kinds(text: str) -> list[str]:
    return [line.kind.replace(" ", "_") for line in documents.read(text).lines]


def test_every_line_has_its_kind() -> None:
    assert kinds(DOCUMENT) == KINDS.split()


def test_lines_keep_their_numbers_and_texts() -> None:
    lines = documents.read(DOCUMENT).lines
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert [line.text for line in lines] == DOCUMENT.splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X1\n--\nData: None.\n", "heading underline data"),
        ("1 X1\n----\nDescription: a\nData: None.\n", "heading underline prose data"),
        ("X1, Y1\n------\nData: None.\n", "heading underline data"),
        ("stray\nX1\n--\n", "unknown heading underline"),
        ("X1\n--\nprose\n\nmore prose\nData:\n", "heading underline prose blank prose data"),
        ("X1\n--\nData: None.\n\nstray\nstray\n", "heading underline data blank unknown unknown"),
        ("X1\n--\nData: None.\nExample:\nstray\n", "heading underline data label unknown"),
        ('X1\n--\nRead one:\n{ "event": "X1" }\n', "heading underline label example"),
        ("X1\n--\nData: something else\n", "heading underline unknown"),
        ("X1\n--\nNote: this and that.\n", "heading underline unknown"),
        ("X1\n--\nData: None.\nY1\n--\nData: None.\n", "heading underline data heading underline data"),
        ('X1\n--\n- "a": first\nat column 0 (json-int)\n', "heading underline member type_note"),
        ("x1\n--\nX1\n--\n", "unknown unknown heading underline"),
        ("X1\n--\nprose\n\nx_2\n---\n", "heading underline prose blank prose unknown"),
        ("X1\n--\nprose\n- 'a' x (json-int)\n", "heading underline prose unknown"),
        ("X1 (since 2.0)\n--------------\nData: none\n", "heading underline data"),
        ("__org.example_X1\n----------------\nData: None.\n", "heading underline data"),
        ("1. X1\n-----\nNOTES: this event is rate-limited.\n", "heading underline note"),
        ("X1\n--\n* 'a' (json-int): x\n", "heading underline member"),
    ],
)
def test_lines_in_unusual_places(text: str, expected: str) -> None:
    assert kinds(text) == expected.split()


@pytest.mark.parametrize(
    "text", ["", "\n", "no heading here", "STOP\n", "\x00\xff" * 10, "{}", "----\n----\n"]
)
def test_a_text_without_events_is_no_document(text: str) -> None:
    with pytest.raises(documents.NotADocument):
        documents.read(text)
