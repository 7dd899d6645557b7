"""Bytes to blocks of whole lines, from any kind of source."""

import gzip
import io
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.streams import blocks as streams_blocks
from qmpcheck.streams import jsontext, source
from qmpcheck.streams.blocks import Block, LongLine, blocks, from_chunks, lines_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

streams = st.lists(st.sampled_from([b"", b"a", b"\n", b"bc\n", b"\r\n", b"d" * 50])).map(b"".join)


def text(blocks: Iterable[Block]) -> bytes:
    return b"".join(map(b"\n".join, blocks))


@given(streams, st.integers(1, 20))
def test_blocks_are_the_stream_cut_behind_newlines(content: bytes, size: int) -> None:
    cut = list(blocks(io.BytesIO(content), size))
    assert text(cut) == content
    assert all(block[-1] == b"" for block in cut[:-1])


def test_a_byte_order_mark_at_the_start_is_dropped_and_no_other() -> None:
    mark = b"\xef\xbb\xbf"
    assert text(blocks(io.BytesIO(mark + b"a\n" + mark + b"b\n"), 2)) == b"a\n" + mark + b"b\n"


@given(st.lists(st.sampled_from([b"\n", b"a", b"b" * 7, b"c" * 300])).map(b"".join), st.integers(1, 9))
def test_a_line_that_is_too_long_is_replaced_by_its_length(content: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams_blocks, "LONGEST", 9)
        found = [line for block in blocks(io.BytesIO(content), size) for line in lines_of(block)]
    lines = content.split(b"\n")
    for line, expected in zip(found, lines if lines[-1] else lines[:-1], strict=True):
        assert isinstance(line, LongLine) == (len(expected) > 9)
        if isinstance(line, LongLine):
            assert (line, line.length) == (expected[:256] + b"...", len(expected))
        else:
            assert line == expected


@pytest.mark.parametrize("content", [b" ", b'{"return": {}} '])
def test_a_line_that_is_too_long_is_taken_for_nothing_else(content: bytes) -> None:
    chunk = content + b" " * (1 << 20)
    [[line, last]] = from_chunks([*[chunk] * 65, b"\n"])
    assert isinstance(line, LongLine)
    assert (line.length, last) == (65 * len(chunk), b"")
    with pytest.raises(jsontext.Malformed):
        jsontext.parse(line)
    assert line.strip()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system does not say it")
def test_memory_does_not_grow_with_a_line() -> None:
    script = (
        "import re; from qmpcheck.streams.blocks import from_chunks; chunk = b'x' * (1 << 19)\n"
        "[[line]] = from_chunks(bytes(bytearray(chunk)) for _ in range(1024)); assert line.length == 512 << 20\n"
        "print(re.search('VmHWM: *([0-9]+) kB', open('/proc/self/status').read().replace('\\t', ' '))[1])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 10_000 < int(done.stdout) < 120_000  # kB: 64 MiB of them are the line's begin


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstd.compress, lambda content: gzip.compress(content) * 2]
)
def test_compression_shows_by_the_content(pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "misleading.txt"
    path.write_bytes(pack(b"a\nb\n"))
    with source.opened(str(path)) as file:
        assert file.read().startswith(b"a\nb\n")
    assert (source.size(str(path)) == 4) is (pack is bytes)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_cut_compression_is_unreadable_after_what_was_good(pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "cut"
    content = random.Random(0).randbytes(1 << 18)
    path.write_bytes(pack(content)[:-999])
    good: list[bytes] = []
    with pytest.raises(source.Unreadable):
        read_into(good, str(path))
    assert content.startswith(b"".join(good))
    assert len(b"".join(good)) > len(content) // 2


def read_into(chunks: list[bytes], path: str) -> None:
    with source.opened(path) as file:
        read_all(chunks, file)


def read_blocks(found: list[Block], path: str, advance: Callable[[int], object]) -> None:
    with source.opened(path) as file:
        found.extend(blocks(file, advance=advance))


def read_all(chunks: list[bytes], file: IO[bytes] | gzip.GzipFile) -> None:
    while chunk := file.read(1 << 10):
        chunks.append(chunk)


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


NOISE = random.Random(1).randbytes(1 << 16) + b"a\n" * 1_000_000
PACKED = gzip.compress(NOISE)
GZIP_FILES = {
    "whole": PACKED,
    "two members": PACKED + PACKED,
    "an empty member": PACKED + gzip.compress(b"") + PACKED,
    "padded": PACKED + bytes(100),
    "garbage after it": PACKED + b"garbage",
    "padding and garbage after it": PACKED + bytes(9) + b"garbage",
    "second member cut": PACKED + PACKED[:50],
    "second header cut": PACKED + PACKED[:5],
    **{f"cut by {each}": PACKED[:-each] for each in (1, 4, 8, 9, 1000)},
    **{f"wrong at {each}": flipped(PACKED, each) for each in (-8, -1, -40_000, 2)},
    "two bytes": PACKED[:2],
    "a header": PACKED[:10],
}


@pytest.mark.parametrize("content", GZIP_FILES.values(), ids=GZIP_FILES)
@pytest.mark.parametrize("is_fast", [True, False])
def test_gzip_is_read_as_python_reads_it(
    content: bytes, is_fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_fast:
        pytest.importorskip("isal")
    else:
        monkeypatch.setitem(sys.modules, "isal", None)
    (tmp_path / "x").write_bytes(content)
    good: list[list[bytes]] = [[], []]
    errors = ["", ""]
    try:
        read_all(good[0], gzip.GzipFile(fileobj=io.BytesIO(content)))
    except EOFError:
        errors[0] = f"cut off at byte {len(content)}; copy the file again, or wait until it is fully written"
    except OSError as error:
        errors[0] = f"damaged ({error}); copy the file again"
    try:
        read_into(good[1], str(tmp_path / "x"))
    except source.Unreadable as error:
        errors[1] = str(error).removeprefix("the compressed data is ")
    assert errors[1] == errors[0]
    assert b"".join(good[1]) == b"".join(good[0])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("left", [0, 100, 1 << 21])
@pytest.mark.parametrize("is_standard_input", [False, True])
def test_a_file_that_becomes_shorter_while_it_is_read(
    pack: Callable[[bytes], bytes], left: int, is_standard_input: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "x"
    path.write_bytes(pack(random.Random(1).randbytes(1 << 22)))
    read: list[Block] = []
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(source.Unreadable, match="it became shorter while it was read"):
            read_blocks(read, "-" if is_standard_input else str(path), lambda _: os.truncate(path, left))
    assert 0 < len(text(read)) <= max(left, 1 << 20)


def test_a_file_that_grows_or_is_replaced_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a\n" * (1 << 20))
    chunks = []
    with source.opened(str(path)) as file:
        chunks.append(file.read(1 << 19))
        with path.open("ab") as more:
            more.write(b"b\n")
        (tmp_path / "y").write_bytes(b"c\n")
        (tmp_path / "y").rename(path)
        read_all(chunks, file)
    assert b"".join(chunks) == b"a\n" * (1 << 20) + b"b\n"


def test_what_the_system_makes_up_has_no_length() -> None:
    with source.opened("/proc/self/status") as file:
        assert file.read().startswith(b"Name:")


@pytest.mark.parametrize("start", [b"\x1f\x8b\x08\x00", b"\x1f\x8b", b"\x28\xb5\x2f\xfd\xff\xff"])
def test_broken_compression_is_unreadable(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(start + b"\xff" * 99)
    with pytest.raises(source.Unreadable), source.opened(str(path)) as file:
        file.read()


def test_what_is_not_there_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(source.Unreadable), source.opened(str(path)):
            pass
