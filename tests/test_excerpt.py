"""Excerpts of lines, with a marker under what a finding is about."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.finding import Finding
from qmpcheck.keypath import KeyPath
from qmpcheck.validation import excerpt


def marked(line: str, path: KeyPath, code: str, folder: Path) -> str | None:
    """What the marker is under, in an excerpt of the only line of a file."""
    file = folder / "s.jsonl"
    file.write_bytes(line.encode("utf-8", "surrogatepass") + b"\n")
    finding = Finding(code, 1, "", path=path)
    found = excerpt.find(str(file), [finding]).get(finding)
    return found.text[found.start : found.start + found.length] if found else None


@pytest.mark.parametrize(
    ("line", "path", "code", "under"),
    [
        ('{"event": "A", "data": {"b": 1}}', ("data", "b"), "QMP204", "1"),
        ('{"event": "A", "data": {"b": 1}}', ("data", "b"), "QMP203", '"b": 1'),
        ('{"event": "A", "data": {"b": 1}}', ("data", "c"), "QMP202", '{"b": 1}'),
        ('{"event": "A", "data": {"b": [1, [2, "x"]]}}', ("data", "b", 1, 1), "QMP204", '"x"'),
        ('{"event": "A", "data": {"b": 1, "b": 2}}', ("data", "b"), "QMP204", "2"),
        ('{"event": "A", "data": {"\\u0062": 1}}', ("data", "b"), "QMP203", '"\\u0062": 1'),
        ('{"event": "A"}', (), "QMP301", '"A"'),
        ('{"event": "A", }', (), "QMP101", "}"),
        ('12:00 mon=0x1 {"event": "A", "data": {"b": 1}}', ("data", "b"), "QMP204", "1"),
        ("12:00 nothing here", (), "QMP301", None),
        ('{"event": "A", "data": {"b": "\u202e"}}', ("data", "b"), "QMP204", '"\\u202e"'),
    ],
)
def test_the_marker_is_under(line: str, path: KeyPath, code: str, under: str | None, tmp_path: Path) -> None:
    assert marked(line, path, code, tmp_path) == under


def test_the_end_of_a_line_that_qemu_sent_is_not_shown() -> None:
    line = '{"event": "A", "data": {"b": 1}}'
    found = excerpt.of_line(f"{line}\r".encode(), Finding("QMP204", 1, "", path=("data", "b")))
    assert found
    assert found.text == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(data=st.data(), value=JSON, before=st.sampled_from(["", " ", "log: "]), is_ascii=st.booleans())
def test_the_column_is_where_the_value_begins(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, value: object, before: str, is_ascii: bool
) -> None:
    path: KeyPath = ("data",)
    inner: Any = value
    while isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
        key = data.draw(st.sampled_from([*inner] if isinstance(inner, dict) else [*range(len(inner))]))
        path, inner = (*path, key), inner[key]
    line = before + json.dumps({"event": "A", "data": value}, ensure_ascii=is_ascii)
    file = tmp_path_factory.getbasetemp() / "column.jsonl"
    file.write_text(line.replace("\r", ""), encoding="utf-8", errors="replace")
    line = file.read_bytes().decode()
    finding = Finding("QMP204", 1, "", path=path)
    found = excerpt.find(str(file), [finding])[finding]
    assert json.JSONDecoder().raw_decode(line, found.column - 1)[0] == inner
    assert found.text.isprintable()
