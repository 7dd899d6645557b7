"""Any bytes give messages or nothing, in every format, and in time that grows with them."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.streams import formats
from qmpcheck.streams.blocks import from_chunks
from qmpcheck.streams.demultiplex import Part, parts
from qmpcheck.streams.source import Unreadable

CASES = Path(__file__).parent / "cases" / "formats"
INPUTS = [path.read_bytes() for path in sorted(CASES.glob("*/input.*"))]
PIECES = sorted({line for data in INPUTS for line in data.splitlines(keepends=True)})

names = st.sampled_from(formats.names())
pieces = st.sampled_from(PIECES)
cuts = st.builds(lambda piece, at: piece[: at % (len(piece) + 1)], pieces, st.integers(0, 10**6))
logs = st.lists(st.one_of(pieces, cuts, st.binary(max_size=20)), max_size=30).map(b"".join)


def read(data: bytes, name: str, size: int) -> list[Part]:
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    return list(parts(from_chunks(chunks), formats.named(name)))


@given(st.one_of(logs, st.binary()), names, st.integers(1, 5000))
def test_any_bytes_give_messages_with_the_lines_that_they_begin_on(data: bytes, name: str, size: int) -> None:
    lines = data.count(b"\n") + 1
    for part in read(data, name, size):
        assert len(part.lines) == len(part.numbers)
        assert all(1 <= number <= lines for number in [*part.numbers, *part.cut])
        assert not any(b"\n" in line for line in part.lines)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)
messages = st.fixed_dictionaries({"event": st.text(), "data": values})
remarks = st.sampled_from(["", "$ a prompt\n", "qemu: it's odd\r\n", "[", ",\n", "] "])


@given(
    st.lists(st.tuples(remarks, messages, st.sampled_from([None, 0, 1, 4])), max_size=6), st.integers(1, 300)
)
def test_messages_in_any_layout_are_found(
    parts: list[tuple[str, dict[str, object], int | None]], size: int
) -> None:
    text, expected = "", []
    for before, message, indent in parts:
        text += before
        expected.append((text.count("\n") + 1, message))
        text += json.dumps(message, indent=indent) + "\n"
    found = [
        (number, json.loads(line))
        for part in read(text.encode(), "json", size)
        for number, line in zip(part.numbers, part.lines, strict=True)
    ]
    assert found == expected


@given(st.one_of(logs, st.binary()))
def test_any_bytes_have_one_format_or_a_reason(data: bytes) -> None:
    try:
        answer = formats.recognised(data).name
    except Unreadable as error:
        answer = str(error)
    assert answer.isprintable()


@given(st.integers(0, 2**32), names)
def test_a_damaged_byte_is_no_trouble(seed: int, name: str) -> None:
    chance = random.Random(seed)
    data = bytearray(chance.choice(INPUTS))
    for _ in range(chance.randint(1, 5)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    read(bytes(data), name, 1000)


NASTY = (
    b"{",
    b'{"id":',
    b'{"event": "',
    b'{"id":1}',
    b'\\"',
    b" ",
    b"{ ",
    b"[",
    b"a: ",
    b"1: info : ",
    b"<-- {",
    b"{'event': ",
    b'msg="{\\"event\\"',
    b' msg="{\\"event\\": 1',
    b"QEMU_MONITOR_RECV_EVENT: mon=0x1 event={",
    b"event X at 1.1 for domain 'a': {",
    b"2026-01-02 03:04:05: {",
    b"monitor_qmp_respond mon 0x1 resp: {",
    b'{"data":"{',
    b"qemu.qmp.protocol.a --",
    b"got QMP event ",
    b"Error on monitor mon=0x1 ",
)
SIZE = 100_000


@pytest.mark.parametrize("name", formats.names())
def test_time_grows_with_the_input(name: str) -> None:
    for piece in NASTY:
        for data in (piece * (SIZE // len(piece)), (piece + b"\n") * (SIZE // len(piece))):
            begin = time.process_time()
            read(data, name, 1 << 19)
            formats.named(name).recognises(data)
            # Forty times what it takes; time that grows with the square is a hundred times as long.
            assert time.process_time() - begin < 5, (piece, data[:50])
