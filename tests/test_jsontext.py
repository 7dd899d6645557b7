"""JSON text to values, and the place where it breaks."""

import json
import time
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
        (b"[1, ]", 5),
        (b"[" * 100_000, 1025),
        (b'{"a[": ' * 100_000, 1024 * 7 + 1),
        (b"[" * 1025 + b"]" * 1025, 1025),
        (b"[[]," * 1024 + b"[]" + b"]" * 1024, 1023 * 4 + 2),
        (b"[1 2" + b"[" * 100_000, 4),
        (b'["NaN", "\\"", -Infinity]', 15),
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the text ends: expected a value"),
        (b'{"a": 1', "the text ends: expected ',' or a closing bracket"),
        (b'{"a": 1,}', "expected a key in double quotes"),
        (b"[1,]", "expected a value"),
        (b'{"a" 1}', "expected ':'"),
        (b"1 2", "expected nothing more"),
        (b'"open', "a string without an end"),
        (b'"\t"', "a raw control character in a string"),
        (b'"\\x"', "a bad escape in a string"),
        (b'"\\u12"', "a bad escape in a string"),
        (b"NaN", "expected a value"),
        (b"\xff", "byte 0xff is not UTF-8"),
        (b"[" * 1025 + b"]" * 1025, "nested deeper than 1024 levels"),
        (b"[" * 100_000, "nested deeper than 1024 levels"),
    ],
)
def test_what_is_wrong(text: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a": ', b"}")])
def test_nesting_as_deep_as_qemu_takes_it(begin: bytes, end: bytes) -> None:
    value = parse(begin * 1023 + b"[1, 2]" + end * 1023)
    for _ in range(jsontext.KEPT):
        [value] = value.values() if isinstance(value, dict) else value
    assert len(value) == 0  # what is deeper is dropped
    kept = begin * (jsontext.KEPT - 1) + b"[1, %s]" + end * (jsontext.KEPT - 1)
    assert parse(kept % b'[2, {"b": 3}]') == json.loads(kept % b"[]")


def test_a_line_of_brackets_costs_no_more_than_any_other() -> None:
    for unit in (b"[", b'{"a":', b'[{"a":[1,', b"[]"):
        line = unit * ((1 << 24) // len(unit))
        begin = time.process_time()
        with pytest.raises(Malformed):
            parse(line)
        assert (
            time.process_time() - begin < 30
        )  # far above what any machine needs; a scan per bracket takes hours


def test_a_lone_surrogate_and_a_key_given_twice_are_json() -> None:
    assert parse(b'{"a": "\\ud800", "a": 1}') == {"a": 1}
    assert parse(b'"\\ud800"') == "\ud800"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_it_reads_what_the_standard_library_reads(value: object, spaced: bool) -> None:
    text = json.dumps(value, indent=1 if spaced else None)
    assert parse(text.encode()) == json.loads(text)


@given(values, st.integers(0, 60), st.sampled_from(["", *'{}[],:"1e.- \\\x00']))
def test_what_is_refused_has_a_place_in_the_text(value: object, at: int, put: str) -> None:
    text = json.dumps(value)
    text = text[:at] + put + text[at + 1 :]
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(Malformed) as caught:
            parse(text.encode())
        assert 1 <= caught.value.column <= len(text) + 1
        assert "Expecting" not in caught.value.reason
    else:
        assert parse(text.encode()) == expected
