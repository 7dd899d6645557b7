"""JSON text to values, and the place where it breaks."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.streams import jsontext
from qmpcheck.streams.jsontext import Malformed, parse


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (b"", 1),
        (b"  ", 3),
        (b"{", 2),
        (b'{"a" 1}', 6),
        (b'{"a": 1,}', 9),
        (b"[1 2]", 4),
        (b"[1]]", 4),
        (b"nul", 1),
        (b'{"a": NaN}', 7),
        (b"[1, Infinity]", 5),
        (b"01", 2),
        (b"1.", 2),
        (b"+1", 1),
        (b'"a\tb"', 3),
        (b'"\\x"', 2),
        (b'"open', 1),
        (b"{'a': 1}", 2),
        ("\ufeff1".encode(), 1),
        ('"ä" x'.encode(), 5),
        (b'"a\xff"', 3),
        ('"ä'.encode() + b"\xff", 3),
        (b"[" * 100_000, 100_001),
    ],
)
def test_the_column_of_what_is_wrong(text: bytes, column: int) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.column == column


def test_numbers_of_any_size() -> None:
    assert parse(b"123456789012345678901234567890") == 123456789012345678901234567890
    assert parse(b"-" + b"9" * 100_000) == Decimal("-" + "9" * 100_000)
    assert parse(b"1e400") == float("inf")
    assert isinstance(parse(b"1.0"), float)


def test_any_depth_of_nesting() -> None:
    value = parse(b"[" * 100_000 + b"]" * 100_000)
    for _ in range(jsontext.DEEPEST - 1):
        [value] = value
    assert value == []


def test_a_lone_surrogate_and_a_key_given_twice_are_json() -> None:
    assert parse(b'{"a": "\\ud800", "a": 1}') == {"a": 1}
    assert parse(b'"\\ud800"') == "\ud800"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_the_scanner_reads_what_the_standard_library_reads(value: object, spaced: bool) -> None:
    text = json.dumps(value, indent=1 if spaced else None)
    assert jsontext._scan(text) == json.loads(text)


@given(values, st.integers(0, 60), st.sampled_from(["", *'{}[],:"1e.- \\\x00']))
def test_the_scanner_refuses_what_the_standard_library_refuses(value: object, at: int, put: str) -> None:
    text = json.dumps(value)
    text = text[:at] + put + text[at + 1 :]
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(Malformed):
            jsontext._scan(text)
    else:
        assert jsontext._scan(text) == expected
