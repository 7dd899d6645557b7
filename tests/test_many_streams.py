"""Reports on many streams: a summary as text, and tables in Parquet."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from object_store import Store

from qmpcheck.cli import main

GREETING = (
    '{{"QMP": {{"version": {{"qemu": {{"major": {0}, "minor": 2, "micro": 0}}}}, "capabilities": []}}}}\n'
)
STOP = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n'
BAD = '{"event": "STOP", "data": {"why": 1}, "timestamp": {"seconds": 2, "microseconds": 0}}\n'
SLEEP = '{"event": "SUSPEND_DISK", "timestamp": {"seconds": 3, "microseconds": 0}}\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 streams: of 7.2 and 8.2, every tenth without a greeting, 12 with a fault, one of them with three."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(120):
        greeting = GREETING.format(7 + number % 2) if number % 10 else ""
        faults = 3 if number == 15 else number % 10 == 5
        (folder / f"{number:03}.jsonl").write_text(greeting + STOP + BAD * faults)
    (folder / "empty.jsonl").write_text("")
    return folder


def test_the_text_is_a_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(folder)]) == 2
    out, errors = capsys.readouterr()
    assert f"{folder}/empty.jsonl: no event in it" in errors
    assert out.replace(f"{folder}/", "").splitlines()[:13] == [
        "121 streams, 242 lines, 134 events",
        "",
        "spec    streams    conforms    pending    violations    unchecked",
        "------  ---------  ----------  ---------  ------------  -----------",
        "8.2     60         48                     12",
        "7.2     48         48",
        "11.1    12         12",
        "(none)  1                                               1",
        "",
        "with the most errors:",
        "  015.jsonl: violations of 8.2: 5 lines, 4 events, 3 errors, 0 warnings",
        "    015.jsonl:3: QMP203 STOP data.why: unknown member; the spec has none here (qapi/run-state.json:226 of the spec)",
        "  005.jsonl: violations of 8.2: 3 lines, 2 events, 1 error, 0 warnings",
    ]
    assert re.search(r"^QMP203  unknown-member  error +STOP +14$", out, re.MULTILINE)


def test_other_layouts_still_list_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["validate", str(folder), "--format", "concise"])
    assert capsys.readouterr().out.count(": QMP203 ") == 14


def test_fit_says_which_releases_wrote_how_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "none.jsonl").write_text(BAD)
    assert main(["fit", str(folder)]) == 2
    out, errors = capsys.readouterr()
    (folder / "none.jsonl").unlink()
    assert errors == f"qmpcheck: {folder}/empty.jsonl: no event in it\n"
    assert out.replace(f"{folder}/", "").splitlines()[:10] == [
        "121 streams, 135 events",
        "",
        "release       streams    according to",
        "------------  ---------  --------------",
        "8.2           60         the greeting",
        "7.2           48         the greeting",
        "0.12 to 11.1  12         all events",
        "",
        "13 streams that no release fits completely:",
        "  005.jsonl: fits no release completely; best: 0.12 to 11.1 (50.0 %)",
    ]


def test_fit_of_several_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(folder / name) for name in ("001.jsonl", "002.jsonl")]
    assert main(["fit", *paths, "--format", "json"]) == 0
    decoder, text, found = json.JSONDecoder(), capsys.readouterr().out, []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value["stream"]["path"])
        text = text[end:].lstrip()
    assert found == paths


def tables(place: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """A few columns of both tables."""
    duckdb = pytest.importorskip("duckdb")
    findings = duckdb.sql(
        f"select file, line, position, code, severity, event, path, spec from '{place}/findings.parquet'"
    ).fetchall()
    streams = duckdb.sql(
        f"select stream, files, spec, versions, lines, errors, verdict, unchecked from '{place}/streams.parquet'"
    ).fetchall()
    return findings, streams


def test_parquet(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert main(["validate", str(folder), "--report", f"parquet={tmp_path / 'new'}"]) == 2
    findings, streams = tables(str(tmp_path / "new"))
    assert len(findings) == 14
    assert findings[0] == (f"{folder}/005.jsonl", 3, 28, "QMP203", "error", "STOP", "data.why", "8.2")
    assert len(streams) == 121
    assert streams[5] == (
        f"{folder}/005.jsonl", [f"{folder}/005.jsonl"], "8.2", ["8.2.0"], 3, 1, "violations", None
    )  # fmt: skip
    assert streams[-1][-2:] == ("unchecked", "no event in it")
    assert sorted(each.name for each in (tmp_path / "new").iterdir()) == [
        "findings.parquet",
        "streams.parquet",
    ]


def test_parquet_at_a_url(object_system: Any, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    store = Store(object_system, "tables")
    main(["validate", str(folder), "--report", f"parquet={store.url('of/today')}"])
    object_system.get(f"{store.bucket}/of/today", str(tmp_path / "copy"), recursive=True)
    assert len(tables(str(tmp_path / "copy"))[0]) == 14


@pytest.mark.parametrize("place", ["file", "file/new"])
def test_parquet_where_no_folder_can_be(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is known before any stream is read."""
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    assert main(["validate", "no-stream", "--report", f"parquet={place}"]) == 2
    told = f"qmpcheck: --report parquet={place}: {tmp_path}/file is no folder\n"
    assert capsys.readouterr() == (
        "",
        told + "qmpcheck: file was not changed: it is not of this run\n" * (place == "file"),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diff", "7.1", "7.2", "--report", "parquet=x"], 'unknown format "parquet"'),
        (["validate", "x", "--report", "parquet=-"], "not standard output"),
    ],
)
def test_where_there_are_no_tables(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_what_many_streams_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "z.jsonl").write_text(SLEEP)
    assert main(["diff", "7.1", "7.2", "--used-by", str(folder / "*.jsonl")]) == 0
    (folder / "z.jsonl").unlink()
    assert main(["convert", str(folder / "*.jsonl")]) == 2
    assert "several files; convert takes one" in capsys.readouterr().err
