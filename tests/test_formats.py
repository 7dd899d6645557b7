"""Each format's messages, as its case folders have them: an input in the format, and what is expected of it.

A folder is named for its format, and perhaps for what is special in it after a dash. `expected` has the format in
the first line, or what is said of a file that cannot be read. Each further line is a message: its line number, `<` if
it was received and `>` if it was sent, the VM, and its text, or the word cut; or else the end of a stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qmpcheck.streams import formats
from qmpcheck.streams.blocks import from_chunks
from qmpcheck.streams.demultiplex import Part, opened_parts, parts
from qmpcheck.streams.formats.message import End, Message
from qmpcheck.streams.formats.unreadable import REPR, UNREADABLE
from qmpcheck.streams.source import Unreadable, opened

CASES = Path(__file__).parent / "cases" / "formats"
MODULES = Path(formats.__file__).parent
SHARED_PARTS = {"__init__", "lines", "message", "objects", "unreadable"}
"""Modules of the package that are no format."""


def _folders() -> list[Path]:
    return sorted(CASES.iterdir())


def _input(folder: Path) -> bytes:
    [path] = folder.glob("input.*")
    return path.read_bytes()


def shown(data: bytes) -> str:
    """What is read from a file with these bytes, in the form of `expected`."""
    try:
        format = formats.recognised(data[: formats.HEAD])
    except Unreadable as error:
        return f"unreadable: {error}\n"
    if format is formats.JSONL:
        [part] = parts(from_chunks([data]), format)
        numbered = zip(part.numbers, part.lines, strict=True)
        return "".join([f"{format.name}\n", *(f"{number} {line.decode()}\n" for number, line in numbered)])
    items = [item for batch in format.messages(from_chunks([data])) for item in batch]
    return "".join([f"{format.name}\n", *map(_line, items)])


def _line(item: Message | End) -> str:
    vm = f"[{item.stream.vm}{' probe' if item.stream.probe else ''}]"
    if isinstance(item, End):
        return f"end {vm}\n"
    return f"{item.line} {'>' if item.sent else '<'} {vm} {'cut' if item.cut else item.text.decode()}\n"


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    assert shown(_input(folder)) == (folder / "expected").read_text()


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: folder.name)
def test_blocks_of_any_size_hold_the_same_messages(folder: Path) -> None:
    data = _input(folder)
    try:
        format = formats.recognised(data[: formats.HEAD])
    except Unreadable:
        return
    whole = _streams(parts(from_chunks([data]), format))
    for size in (1, 7, 100):
        chunks = (data[at : at + size] for at in range(0, len(data), size))
        assert _streams(parts(from_chunks(chunks), format)) == whole


def _streams(found: Iterator[Part]) -> list[tuple[str, list[tuple[int, bytes]], list[int]]]:
    streams: dict[int, tuple[Part, list[tuple[int, bytes]], list[int]]] = {}
    for part in found:
        _, messages, cut = streams.setdefault(id(part.stream), (part, [], []))
        messages += zip(part.numbers, part.lines, strict=True)
        cut += part.cut
    return [(part.stream.vm, messages, cut) for part, messages, cut in streams.values()]


def test_each_folder_has_an_input_and_what_is_expected_and_nothing_else() -> None:
    for folder in _folders():
        assert sorted(path.stem for path in folder.iterdir()) == ["expected", "input"], folder.name


def _cased(name: str) -> bool:
    return any(re.fullmatch(rf"{re.escape(name)}(-[a-z-]+)?", folder.name) for folder in _folders())


def test_each_format_has_a_module_a_row_a_case_and_a_place_in_the_documentation() -> None:
    modules = {path.stem for path in MODULES.glob("*.py")} - SHARED_PARTS
    assert {name.replace("-", "_") for name in formats.names()} == modules
    documented = (CASES.parents[2] / "docs" / "logs.md").read_text()
    for name in [*formats.names(), *(each.name for each in (*UNREADABLE, REPR))]:
        assert _cased(name), f"no case folder for {name}"
        assert f"`{name}`" in documented, f"{name} is not in docs/logs.md"


@pytest.mark.parametrize("folder", _folders(), ids=lambda folder: folder.name)
def test_each_case_is_read_as_the_format_that_it_is_named_for(folder: Path) -> None:
    expected = (folder / "expected").read_text()
    named = [name for name in formats.names() if re.fullmatch(rf"{name}(-.*)?", folder.name)]
    if expected.startswith("unreadable: "):
        assert not named
        assert folder.name.startswith(("unknown", REPR.name, *(each.name for each in UNREADABLE)))
    else:
        assert expected.partition("\n")[0] in named


def test_the_head_may_end_anywhere_in_jsonl() -> None:
    lines = _input(CASES / "json-array").decode().splitlines()[1:-1]
    data = "".join(f"{line.strip(' ,')}\n" for line in lines).encode()
    assert formats.recognised(data) is formats.JSONL
    for end in range(data.index(b"\n") + 1, len(data)):
        assert formats.recognised(data[:end]) is formats.JSONL


def test_a_format_can_be_named_where_it_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"nothing here\n" * 30000 + _input(CASES / "libvirt"))
    with opened(str(path)) as file, pytest.raises(Unreadable, match='line 1 is "nothing here"'):
        opened_parts(file)
    with opened(str(path)) as file:
        format, found = opened_parts(file, "libvirt")
        assert format.name == "libvirt"
        assert min(number for part in found for number in part.numbers) > 30000


EVENT = '{"timestamp": {"seconds": 5, "microseconds": 1}, "event": "STOP"}'


def entry(**members: str) -> str:
    return json.dumps(members)


@pytest.mark.parametrize(
    ("lines", "format"),
    [
        ([entry(msg=EVENT)], "json-log"),
        ([entry(msg="no event")] * 1000 + [entry(msg=EVENT)], "json-log"),
        ([entry(msg='{"event": "login", "data": {}}')], ""),
        ([entry(msg='{"event": "login", "timestamp": "2026-01-02"}')], ""),
        ([entry(msg='{"return": {}}')], ""),
        ([entry(msg=EVENT[:-9])], ""),
        ([entry(msg=EVENT), EVENT], "json"),
        ([entry(msg=EVENT), f"12:00 {EVENT}"], "prefixed"),
        ([EVENT.replace("}, ", f'}}, "data": {{"said": {json.dumps(EVENT)}}}, ')] * 3, "jsonl"),
        (["text", f"12:00 {entry(event=EVENT)}"], "prefixed"),
    ],
)
def test_a_message_in_a_string_is_recognised_where_nothing_else_is(lines: list[str], format: str) -> None:
    try:
        found = formats.recognised("\n".join(lines).encode()).name
    except Unreadable:
        found = ""
    assert found == format
