"""The commands as a user runs them."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rulebases import QAPI

import qmpcheck
from qmpcheck import reports, rulebase
from qmpcheck.cli import main

STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}\n'
BAD = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP", "data": {"why": 1}}\n'
RESUME = STOP.replace("STOP", "RESUME")
CUT = '{"timestamp"'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.jsonl").write_text(STOP * 3)
    Path("bad.jsonl").write_text(STOP + BAD + "\n" + BAD)
    Path("cut.jsonl").write_text(STOP + CUT)
    Path("empty.jsonl").write_text("")
    Path("doc.txt").write_text(
        "X1\n--\nData: None.\n\nNote: A X1 event will eventually follow the X1 event.\n"
    )


def run(capsys: pytest.CaptureFixture[str], command: str) -> tuple[int, str, str]:
    try:
        status = main(command.split())
    except SystemExit as exit:
        status = int(exit.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_validate_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "validate good.jsonl bad.jsonl --spec v2") == (1, """\
good.jsonl: conforms to v2 (d74c7dfd1b): 3 lines, 3 events, 0 errors, 0 warnings
bad.jsonl: violations of v2 (d74c7dfd1b): 4 lines, 3 events, 2 errors, 0 warnings
bad.jsonl:2:76: QMP203 STOP data.why: unknown member; the spec has none here (spec line 56)
    …econds": 5}, "event": "STOP", "data": {"why": 1}}
                                            ^^^^^^^^
    and 1 more, in line 4

code    finding         severity    event    count
------  --------------  ----------  -------  -------
QMP203  unknown-member  error       STOP     2
""", "")  # fmt: skip


def test_validate_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(
        capsys, "validate good.jsonl bad.jsonl --spec d74c7df --format json --max-findings 1"
    )
    assert err == "qmpcheck: bad.jsonl: 1 more finding not listed\n"
    report = json.loads(out)
    assert status == 1
    of = {"format": "jsonl", "vm": "", "spec": {"name": "d74c7df", "id": "d74c7dfd1b", "not_understood": 0}}
    assert report == {
        "qmpcheck": qmpcheck.__version__,
        "spec": {"name": "d74c7df", "id": "d74c7dfd1b", "not_understood": 0},
        "streams": [
            {"path": "good.jsonl", "lines": 3, "events": 3, "verdict": "conforms"} | of,
            {"path": "bad.jsonl", "lines": 4, "events": 3, "verdict": "violations"} | of,
        ],
        "diagnostics": [
            {
                "code": "QMP203",
                "slug": "unknown-member",
                "severity": "error",
                "stream": "bad.jsonl",
                "vm": "",
                "line": 2,
                "column": 76,
                "event": "STOP",
                "path": "data.why",
                "message": "unknown member; the spec has none here",
                "spec_line": 56,
                "spec_file": None,
                "drift": None,
            }
        ],
    }


def test_reports_keep_to_their_schema(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(Path(reports.__file__).with_name("report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Path("evil.jsonl").write_text('{"event": "\\u001b[2J\\ud800"}\n[]\n{"\\u202e": 1}\n' + STOP)
    for streams in ("good.jsonl", "bad.jsonl evil.jsonl", "cut.jsonl empty.jsonl none.jsonl"):
        _, out, _ = run(capsys, f"validate {streams} --spec v2 --format json")
        Draft202012Validator(schema).validate(json.loads(out))
        assert out.isascii()
        assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("good.jsonl", 0),
        ("bad.jsonl", 1),
        ("bad.jsonl --ignore QMP203", 0),
        ("bad.jsonl --ignore QMP2", 0),
        ("bad.jsonl --select QMP1", 0),
        ("bad.jsonl --select QMP1,QMP203", 1),
        ("bad.jsonl --max-findings 0", 1),
        ("cut.jsonl", 0),
        ("cut.jsonl --fail-on warning", 1),
        ("cut.jsonl --fail-on warning --ignore QMP106", 0),
        ("empty.jsonl", 2),
        ("good.jsonl empty.jsonl", 2),
        ("bad.jsonl none.jsonl", 2),
        ("good.jsonl --jobs 2", 0),
        ("good.jsonl --jobs 0", 2),
        ("good.jsonl --select QMP7", 2),
        ("good.jsonl --fail-on never", 2),
        ("good.jsonl --max-findings x", 2),
        ("", 2),
    ],
)
def test_exit_status(options: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, f"validate --spec v2 {options}")[0] == status


def test_nothing_good_is_lost_behind_an_unreadable_stream(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.gz").write_bytes(gzip.compress((STOP + BAD).encode() * 9999)[:-20])
    status, out, err = run(capsys, "validate none.jsonl broken.gz bad.jsonl --spec v2")
    assert status == 2
    assert "bad.jsonl:2:76: QMP203" in out
    assert "broken.gz:2:76: QMP203" in out
    assert err.splitlines()[0] == "qmpcheck: none.jsonl: No such file or directory"
    assert err.splitlines()[1].startswith("qmpcheck: broken.gz: ")


@pytest.mark.parametrize(
    "command", ["validate good.jsonl --spec v2", "diff v2 v3", "schema v2", "compile v2"]
)
@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_by_name(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    there = {*Path().iterdir()}
    assert run(capsys, f"{command} -o {name}") == run(capsys, command)
    assert {*Path().iterdir()} == there


def test_an_unknown_spec_is_told_with_near_names(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "validate good.jsonl --spec v22")
    assert (status, out) == (2, "")
    assert "did you mean v2" in err


def test_output_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "validate good.jsonl --spec v2 --output report.txt") == (0, "", "")
    assert Path("report.txt").read_text().startswith("good.jsonl: conforms")
    assert run(capsys, "validate good.jsonl --spec v2 --output no/such/folder")[0] == 2


def test_standard_input_and_no_traceback_on_a_closed_pipe() -> None:
    command = [sys.executable, "-m", "qmpcheck", "validate", "-", "--spec", "v2"]
    done = subprocess.run(command, input=BAD.encode() * 20_000, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"-: violations of v2")
    piped = f"{' '.join(command)} < big.jsonl | head -n 1"
    Path("big.jsonl").write_text(BAD * 20_000)
    done = subprocess.run(["sh", "-c", piped], capture_output=True, check=False)
    assert done.stderr == b""


IO_ERROR = """\
{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "BLOCK_IO_ERROR", "data": \
{"device": "d", "operation": "read", "action": "stop"}}
"""


@pytest.mark.parametrize(
    ("options", "status", "verdict"),
    [
        ("", 0, "pending"),
        ("--fail-on warning", 1, "pending"),
        ("--complete", 1, "violations"),
        ("--complete --ignore QMP301", 0, "conforms"),
        ("--complete --within 5", 1, "violations"),
        ("--assume no-shutdown", 0, "pending"),
        ("--assume -no-shutdown", 2, ""),
        ("--assume=-no-shutdown", 0, "pending"),
        ("--assume sun", 2, ""),
        ("--within x", 2, ""),
        ("--rules none.toml", 2, ""),
    ],
)
def test_follow_ups(options: str, status: int, verdict: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("open.jsonl").write_text(IO_ERROR)
    found, out, _ = run(capsys, f"validate open.jsonl --spec v2 --format json {options}")
    assert (found, json.loads(out)["streams"][0]["verdict"] if out else "") == (status, verdict)


def test_an_erratum_makes_a_warning_unless_taken_literally(capsys: pytest.CaptureFixture[str]) -> None:
    panic = '{"event": "GUEST_PANICKED", "data": {"action": "run"}, "timestamp": {"seconds": 1, "microseconds": 5}}\n'
    Path("panic.jsonl").write_text(panic)
    status, out, _ = run(capsys, "validate panic.jsonl --spec 2.8:txt")
    assert status == 0
    assert out.splitlines()[1].endswith(
        "(known erratum guest-panicked-action) (value since 5.0) (spec line 262)"
    )
    assert run(capsys, "validate panic.jsonl --spec 2.8:txt --literal")[0] == 1


@contextmanager
def following(stream: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "qmpcheck", "validate", "--follow", stream, "--spec", "v2", *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_following_a_file_until_an_interrupt(stop: signal.Signals) -> None:
    Path("grow.jsonl").write_text(BAD)
    with following("grow.jsonl") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("grow.jsonl:1: QMP203")
        with Path("grow.jsonl").open("a") as file:
            file.write(RESUME + IO_ERROR + "nonsense\n" + CUT)
        assert process.stdout.readline().startswith("grow.jsonl:2: QMP201")
        assert process.stdout.readline().startswith("grow.jsonl:4: QMP101")
        process.send_signal(stop)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    cut, head, pending, *_ = rest.splitlines()
    assert cut.startswith("grow.jsonl:5: QMP106")
    assert head.startswith(
        "grow.jsonl: violations of v2 (d74c7dfd1b): 5 lines, 3 events, 3 errors, 2 warnings"
    )
    assert pending.startswith("grow.jsonl:3:59: QMP302")


def test_following_a_file_through_rotation() -> None:
    Path("s").write_text(BAD)
    with following("s") as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("s:1: QMP203")
        Path("s").rename("s.1")
        with Path("s.1").open("a") as file:
            file.write(BAD)  # by one who has it open still
            file.flush()
            assert process.stdout.readline().startswith("s:2: QMP203")
            Path("s").touch()
            time.sleep(0.3)  # it is seen, but nothing is in it
            file.write(BAD + CUT)
        Path("s").write_text(STOP + BAD)
        assert process.stdout.readline().startswith("s:3: QMP203")
        assert process.stdout.readline().startswith("s:4: QMP106")
        assert process.stdout.readline().startswith("s:6: QMP203")
        Path("s").unlink()
        time.sleep(0.3)
        Path("t").write_text(BAD)
        Path("t").rename("s")
        assert process.stdout.readline().startswith("s:7: QMP203")
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert rest.startswith("s: violations of v2 (d74c7dfd1b): 7 lines, 6 events, 5 errors, 1 warning\n")
    assert said == (
        "qmpcheck: s was replaced or emptied: its first line now counts as line 5\n"
        "qmpcheck: s was replaced or emptied: its first line now counts as line 7\n"
    )


def test_a_follow_up_may_come_after_a_rotation() -> None:
    Path("s").write_text(IO_ERROR + BAD)
    with following("s") as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("s:2: QMP203")
        Path("s").rename("s.1")
        Path("s").write_text(STOP + BAD)
        assert process.stderr.readline().startswith("qmpcheck: s was replaced")
        assert process.stdout.readline().startswith("s:4: QMP203")
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert rest.startswith("s: violations of v2 (d74c7dfd1b): 4 lines, 4 events, 2 errors, 0 warnings")


def test_following_a_file_that_is_emptied() -> None:
    Path("grow.jsonl").write_text(STOP + BAD + CUT)
    with following("grow.jsonl") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("grow.jsonl:2: QMP203")
        Path("grow.jsonl").write_text("")
        time.sleep(0.3)  # it is seen, but nothing is in it
        with Path("grow.jsonl").open("a") as file:
            file.write(BAD)
        assert process.stdout.readline().startswith("grow.jsonl:3: QMP106")
        assert process.stdout.readline().startswith("grow.jsonl:4: QMP203")
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
    assert rest.startswith(
        "grow.jsonl: violations of v2 (d74c7dfd1b): 4 lines, 3 events, 2 errors, 1 warning"
    )
    assert said == "qmpcheck: grow.jsonl was replaced or emptied: its first line now counts as line 4\n"
    assert process.returncode == 130


def test_following_a_pipe_until_it_ends() -> None:
    with following("-") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(BAD)
        process.stdin.flush()
        assert process.stdout.readline().startswith("-:1: QMP203")
        rest, _ = process.communicate(timeout=30)
    assert rest.startswith("-: violations")
    assert process.returncode == 1


def test_following_tells_at_once_that_a_bound_has_passed() -> None:
    io_error, reset, stop = IO_ERROR, STOP.replace("STOP", "RESET"), STOP
    stream = [
        each.replace('"seconds": 1', f'"seconds": {second}')
        for second, each in enumerate([io_error, io_error, reset, reset, reset, stop], 10)
    ]
    with following("-", "--within", "2") as process:
        assert process.stdin
        assert process.stdout
        for line, told in zip(stream, [0, 0, 0, 1, 2, 0], strict=True):
            process.stdin.write(line)
            process.stdin.flush()
            if told:
                overdue = f'-:{told}: QMP302 BLOCK_IO_ERROR: if action is "stop", STOP follows, but none came within 2 s;'
                assert process.stdout.readline().startswith(overdue)
        rest, _ = process.communicate(timeout=30)
    first, second, head, *_ = rest.splitlines()
    assert (first[:11], second[:11]) == ("-:1: QMP303", "-:2: QMP303")
    assert head == "-: violations of v2 (d74c7dfd1b): 6 lines, 6 events, 2 errors, 0 warnings"


def test_lint_of_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    Path("qapi").mkdir()
    Path("qapi/qapi-schema.json").write_text("{ 'include': 'x.json' }\n")
    note = '# .. note:: If a is "p", a STOP event will eventually follow the X1 event.\n#\n'
    Path("qapi/x.json").write_text(
        f"##\n# @X1:\n#\n{note}# .. note:: It is followed by whatever.\n##\n{{ 'event': 'X1' }}\n"
    )
    assert run(capsys, "lint qapi/qapi-schema.json") == (1, """\
qapi/x.json:4: QMP909 X1 data.a: a note about a member that the event does not have; no rule is made from it
qapi/x.json:4: QMP911 X1: a note about STOP, which the document does not describe
qapi/x.json:6: QMP901 X1: unknown sentence: It is followed by whatever.
qapi/qapi-schema.json: 1 event, 1 line not understood, 3 defects (3 errors, 0 warnings)
""", "")  # fmt: skip
    Path("qapi/x.json").write_text("{ 'event': 'X1', 'data': 'T' }\n")
    assert run(capsys, "lint qapi/qapi-schema.json") == (
        2,
        "",
        'qmpcheck: qapi/x.json:1:26: event "X1": no type is called "T"\n',
    )


def test_lint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "lint doc.txt --lines") == (0, """\
    1 heading   X1
    2 underline --
    3 data      Data: None.
    4 blank
    5 note      Note: A X1 event will eventually follow the X1 event.
doc.txt: 1 event, 5 lines, 0 not understood, 0 defects
""", "")  # fmt: skip
    Path("worse.txt").write_text("stray\x1b\nX1\n--\nData: None.\n")
    status, out, err = run(capsys, "lint worse.txt empty.jsonl doc.txt")
    assert status == 2
    assert out.splitlines()[0] == "worse.txt:1: QMP901 a line with no place here: stray\\x1b"
    assert err.startswith("qmpcheck: empty.jsonl: no event in it")
    assert run(capsys, "lint worse.txt")[0] == 1


NOT_UNDERSTOOD = """\
X1
--
Data: None.
Note: A X1 event trails behind this event.
"""


def test_lint_holds_defects_against_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    Path("worse.txt").write_text(NOT_UNDERSTOOD)
    assert run(capsys, "lint worse.txt --baseline b.json --update-baseline") == (
        0,
        "worse.txt: 1 event, 4 lines, 1 not understood, 0 new defects, 1 known\n",
        "qmpcheck: b.json: 1 entry, 1 new, 0 gone\n",
    )
    Path("worse.txt").write_text("\n" + NOT_UNDERSTOOD + "Note: A X1 event is near a X1 event.\n")
    assert run(capsys, "lint worse.txt --baseline b.json") == (1, """\
worse.txt:6: QMP901 X1: unknown sentence: A X1 event is near a X1 event.
worse.txt: 1 event, 6 lines, 2 not understood, 1 new defect (1 error, 0 warnings), 1 known
""", "")  # fmt: skip
    Path("worse.txt").write_text("X1\n--\nData: None.\n")
    assert run(capsys, "lint worse.txt --baseline b.json") == (
        0,
        "worse.txt: 1 event, 3 lines, 0 not understood, 0 defects\n",
        "qmpcheck: 1 entry of the baseline no longer occurs\n",
    )
    before = Path("b.json").read_text()
    assert run(capsys, "lint worse.txt no.txt --baseline b.json --update-baseline")[0] == 2
    assert Path("b.json").read_text() == before


def test_lint_selects_and_ignores_codes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("worse.txt").write_text(f"{NOT_UNDERSTOOD}\nX2\n---\nData: None.\n")
    assert run(capsys, "lint worse.txt --ignore QMP901")[0] == 0
    assert run(capsys, "lint worse.txt --ignore QMP901 --fail-on warning")[0] == 1
    assert (
        run(capsys, "lint worse.txt --select QMP907")[1]
        .splitlines()[1]
        .endswith("1 defect (0 errors, 1 warning)")
    )
    assert run(capsys, "lint worse.txt --select QMP1")[0] == 2


def test_lint_json_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    Path("worse.txt").write_text(NOT_UNDERSTOOD)
    status, out, _ = run(capsys, "lint worse.txt no.txt --format json --report github=r.txt")
    report = json.loads(out)
    schema = json.loads(Path(reports.__file__).with_name("lint.schema.json").read_text())
    Draft202012Validator(schema).validate(report)
    assert status == 2
    assert [(each["path"], each["verdict"]) for each in report["documents"]] == [
        ("worse.txt", "defects"),
        ("no.txt", "unchecked"),
    ]
    [finding] = report["diagnostics"]
    assert (finding["code"], finding["file"], finding["line"], finding["known"]) == (
        "QMP901",
        "worse.txt",
        4,
        False,
    )
    assert Path("r.txt").read_text().count("::error") == 2


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("compile worse.txt", 0),
        ("diff worse.txt worse.txt", 0),
        ("diff doc.txt worse.txt", 0),
        ("validate x.jsonl --spec worse.txt", 0),
    ],
)
def test_lines_of_a_spec_that_are_not_understood_are_said(
    command: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("worse.txt").write_text(NOT_UNDERSTOOD)
    Path("x.jsonl").write_text('{"event": "X1", "timestamp": {"seconds": 1, "microseconds": 0}}\n')
    said = "1 line of the spec was not understood; see `qmpcheck lint worse.txt`"
    found, _, err = run(capsys, command)
    assert (found, said in err) == (status, True)
    assert run(capsys, f"{command} --strict-spec")[0] == 2
    assert run(capsys, command.replace("worse", "doc"))[2] == ""


def test_the_json_report_says_how_many_lines_were_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    Path("worse.txt").write_text(NOT_UNDERSTOOD)
    Path("x.jsonl").write_text('{"event": "X1", "timestamp": {"seconds": 1, "microseconds": 0}}\n')
    assert (
        json.loads(run(capsys, "validate x.jsonl --spec worse.txt --format json")[1])["spec"][
            "not_understood"
        ]
        == 1
    )
    assert json.loads(run(capsys, "diff doc.txt worse.txt --format json")[1])["new"]["not_understood"] == 1


def test_compile_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    status, compiled, _ = run(capsys, "compile doc.txt")
    assert status == 0
    assert json.loads(compiled) == {
        "events": {"X1": {"data": {"type": "object"}, "follow_ups": [{"then": ["X1"], "line": 5}], "line": 1}}
    }
    assert run(capsys, "compile doc.txt -o doc.json")[0] == 0
    assert Path("doc.json").read_text() == compiled
    assert run(capsys, "schema doc.json -o doc.json") == (
        2,
        "",
        "qmpcheck: --output doc.json would overwrite doc.json\n",
    )
    assert run(capsys, "compile ./doc.txt -o doc.txt")[0] == 2
    assert run(capsys, "show doc.json X1") == (0, """\
event    what       rule        line
-------  ---------  ----------  ------
X1       event      no data     1
         follow-up  X1 follows  5
""", "")  # fmt: skip
    assert run(capsys, "show doc.json X2")[::2] == (
        2,
        'qmpcheck: the spec has no event "X2" (did you mean X1?)\n',
    )


def test_show_of_what_only_qapi_has(capsys: pytest.CaptureFixture[str]) -> None:
    Path("qapi.json").write_bytes(rulebase.dump(QAPI))
    assert run(capsys, "show qapi.json CONNECTED") == (0, """\
event      what                                 rule                                                                  line
---------  -----------------------------------  --------------------------------------------------------------------  -----------------
CONNECTED  event                                                                                                      qapi/net.json:1
           data.address                         object                                                                qapi/net.json:2
           data.address.type                    "inet", "unix", "fd" or "vsock" (depends on the build: CONFIG_LINUX)  qapi/net.json:3
           data.address.id                      string, optional                                                      qapi/net.json:4
           data.address.host (type is "inet")   string                                                                qapi/net.json:10
           data.address.port (type is "inet")   integer, 0 to 65535                                                   qapi/net.json:11
           data.address.path (type is "unix")   string                                                                qapi/unix.json:20
           data.address.port (type is "vsock")  integer, 0 to 4294967295                                              qapi/net.json:30
""", "")  # fmt: skip
    shown = run(capsys, "show qapi.json")[1]
    assert "no data, deprecated" in shown
    assert '"on" or "dim" (deprecated)' in shown


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "schema doc.txt X1")
    assert json.loads(out)["properties"]["event"] == {"const": "X1"}
    _, out, _ = run(capsys, "schema doc.txt")
    assert list(json.loads(out)["$defs"]) == ["X1"]
    assert run(capsys, "schema doc.txt X2")[0] == 2


def test_specs(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "specs")
    assert status == 0
    assert "v3         0.14, 0.15, 1.0" in out


def test_a_spec_or_an_event_in_the_wrong_place(capsys: pytest.CaptureFixture[str]) -> None:
    none = "No such file or directory"
    assert f"qmpcheck: 10.0: {none}; for the spec, write --spec 10.0\n" in run(capsys, "validate 10.0")[2]
    assert run(capsys, "show STOP")[2] == (
        'qmpcheck: no spec is called "STOP"; `qmpcheck specs` lists them; '
        "for the event, write: qmpcheck show latest STOP\n"
    )


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "explain qmp205")[1].startswith("QMP205 value-not-allowed (error)\n")
    assert run(capsys, "explain value-not-allowed")[0] == 0
    assert run(capsys, "explain QMP510")[1].startswith("QMP510 value-added (risky)\n")
    assert run(capsys, "explain QMP999")[0] == 2
    assert run(capsys, "explain STOP")[::2] == (
        2,
        "qmpcheck: STOP is an event: see `qmpcheck show latest STOP` and `qmpcheck history STOP`\n",
    )
    assert "QMP106  warning  truncated-line" in run(capsys, "explain")[1]


def test_a_clean_stream_loads_nothing_it_does_not_need() -> None:
    program = (
        "import sys; from qmpcheck.cli import main; main(['validate', 'good.jsonl', '--spec', 'v2']);"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & set(sys.argv[1:])))"
    )
    heavy = [
        "lark",
        "jsonschema",
        "tabulate",
        "tqdm",
        "gzip",
        "backports",
        "multiprocessing",
        "json",
        "hashlib",
        "jinja2",
    ]
    done = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]


CONCISE = """\
bad.jsonl: violations of v2 (d74c7dfd1b): 4 lines, 3 events, 2 errors, 0 warnings
bad.jsonl:2:76: QMP203 STOP data.why: unknown member; the spec has none here (spec line 56)
bad.jsonl:4:76: QMP203 STOP data.why: unknown member; the spec has none here (spec line 56)
"""


def test_layouts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "validate bad.jsonl --spec v2 --format concise")[1] == CONCISE
    quiet = run(capsys, "validate good.jsonl bad.jsonl --spec v2 --format concise --quiet")[1]
    assert quiet.splitlines() == CONCISE.splitlines()[1:]
    full = run(capsys, "validate bad.jsonl --spec v2 --format full")[1]
    assert [line for line in full.splitlines() if line.startswith("bad.jsonl")] == CONCISE.splitlines()
    assert full.count("^\n") == 2
    assert run(capsys, "validate bad.jsonl --spec v2 --format grouped") == run(
        capsys, "validate bad.jsonl --spec v2"
    )


def test_findings_can_leave_the_exit_status_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "validate bad.jsonl --spec v2 --exit-zero")[0] == 0
    assert run(capsys, "validate none.jsonl bad.jsonl --spec v2 --exit-zero")[0] == 2


@pytest.mark.parametrize(
    ("options", "environment", "coloured"),
    [
        ("", {}, False),
        ("--color always", {}, True),
        ("", {"FORCE_COLOR": "1"}, True),
        ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("--color never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(options: str, environment: dict[str, str], coloured: bool) -> None:
    command = [sys.executable, "-m", "qmpcheck", "validate", "bad.jsonl", "--spec", "v2", *options.split()]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert ("\x1b[" in done.stdout) == coloured
