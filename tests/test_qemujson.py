"""JSON as QEMU reads it: what it takes, and what it answers to what it does not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.replaying import qemujson
from qmpcheck.replaying.qemujson import BadInput, QemuJsonReader


def read(*chunks: bytes) -> list[Any]:
    reader = QemuJsonReader()
    values = [value for chunk in chunks for value in reader.feed(chunk)]
    return [str(value) if isinstance(value, BadInput) else value for value in values]


@pytest.mark.parametrize(("text", "values"), [
    (b'{"a": [1, -2.5e1, true, null, "x"]}',   [{"a": [1, -25.0, True, None, "x"]}]),
    (b"{'a': 'it\\'s \"so\"'}",                [{"a": 'it\'s "so"'}]),
    (b'{}{}\n\n{}',                            [{}, {}, {}]),
    (b'{"a":\n1\n}',                           [{"a": 1}]),
    (b'{"\\u00e9\\ud83d\\ude00": "\xc3\xa9"}', [{"é😀": "é"}]),
    (b'1 ',                                    [1]),
    (b'{"a": 18446744073709551616}',           [{"a": 1.8446744073709552e19}]),
    (b'{"a" 1}',                ["JSON parse error, missing : in object pair"]),
    (b'{"a": 1,}',              ["JSON parse error, expecting value"]),
    (b'{"a": 1 "b": 2}',        ["JSON parse error, expected separator in dict"]),
    (b'{"a": 1, "a": 2}',       ["JSON parse error, duplicate key"]),
    (b'{1: 2}',                 ["JSON parse error, key is not a string in object"]),
    (b'[1 2]',                  ["JSON parse error, expected separator in list"]),
    (b'{"a": tru}',             ["JSON parse error, invalid keyword 'tru'"]),
    (b'{"a": "\\x"}',           ["JSON parse error, invalid escape sequence in string"]),
    (b'{"a": "\\ud800"}',       ["JSON parse error, \\ud800 is not a valid Unicode character"]),
    (b'{"a": "\xc3"}',          ["JSON parse error, invalid UTF-8 sequence in string"]),
    (b'{"a": 01}{}',            ["JSON parse error, stray '01'", "JSON parse error, expecting value", {}]),
    (b'abc def{}',              ["JSON parse error, invalid keyword 'abc'", "JSON parse error, invalid keyword 'def'", {}]),
    (b'"abc\n1 2\n{}',          ["JSON parse error, stray '\"abc\n'", {}]),
    (b'\xff{}',                 ["JSON parse error, stray '�'", {}]),
])  # fmt: skip
def test_values_and_errors_come_in_their_order(text: bytes, values: list[Any]) -> None:
    assert read(text) == values


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", max_codepoint=0xFDCF)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES, st.booleans())
def test_what_json_is_for_python_it_is_for_qemu(value: Any, is_ascii: bool) -> None:
    assert read(json.dumps(value, ensure_ascii=is_ascii).encode() + b"\n") == [value]


@given(VALUES)
def test_what_is_written_is_ascii_and_says_the_same(value: Any) -> None:
    text = qemujson.text(value)
    assert text.isascii()
    assert json.loads(text) == value


def test_escapes_are_those_of_qemu() -> None:
    assert qemujson.text({"é": "😀\x7f\x00\n/", "f": [0.1, 1e3]}) == (
        '{"\\u00E9": "\\uD83D\\uDE00\\u007F\\u0000\\n/", "f": [0.10000000000000001, 1000]}'
    )


@given(st.lists(st.sampled_from([b'{"a":', b"1", b"}", b'"', b"\\", b"'", b"[", b"]", b",", b"\n", b"x", b"-0.5e1", b"\xff", b"\x00"])))  # fmt: skip
def test_how_input_is_cut_makes_no_difference(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert read(whole) == read(*(whole[at : at + 1] for at in range(len(whole))))


@given(st.binary())
def test_after_any_input_a_client_can_go_on(garbage: bytes) -> None:
    """A line end ends what cannot be right, and three closing brackets at most what is still open."""
    reader = QemuJsonReader()
    list(reader.feed(garbage))
    closing = b"\n" + b"]}" * garbage.count(b"[") + b"}]" * garbage.count(b"{") + b"\n"
    list(reader.feed(closing))
    assert list(reader.feed(b'{"execute": "stop"}'))[-1:] == [{"execute": "stop"}]


@pytest.mark.parametrize(
    ("endless", "reason"),
    [
        (b'"' + b"x" * 1000, "JSON token size limit exceeded"),
        (b"[1" + b",1" * 1000, "JSON token count limit exceeded"),
        (b"[" * 1000, "JSON nesting depth limit exceeded"),
        (b'["' + b"x" * 100_000 + b'"', "JSON token size limit exceeded"),
    ],
)
def test_endless_input_is_an_error_and_not_kept(endless: bytes, reason: str) -> None:
    reader = QemuJsonReader()
    begin, rest = endless, endless[2:]
    found = [str(value) for value in reader.feed(begin)]
    for _ in range(2000):
        found += [str(value) for value in reader.feed(b"," + rest if endless.startswith(b'["') else rest)]
        if found:
            break
    assert found[0] == reason
