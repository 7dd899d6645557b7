"""Files that one log was rotated into: one stream, and findings in the file where they are."""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmpcheck.cli import main
from qmpcheck.specs import catalogue
from qmpcheck.streams import listing
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.validation import joining
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import of_path

GREETING = '{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}'
ERROR = """{"event": "BLOCK_IO_ERROR", "data": {"device": "d", "node-name": "n", "operation": "write",
    "action": "stop", "reason": "full"}, "timestamp": {"seconds": 100, "microseconds": 0}}""".replace(
    "\n", ""
)


def event(name: str, seconds: int, **data: object) -> str:
    held = f'"data": {json.dumps(data)}, ' if data else ""
    return f'{{"event": "{name}", {held}"timestamp": {{"seconds": {seconds}, "microseconds": 0}}}}'


STOP = event("STOP", 101)
RESUME = event("RESUME", 102)
END = event("SHUTDOWN", 103, guest=False, reason="host-qmp-quit")
OTHER = event("POWERDOWN", 101)


def checked(
    folder: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[list[str], list[tuple[str, int, str]]]:
    """The verdicts of all streams, and each finding as (file, line, code)."""
    main(["validate", str(folder), "--format", "json", *options])
    report = json.loads(capsys.readouterr().out)
    found = [
        (Path(each.get("file", each["stream"])).name, each["line"], each["code"])
        for each in report["diagnostics"]
    ]
    return [stream["verdict"] for stream in report["streams"]], found


def written(folder: Path, **files: list[str] | None) -> Path:
    for name, lines in files.items():
        if lines is not None:
            text = "".join(f"{line}\n" for line in lines).encode()
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return folder


BEGIN, MIDDLE, LAST = [GREETING, event("RESUME", 90), ERROR], [STOP], [END, GREETING, event("RESUME", 104)]


@pytest.mark.parametrize(
    ("middle", "verdict", "found"),
    [
        ([STOP], "conforms", []),
        ([OTHER], "violations", [("x.log.2.gz", 3, "QMP301")]),  # the response is missing, and no file is
        ([], "pending", [("x.log.2.gz", 3, "QMP302")]),  # an empty file may be there for a lost one
        (None, "pending", [("x.log.2.gz", 3, "QMP302")]),  # so may a number that is left out
    ],
)
def test_a_response_in_the_next_file(
    middle: list[str] | None,
    verdict: str,
    found: list[tuple[str, int, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(tmp_path, x_log_2_gz=BEGIN, x_log_1=middle, x_log=LAST)
    assert checked(tmp_path, capsys) == ([verdict], found)


def test_findings_have_their_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = event("STOP", 300, why=1)
    written(tmp_path, x_log_2_gz=[*BEGIN, bad], x_log_1=[STOP, RESUME, bad], x_log=[bad])
    assert main(["validate", str(tmp_path)]) == 1
    report = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert report.startswith("x.log and 2 files before it: violations of 7.2: 8 lines, 7 events")
    assert "x.log.2.gz:4:28: QMP203" in report
    assert "    and 2 more, in lines x.log.1:3, x.log:1\n" in report


def test_a_reply_in_another_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    eject = '{"execute": "device_del", "arguments": {"id": "d"}, "id": 1}'
    reply = '{"return": {}, "id": 1}'
    written(tmp_path, x_log_1=[GREETING, event("RESUME", 90), eject], x_log=[reply, END])
    main(["validate", str(tmp_path), "--spec", "7.2"])
    assert f"(its reply is on line 1 of {tmp_path}/x.log);" in capsys.readouterr().out


def test_a_line_never_goes_on_in_the_next_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log.2").write_text(f"{GREETING}\n{STOP[:20]}")
    (tmp_path / "x.log.1").write_text(RESUME)  # whole, but its newline is missing
    (tmp_path / "x.log").write_text(f"\ufeff{STOP}\n{RESUME[:20]}")
    assert checked(tmp_path, capsys) == (["conforms"], [("x.log.2", 2, "QMP106"), ("x.log", 2, "QMP106")])


SAMPLE = [
    *BEGIN,
    STOP,
    event("STOP", 300, why=1),
    "nonsense",
    *LAST,
    ERROR,
    event("STOP", 400),
    END,
    GREETING,
]


@settings(max_examples=30)
@given(st.sets(st.integers(1, len(SAMPLE) - 1), max_size=5), st.booleans())
def test_any_way_of_cutting_gives_the_same(places: set[int], is_ended: bool) -> None:
    """The whole in one file, or cut into files at any line, with the last newline of each or without."""
    cuts = [0, *sorted(places), len(SAMPLE)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "whole.log").write_text("\n".join(SAMPLE) + "\n")
        for number, (begin, end) in enumerate(pairwise(cuts)):
            text = "\n".join(SAMPLE[begin:end]) + "\n" * is_ended
            (folder / f"part.{number}.jsonl").write_text(text)
        checker = FileChecker(Recipe(), catalogue.find("7.2"), "jsonl")
        [whole] = checker.check(of_path(str(folder / "whole.log")))
        [recording] = joining.by_pattern(listing.listed(name + "/part*"), re.compile("(part)"))
        [joined] = checker.check(recording)
    numbers = {str(folder / f"part.{number}.jsonl"): begin for number, begin in enumerate(cuts)}
    assert joined.counts.total() > 3
    found = [(numbers[each.file or joined.path] + each.line, each.code, each.event) for each in joined.listed]
    expected = [(each.line, each.code, each.event) for each in whole.listed]
    # a line that is no message and lacks its newline was cut
    assert [(line, code.replace("QMP106", "QMP101"), event) for line, code, event in found] == expected


def test_a_file_of_a_mark_alone_does_not_end_the_stream(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, x_log_2=BEGIN, x_log=LAST)
    (tmp_path / "x.log.1").write_text("\ufeff")
    assert checked(tmp_path, capsys) == (["pending"], [("x.log.2", 3, "QMP302")])
    assert main(["validate", str(tmp_path)]) == 0
    assert "6 lines" in capsys.readouterr().out


DAYS = {"2026-01-01__vm_jsonl": BEGIN, "2026-01-02__vm_jsonl": [STOP], "2026-01-03__vm_jsonl": LAST}


@pytest.mark.parametrize(
    ("left_out", "verdict", "found"),
    [
        ("", "conforms", []),
        ("2026-01-02__vm_jsonl", "pending", [("vm.jsonl", 3, "QMP302")]),
    ],
)
def test_days_of_a_vm(
    left_out: str,
    verdict: str,
    found: list[tuple[str, int, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(tmp_path, **{name: lines for name, lines in DAYS.items() if name != left_out})
    assert checked(tmp_path, capsys, "--join", r"([^/]*)\.jsonl") == ([verdict], found)


def test_vms_are_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, lines in DAYS.items():
        written(tmp_path, **{name: lines, name.replace("vm", "other"): lines})
    main(["validate", str(tmp_path), "--format", "json", "--join", r"([^/]*)\.jsonl"])
    streams = json.loads(capsys.readouterr().out)["streams"]
    assert [stream["vm"] for stream in streams] == ["other", "vm"]
    assert [[Path(each).parent.name for each in stream["files"]] for stream in streams] == [
        ["2026-01-01", "2026-01-02", "2026-01-03"]
    ] * 2


def test_parts_of_several_releases_are_checked_each_by_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = GREETING.replace("7", "8", 1)
    written(
        tmp_path,
        x_log_3=[GREETING, event("RESUME", 90)],
        x_log_2=[ERROR],
        x_log_1=[STOP, END, newer, event("RESUME", 300)],
        x_log=[event("STOP", 301, why=1)],
    )
    main(["validate", str(tmp_path), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert [
        (each["spec"]["name"], [Path(file).name for file in each["files"]], each["verdict"])
        for each in report["streams"]
    ] == [
        ("7.2", ["x.log.3", "x.log.2"], "pending"),
        ("8.2", ["x.log.1", "x.log"], "violations"),
    ]


def test_what_would_count_twice_is_not_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, x_log_1=[GREETING, STOP], x_log_1_gz=[GREETING, STOP], x_log=[GREETING, RESUME])
    assert len(checked(tmp_path, capsys)[0]) == 3
    assert main(["validate", str(tmp_path), "--join", r"(x)\.log"]) == 2
    assert "are one file, once compressed: leave one out" in capsys.readouterr().err


def test_an_unreadable_part_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, x_log_2_gz=BEGIN, x_log_1=MIDDLE, x_log=LAST)
    (tmp_path / "x.log.2.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    assert main(["validate", str(tmp_path)]) == 2
    assert f"{tmp_path}/x.log: {tmp_path}/x.log.2.gz: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "gaps"),
    [
        (["x.log.10.gz", "x.log.9", "x.log.8"], []),
        (["x.log.10.gz", "x.log.8", "x.log"], [1, 2]),
        (["a/2026-01-31/v.jsonl.zst", "a/2026-02-01/v.jsonl", "a/2026-02-03/v.jsonl"], [2]),
        (["a/2026/01/31/v.jsonl", "a/2026/02/01/v.jsonl"], []),
        (["2026/01/v-20260131.jsonl", "2026/02/v-20260201.jsonl", "2026/02/v-20260203.jsonl"], [2]),
        (["v-2026-01-31T23.jsonl", "v-2026-02-01T00.jsonl", "v-2026-02-01T02.jsonl"], [2]),
        (["v.9.jsonl", "v.10.jsonl", "v.12.jsonl"], [2]),
        (["v-2026-13-40.jsonl", "v-2026-13-41.jsonl", "v-2026-13-43.jsonl"], [2]),  # no day, but numbers
        (["v-a.jsonl", "v-b.jsonl"], [1]),  # nothing shows that none is between them
    ],
)
def test_the_order_of_names_and_where_one_may_be_missing(names: list[str], gaps: list[int]) -> None:
    files = [StoredFile(f"s3://b/{name}") for name in names]
    [recording] = joining.by_pattern(sorted(files, key=lambda each: each.path), re.compile("(s3)"))
    assert [each.path for each in recording.files] == [each.path for each in files]
    assert [*recording.gaps] == gaps


@pytest.mark.parametrize("pattern", ["(", "vm"])
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["validate", "x", "--join", pattern])
    assert exit_.value.code == 2
