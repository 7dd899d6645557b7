"""A real QEMU that is gated; the same with its events edited on the way, killed, hung, and crashed."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace
from real_qemu import real

from qmpcheck import reports
from qmpcheck.cli import gate, main
from qmpcheck.codes import BUILD_CODES, CODES, Impact
from qmpcheck.gate import build as builds
from qmpcheck.gate import judge, machine, run
from qmpcheck.gate import profile as profiles
from qmpcheck.gate.build import Build
from qmpcheck.gate.expectations import expected, of_build
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome
from qmpcheck.gate.scenarios import ALL
from qmpcheck.reports import formats, gatereport
from qmpcheck.specs import catalogue
from qmpcheck.version import Version

LIFE = ["--only", "life-cycle"]
NO_COMMANDS = ["--command-rules", "none"]
"""Where what is missing is to be found by the scenario alone."""


def wrapper(folder: Path, text: str, name: str = "qemu-system-x86_64", always: bool = False) -> str:
    """A script in QEMU's place; asked what it has it is the real one, if not always the text."""
    path = folder / f"{name}-wrapper"
    asked = "" if always else f'case " $* " in *" -S "*) exec {real(name)} "$@";; esac'
    path.write_text(f"#!/bin/sh\necho $$ >> {folder}/pids\n{asked}\n{text}\n")
    path.chmod(0o755)
    return str(path)


def editing(
    folder: Path, edit: str, name: str = "qemu-system-x86_64", other: str = "pass", always: bool = False
) -> str:
    """A wrapper that runs a statement on each event `e`, and another one on each other message `m`.

    If `e` is None, it is no longer sent. Where the build is asked what it has, nothing is edited, if not always.
    """
    (folder / "proxy.py").write_text(f"""
import json, subprocess, sys, time
held = None
child = subprocess.Popen([{real(name)!r}, *sys.argv[1:]], stdout=subprocess.PIPE)
for line in child.stdout:
    m = e = json.loads(line)
    if "event" not in m:
        {other}
        line = json.dumps(m).encode() + b"\\n"
    else:
        {edit}
        line = json.dumps(e).encode() + b"\\n" if e else b""
    sys.stdout.buffer.write(line)
    sys.stdout.flush()
sys.exit(child.wait())
""")
    text = f'exec {sys.executable} {folder}/proxy.py "$@"'
    return wrapper(folder, text, name, always)


def describing(schema: str, version: str = "major=99, minor=1, micro=0") -> str:
    """A statement for `editing`: the build says that it is of a version, and its schema `s` is edited."""
    greet = f"m.get('QMP', dict(version=dict(qemu=dict())))['version']['qemu'].update({version})"
    return f"s = m.get('return'); {greet}; isinstance(s, list) and s.__setitem__(slice(None), {schema})"


def alive(folder: Path) -> list[int]:
    """The processes left in the sessions of a wrapper's processes."""
    sessions = set((folder / "pids").read_text().split())
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[3] in sessions and fields[0] != "Z":
            left.append(int(stat.parent.name))
    return left


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def assert_nothing_is_left(folder: Path) -> None:
    """No process, and no file but the recordings of what failed."""
    assert alive(folder) == []
    assert not [path for path in Path(os.environ["TMPDIR"]).iterdir() if not path.name.startswith(gate.KEPT)]


@pytest.fixture(scope="module")
def verdict() -> judge.Verdict:
    """All scenarios, once."""
    build = builds.ask(real())
    return judge.judge(build, catalogue.of_version(build.version), run.run(build, ALL).outcomes)


@pytest.mark.qemu
def test_a_real_build_passes(verdict: judge.Verdict) -> None:
    failures = {
        each.outcome.scenario.name: (str(each.outcome.failure), each.faults, each.errors)
        for each in verdict.judged
        if not each.is_well
    }
    assert not failures
    assert not any(change.level() is Impact.BREAKING for change in verdict.changes)


@pytest.mark.qemu
def test_thirty_kinds_of_event_and_more_are_seen_within_a_minute(verdict: judge.Verdict) -> None:
    assert len({event for each in verdict.judged for event in each.seen}) >= 35
    assert sum(each.outcome.seconds for each in verdict.judged) < 120  # two at a time


@pytest.mark.qemu
def test_every_process_is_known_to_have_ended(verdict: judge.Verdict) -> None:
    assert all(recording.ended for each in verdict.judged for recording in each.outcome.recordings)


def edited(outcome: ScenarioOutcome, messages: list[dict[str, Any]]) -> ScenarioOutcome:
    """A scenario whose first process sent other messages."""
    first, *others = outcome.recordings
    data = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    return replace(outcome, recordings=(replace(first, data=data, arrivals=()), *others))


def edits(event: dict[str, Any], after: dict[str, Any] | None = None) -> Iterator[list[dict[str, Any]]]:
    """What may stand in the place of an event and of the one after it, if one is; each is an edit."""
    rest = [after] if after else []
    data, time = event.get("data", {}), event["timestamp"]
    yield [event | {"event": event["event"] + "S"}, *rest]
    yield [event | {"data": data | {"new": 1}}, *rest]
    yield [event | {"timestamp": {"seconds": -1, "microseconds": -1}}, *rest]
    yield rest
    yield [event, event, *rest]
    yield [event, event | {"timestamp": time | {"seconds": time["seconds"] + 1}}, *rest]
    for member in data:
        yield [event | {"data": {key: data[key] for key in data if key != member}}, *rest]
    if after and after.get("data") != data:
        yield [after, event]


@pytest.mark.qemu
def test_whatever_a_wrapper_does_to_an_event_is_found(verdict: judge.Verdict) -> None:
    outcomes = []
    for outcome in (each.outcome for each in verdict.judged if each.outcome.recordings):
        messages = [json.loads(line) for line in outcome.recordings[0].data.splitlines()]
        events = [at for at, message in enumerate(messages) if "event" in message]
        for at in events:
            after = next((later for later in events if later > at), len(messages))
            for edit in edits(*(messages[place] for place in (at, after) if place < len(messages))):
                whole = [*messages[:at], *messages[at + 1 : after], *edit, *messages[after + 1 :]]
                outcomes.append(edited(outcome, whole))
    for each in judge.judge(verdict.build, verdict.spec, outcomes).judged:
        assert not each.is_well, (each.outcome.scenario.name, each.outcome.recordings[0].data)
    assert len(outcomes) > 1000


@pytest.mark.qemu
def test_the_storage_daemon_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit = tmp_path / "junit.xml"
    assert main(["gate", "--qemu", real("qemu-storage-daemon"), "--report", f"junit={junit}"]) == 0
    told = capsys.readouterr().out
    skipped = told.count("skipped: lacks machines, as it is a storage daemon")
    assert skipped > 20
    assert f" passed, {skipped} skipped; 58 scenarios and the introspection; " in told
    root = ElementTree.parse(junit).getroot()
    assert root.attrib["skipped"] == str(skipped)
    assert (root.attrib["failures"], root.attrib["errors"]) == ("0", "0")
    [vnc] = root.findall("testsuite/testcase[@name='vnc']/skipped")
    assert vnc.attrib == {"message": "lacks machines, as it is a storage daemon"}


@pytest.mark.qemu
def test_a_gate_that_checked_nothing_is_green_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = [f"--report={each}={each}" for each in ("github", "gitlab", "junit", "markdown", "sarif")]
    command = ["gate", "--qemu", real("qemu-storage-daemon")]
    assert main([*command, "--only", "vnc", *wanted]) == 2
    told = capsys.readouterr()
    counts = "1 not played, 1 passed; 1 scenario and the introspection"
    assert f"\n{counts}; " in told.out
    assert "nothing was checked" in told.err
    assert Path("github").read_text() == (
        "::error file=vnc,title=qmpcheck::vnc: skipped: lacks machines, as it is a storage daemon\n"
        f"::notice title=qmpcheck::{counts}\n"
    )
    assert [each["check_name"] for each in json.loads(Path("gitlab").read_text())] == ["unchecked"]
    junit = ElementTree.parse("junit").getroot().attrib
    assert (junit["tests"], junit["errors"]) == ("2", "1")
    assert Path("markdown").read_text().startswith("### qmpcheck gate: 1 of 2 not checked\n")
    [invocation] = json.loads(Path("sarif").read_text())["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False


@pytest.mark.qemu
def test_a_gate_that_checked_nothing_leaves_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "known.json"
    monkeypatch.setattr(gate, "ALL", [each for each in ALL if each.name == "vnc"])
    command = ["gate", "--qemu", real("qemu-storage-daemon"), "--baseline", str(known)]
    assert main([*command, "--update-baseline"]) == 2
    assert not known.exists()


@pytest.mark.qemu
def test_a_baseline_that_cannot_be_written_costs_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its folder is removed while the gate runs."""
    folder = tmp_path / "known"
    folder.mkdir()
    monkeypatch.setattr(gate, "ALL", [each for each in ALL if each.name == "life-cycle"])
    junit = tmp_path / "junit"
    qemu = wrapper(tmp_path, f'rmdir {folder}; exec {real()} "$@"')
    command = ["gate", "--qemu", qemu, "--baseline", f"{folder}/known.json", "--update-baseline"]
    assert main([*command, "--report", f"junit={junit}"]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"qmpcheck: {folder}/known.json: No such file or directory\n"
    assert "\n2 passed; 1 scenario and the introspection; " in captured.out
    assert ElementTree.parse(junit).getroot().attrib["tests"] == "2"


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("edit", "only", "told"),
    [
        (
            "e['event'] == 'RESET' and e['data'].pop('guest')",
            "life-cycle",
            ["QMP202 RESET data.guest: mandatory member is missing"],
        ),
        (
            "e['event'] = e['event'].replace('POWERDOWN', 'POWER_DOWN')",
            "life-cycle",
            ["QMP201 POWER_DOWN", "QMP301 system_powerdown: "],
        ),
        (
            "e['event'] == 'SHUTDOWN' and e['data'].update(guest=0)",
            "life-cycle",
            ["QMP204 SHUTDOWN data.guest"],
        ),
        ("e['event'] == 'STOP' and e.update(data={'why': '\\x1b'})", "life-cycle", ["QMP203 STOP data.why"]),
        (
            "e = None if e['event'] == 'STOP' else e",
            "watchdog-pause",
            ["QMP301 WATCHDOG: "],
        ),
        ("e['timestamp']['microseconds'] = 10**6", "vnc", ["QMP104 VNC_CONNECTED"]),
        (
            "e['event'] == 'RESET' and print(json.dumps(e), flush=True)",
            "life-cycle",
            ["1 sent again", "QMP405 RESET: sent again\n"],
        ),
        (
            "e['event'] == 'STOP' and print("
            "json.dumps(e | {'timestamp': e['timestamp'] | {'microseconds': 0}}), flush=True)",
            "watchdog-pause",
            ["QMP406 STOP: unexpected\n"],
        ),
        (
            "held = e if e['event'] == 'WATCHDOG' else held; e['event'] == 'STOP' and print("
            "json.dumps(e), flush=True); e = {'WATCHDOG': None, 'STOP': held}.get(e['event'], e)",
            "watchdog-pause",
            ['QMP407 WATCHDOG: out of order (action "pause")\n'],
        ),
        (
            "e['event'] == 'RESUME' and time.sleep(2)",
            "life-cycle",
            ["QMP408 RESUME: untimely: it came ", " s or more after its timestamp\n"],
        ),
        (
            "e['event'] == 'RESUME' and e['timestamp'].update(seconds=e['timestamp']['seconds'] - 1)",
            "life-cycle",
            ["QMP408 RESUME: untimely: it came ", " s or more after its timestamp\n"],
        ),
        (
            "e['event'] == 'RESUME' and e['timestamp'].update(seconds=e['timestamp']['seconds'] + 1)",
            "life-cycle",
            ["QMP408 RESUME: untimely: its timestamp is ", " s after it came\n"],
        ),
        (
            "e['event'] == 'RESET' and e.update(timestamp={'seconds': -1, 'microseconds': -1})",
            "life-cycle",
            ["QMP408 RESET: untimely: its timestamp says that there is no clock\n"],
        ),
        (
            "e['event'] == 'RESUME' and e['timestamp'].update(seconds=1 << 63)",
            "life-cycle",
            ["QMP408 RESUME: untimely: its timestamp is ", " s after it came\n"],
        ),
        (
            "offset = e.get('data', {}).get('offset', 0); offset > 1000 and time.sleep(1)",
            "rtc",
            ["QMP408 RTC_CHANGE: untimely: it came ", " s or more after its timestamp\n"],
        ),
        (
            "e['event'] == 'STOP' and sys.stdout.write('{\"event\": \"RESUME\", ' + json.dumps(e)[1:] + '\\n'); "
            "e = None if e['event'] == 'STOP' else e",
            "life-cycle",
            ["1 key twice", 'QMP409 STOP: key twice (key "event")\n'],
        ),
        (
            "'id' in e.get('data', {}) and e['data'].update(id=e['data'].pop('id') + 's')",
            "tray",
            [
                'DEVICE_TRAY_MOVED: not seen (device "", id "cd0", tray-open true): '
                'came as DEVICE_TRAY_MOVED (device "", id "cd0s", tray-open true)\n'
            ],
        ),
        (
            "'len' in e.get('data', {}) and e['data'].update(len=1)",
            "job-ready",
            ['QMP401 BLOCK_JOB_READY: not seen (device "job0", type "mirror", len 0 or 65536, '],
        ),
        (
            "'client' in e.get('data', {}) and e['data']['client'].update(host='me')",
            "vnc",
            [
                'QMP401 VNC_CONNECTED: not seen (server.family "unix", server.host "", server.service "vnc.sock", '
            ],
        ),
        (
            'e[\'event\'] == \'STOP\' and print(\'{"event": "STOP", "timestamp": '
            "{\"seconds\": 1' + '0' * 5000 + ', \"microseconds\": 0}}')",
            "life-cycle",
            ["QMP406 STOP: unexpected\n", "QMP408 STOP: untimely: "],
        ),
    ],
    ids=[
        "member removed",
        "renamed",
        "type changed",
        "member added",
        "dropped",
        "timestamp",
        "repeated",
        "sent twice",
        "swapped",
        "late",
        "time set back",
        "time set ahead",
        "no clock",
        "in no time to come",
        "held back as if there were too many",
        "key given twice",
        "told in another order",
        "length",
        "address",
        "a number too long for Python",
    ],
)
def test_each_edit_on_the_way_is_found(
    edit: str, only: str, told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", "--qemu", editing(tmp_path, edit), "--only", only]) == 1
    report = capsys.readouterr().out
    for each in told:
        assert each in report
    assert "crashed" not in report
    assert "hung" not in report
    assert report.replace("\n", "").isprintable()
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
@pytest.mark.parametrize("code", sorted(BUILD_CODES - {"QMP410", "QMP411"}))
def test_the_bad_example_of_a_code_gives_it_and_the_good_one_nothing(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ANSWER", 2.0)
    explained = CODES[code]
    options = explained.against.removeprefix("a script in QEMU's place, ").split()
    for text, found in ((explained.bad, [code]), (explained.good, [])):
        main(["gate", "--qemu", wrapper(tmp_path, text), *options])
        told = capsys.readouterr().out
        assert re.findall(r"^[a-z-]+(?::\d+)*: (QMP...)", told, re.MULTILINE) == found, told


@pytest.mark.qemu
def test_reports_for_ci_and_a_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One event less, and a member that the spec does not have: accepted once, the same is no news."""
    edit = "e['event'] == 'STOP' and e.update(data={'why': '::error::<b>'}); e = None if e['event'] == 'RESET' else e"
    monkeypatch.setattr(gate, "ALL", [each for each in ALL if each.name == "life-cycle"])
    command = ["gate", "--qemu", editing(tmp_path, edit), *NO_COMMANDS]
    baseline, junit = str(tmp_path / "known.json"), str(tmp_path / "junit.xml")
    assert main([*command, "--report", f"junit={junit}", "--report", "github=-"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"^1 failed \(life-cycle\), 1 passed; .*; 2 errors, 0 warnings; ", told, re.MULTILINE)
    counted = re.findall(r"^(QMP\d+) +[a-z-]+ +error +(\w+) +(\d+)$", told, re.MULTILINE)
    assert counted == [("QMP203", "STOP", "1"), ("QMP401", "RESET", "1")]
    assert re.search(r"^life-cycle +[0-9.]+ +1 error, 1 not seen  ", told, re.MULTILINE)
    assert "::error file=life-cycle,line=5,title=QMP203 unknown-member::STOP data.why: " in told
    assert (
        '::error file=life-cycle,title=QMP401 event-not-seen::RESET: not seen (guest false, reason "host-qmp-system-reset")'
        in told
    )
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "1"
    [failure] = ElementTree.parse(junit).getroot().iter("failure")
    assert failure.attrib["message"].startswith("2 findings: QMP203 STOP data.why: ")
    assert main([*command, "--baseline", baseline, "--update-baseline"]) == 0
    assert [line.split('"code": ')[1][:8] for line in Path(baseline).read_text().splitlines()[2:-1]] == [
        '"QMP203"',
        '"QMP401"',
    ]
    assert capsys.readouterr().err == f"qmpcheck: {baseline}: 2 entries, 2 new, 0 gone\n"
    assert main([*command, "--baseline", baseline]) == 0
    told = capsys.readouterr().out
    assert "RESET: not seen" not in told
    assert re.search(r"^life-cycle +[0-9.]+ +2 accepted  ", told, re.MULTILINE)
    assert "\n\n\n" not in told
    assert told.endswith("; 2 accepted by the baseline\n")
    more = edit.replace("'RESET'", "'RESUME'")
    assert main(["gate", "--qemu", editing(tmp_path, more), *NO_COMMANDS, "--baseline", baseline]) == 1
    captured = capsys.readouterr()
    assert "life-cycle: QMP401 RESUME: not seen\n" in captured.out
    gone = "qmpcheck: 1 entry of the baseline no longer occurs\n"
    assert captured.err == gone
    command = ["gate", "--qemu", real(), "--baseline", baseline]
    for options, told in (("--select QMP4", gone), ("--only life-cycle", ""), ("--select QMP1", "")):
        assert main([*command, *options.split()]) == 0
        assert capsys.readouterr().err == told


SCHEMA = Draft202012Validator(json.loads(Path(reports.__file__).with_name("gate.schema.json").read_text()))


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("name", "edit", "options", "levels"),
    [
        ("qemu-system-x86_64", "e = None if e['event'] == 'RESET' else e", "--only life-cycle", {"error"}),
        (
            "qemu-system-x86_64",
            "print(json.dumps(e | {'event': '\\x1b\\ud800::', 'data': {'##[error]\\n': 1}}), flush=True)",
            "--only migration,watchdog-pause",
            {"error"},
        ),
        ("qemu-system-x86_64", "print('\\x1b' * 9, flush=True)", "--only life-cycle", {"error"}),
        ("qemu-system-x86_64", "pass", "--only life-cycle --spec 2.5", {"error", "warning", "note"}),
        ("qemu-storage-daemon", "pass", "--only vnc,nbd-*", set()),
        ("qemu-storage-daemon", "pass", "--only vnc", set()),
    ],
    ids=["event gone", "hostile events", "no JSON", "drift", "some skipped", "all skipped"],
)
def test_json_keeps_to_its_schema(
    name: str, edit: str, options: str, levels: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["gate", "--qemu", editing(tmp_path, edit, name), *options.split(), "--report", "json=report"])
    text = Path("report").read_text()
    report = json.loads(text)
    SCHEMA.validate(report)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert {finding["level"] for finding in report["findings"]} == levels
    assert {scenario["name"] for scenario in report["scenarios"]} == set(gate._names(options.split()[1]))
    assert bool(report["unchecked"]) == (options == "--only vnc")


@pytest.mark.qemu
def test_json_of_all_scenarios_keeps_to_its_schema(verdict: judge.Verdict) -> None:
    SCHEMA.validate(gatereport.report(verdict).document())


@pytest.mark.qemu
def test_json_on_standard_output_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--qemu", real(), *LIFE, "--report", "json=-"]) == 0
    captured = capsys.readouterr()
    SCHEMA.validate(json.loads(captured.out))
    assert "\n2 passed; 1 scenario and the introspection; " in captured.err
    assert main(["gate", "--qemu", real(), *LIFE, "--report", "json=-", "--report", "github=-"]) == 2


@pytest.mark.qemu
def test_a_finding_in_json_says_in_which_recording_its_line_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    edit = "e['event'] == 'RESUME' and e.update(data={'why': 1})"
    qemu = editing(tmp_path, edit)
    assert (
        main(["gate", "--qemu", qemu, "--only", "migration", "--save", ".", "--report", "json=report"]) == 1
    )
    [finding] = json.loads(Path("report").read_text())["findings"]
    assert (finding["scenario"], finding["code"]) == ("migration", "QMP203")
    line = Path(finding["file"] + ".jsonl").read_text().splitlines()[finding["line"] - 1]
    assert json.loads(line)["data"] == {"why": 1}
    assert finding["file"] == "migration-incoming"


A_MEMBER_MORE = "e['event'] == 'STOP' and e.update(data={'why': 1})"
NO_RESET = "e = None if e['event'] == 'RESET' else e"
AS_WARNINGS = 'severities = { QMP203 = "warning", QMP4 = "warning" }\n'


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("settings", "flags", "status"),
    [
        ("", "", 1),
        ('ignore = ["QMP203", "QMP401"]', "", 0),
        ('ignore = ["QMP203"]', "", 1),
        ('ignore = ["QMP401"]', "", 1),
        ('ignore = ["QMP203"]', "--ignore QMP401", 1),
        ('select = ["QMP1", "QMP5"]', "", 0),
        ('select = ["QMP1", "QMP5"]', "--select QMP4", 1),
        ("", "--select QMP4 --ignore QMP401", 0),
        ("", "--select QMP4 --ignore QMP4", 2),
        ("", "--select QMP4 --ignore QMP512", 2),
        (AS_WARNINGS, "", 0),
        (AS_WARNINGS, "--fail-on warning", 1),
        (AS_WARNINGS + 'fail-on = "warning"', "", 1),
        (AS_WARNINGS + 'fail-on = "warning"', "--fail-on error", 0),
    ],
)
def test_what_counts(
    settings: str, flags: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two findings, QMP203 and QMP401."""
    monkeypatch.chdir(tmp_path)
    Path("qmpcheck.toml").write_text(settings)
    qemu = editing(tmp_path, f"{A_MEMBER_MORE}; {NO_RESET}")
    try:
        found = main(["gate", "--qemu", qemu, *LIFE, *NO_COMMANDS, *flags.split()])
    except SystemExit as exit:
        found = int(str(exit.code))
    assert found == status


@pytest.mark.qemu
def test_what_commands_promise_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--qemu", editing(tmp_path, NO_RESET), *LIFE, "--save", str(tmp_path)]) == 1
    assert re.search(r"^life-cycle:\d+:1: QMP301 system_reset: ", capsys.readouterr().out, re.MULTILINE)
    saved = (tmp_path / "life-cycle.jsonl").read_text()
    assert '\n{"execute": "system_reset", "id": ' in saved


@pytest.mark.qemu
def test_a_severity_stands_in_every_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("qmpcheck.toml").write_text(AS_WARNINGS)
    qemu = editing(tmp_path, f"{A_MEMBER_MORE}; {NO_RESET}")
    assert main(["gate", "--qemu", qemu, *LIFE, *NO_COMMANDS, "--report", "github=-"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^life-cycle +\S+  1 warning, 1 not seen  ", told, re.MULTILINE)
    assert re.search(r"^QMP203 .* warning ", told, re.MULTILINE)
    assert re.search(r"^2 passed; .*; 0 errors, 2 warnings; ", told, re.MULTILINE)
    assert re.findall(r"^::(\w+) .*title=(QMP...)", told, re.MULTILINE) == [
        ("warning", "QMP203"),
        ("warning", "QMP401"),
    ]


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("settings", "scenario", "codes"),
    [
        ("within = 0", "watchdog-pause", ["QMP303"]),
        ("within = 9", "watchdog-pause", []),
        ('rules = ["own.toml"]', "life-cycle", ["QMP301"]),
        ('assume = ["no-shutdown"]', "guest-shutdown", []),
        ('assume = ["sun"]', "guest-shutdown", []),
    ],
)
def test_what_must_follow_and_what_is_not_assumed(
    settings: str,
    scenario: str,
    codes: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("qmpcheck.toml").write_text(settings)
    Path("own.toml").write_text('[[rule]]\nevent = "RESET"\nthen = "STOP"\n')
    assert main(["gate", "--qemu", real(), "--only", scenario]) == bool(codes)
    assert re.findall(rf"^{scenario}:\d+:\d+: (QMP...)", capsys.readouterr().out, re.MULTILINE) == codes


@pytest.mark.qemu
def test_a_wrapper_that_edits_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--qemu", editing(tmp_path, "pass"), "--only", "life-cycle,watch*,pan*"]) == 0
    assert re.search(r"^\d+ passed; ", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("text", "only", "told"),
    [
        (
            'timeout -s KILL 1 qemu-system-x86_64 "$@"',
            "rtc",
            "rtc: QMP402 crashed: it ended (",
        ),
        (
            "echo oh; printf 'why\\033\\n' >&2; exit 3",
            "vnc",
            "vnc: QMP402 crashed: it ended (exit status 3): why\\x1b",
        ),
        (
            "echo 'q: warning: old' >&2; kill -11 $$",
            "vnc",
            "vnc: QMP402 crashed: it ended (signal 11, SIGSEGV)\n",
        ),
        (
            "echo 'q: -vnc x: VNC support is disabled' >&2; kill -11 $$",
            "vnc",
            "vnc: QMP402 crashed: it ended (signal 11, SIGSEGV): q: -vnc x: VNC support is disabled\n",
        ),
        (
            "echo 'q: -vnc x: VNC support is disabled' >&2; sh -c 'kill -6 $$'; exit $?",
            "vnc",
            "vnc: QMP402 crashed: it ended (exit status 134: signal 6, SIGABRT): Aborted\n",
        ),
        (
            "echo 'q: warning: paging is not supported on this host' >&2; exit 1",
            "vnc",
            "vnc: QMP402 crashed: it ended (exit status 1)\n",
        ),
        (
            "echo 'q: invalid accelerator qtest' >&2; echo 'q: falling back to tcg' >&2; exit 1",
            "vnc",
            "vnc: QMP402 crashed: it ended (exit status 1)\n",
        ),
        (
            "echo 'q: invalid accelerator qtest' >&2; kill -8 $$",
            "vnc",
            "vnc: QMP402 crashed: it ended (signal 8, SIGFPE)\n",
        ),
        ("yes '[]'", "vnc", "vnc: QMP404 failed: it sent more than 512 KiB"),
        ("sleep 1000 & setsid true; sleep 1000", "vnc", "vnc: QMP403 hung: no QMP greeting within 2 s\n"),
        (
            "echo 'q: -device x: is not a valid device model name' >&2; exit 1",
            "vnc",
            "vnc: QMP402 crashed: it ended (exit status 1): q: -device x: is not a valid device model name\n",
        ),
    ],
    ids=[
        "killed halfway",
        "ends",
        "signal",
        "signal, whatever it said",
        "signal, told by a shell",
        "warns",
        "falls back",
        "has no second choice",
        "endless",
        "hangs",
        "refuses what it has",
    ],
)
def test_failures_are_told_apart(
    text: str,
    only: str,
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "hung" in told:
        monkeypatch.setattr(machine, "ANSWER", 2.0)
    status = main(["gate", "--qemu", wrapper(tmp_path, text), "--only", only])
    captured = capsys.readouterr()
    assert told in captured.out
    assert status == 1
    assert "nothing was checked" not in captured.err
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
@pytest.mark.parametrize("scenario", ["vnc", "migration", "life-cycle", "watchdog-pause"])
def test_a_crash_is_told_and_not_its_consequences(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its first event kills it, whatever else the scenario is connected to or waits for, and must follow."""
    edit = "import os; child.kill(); child.wait(); os.kill(os.getpid(), 11)"
    assert main(["gate", "--qemu", editing(tmp_path, edit), "--only", scenario]) == 1
    told = capsys.readouterr().out
    assert re.findall(r": (QMP\d\d\d.*)", told) == ["QMP402 crashed: it ended (signal 11, SIGSEGV)"]
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
def test_an_event_that_must_follow_and_is_not_seen_is_one_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = "e = None if e['event'] == 'STOP' else e"
    assert main(["gate", "--qemu", editing(tmp_path, edit), "--only", "watchdog-pause"]) == 1
    told = capsys.readouterr().out
    assert re.findall(r"^watchdog-pause\S*: (QMP...)", told, re.MULTILINE) == ["QMP301"]


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("edit", "options", "status", "counts"),
    [
        ("pass", "--only rtc,vnc", 0, {"passed": 3}),
        ("pass", "--only rtc,disabled-wait", 0, {"passed": 2, "skipped": 1}),
        ("pass", "--only rtc,disabled-wait --require all", 1, {"failed": 1, "passed": 2}),
        ("pass", "--only disabled-wait", 2, {"not played": 1, "passed": 1}),
        ("pass", "--only vnc --spec 7.0", 0, {"passed": 2}),
        ("pass", "--only vnc --spec 7.0 --fail-on warning", 1, {"failed": 1, "passed": 1}),
        ("e = None", "--only life-cycle,vnc,disabled-wait", 1, {"failed": 2, "not played": 1, "passed": 1}),
        ("e = None", "--only life-cycle --ignore QMP4,QMP3", 2, {"not played": 1, "passed": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_all_reports_count_the_same(
    edit: str, options: str, status: int, counts: dict[str, int], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A check is a scenario, or the introspection; what failed comes first."""
    monkeypatch.chdir(tmp_path)
    wanted = [f"--report={each}={each}" for each in ("json", "junit", "markdown", "sarif", "github")]
    assert main(["gate", "--qemu", editing(tmp_path, edit), *options.split(), *wanted]) == status
    last = capsys.readouterr().out.splitlines()[-1]
    words = re.sub(r" \(.*?\)", "", last).split("; ")[0]
    assert words == ", ".join(
        f"{counts[each]} {each}" for each in ("failed", "not played", "passed", "skipped") if each in counts
    )
    assert json.loads(Path("json").read_text())["counts"] == counts
    junit = ElementTree.parse("junit").getroot().attrib
    tests, failures, errors, skipped = (int(junit[key]) for key in ("tests", "failures", "errors", "skipped"))
    shown = {
        "failed": failures,
        "not played": errors,
        "passed": tests - failures - errors - skipped,
        "skipped": skipped,
    }
    assert {each: number for each, number in shown.items() if number} == counts
    [run] = json.loads(Path("sarif").read_text())["runs"]
    assert run["properties"] == {"counts": counts}
    for report in ("markdown", "github"):
        assert last.split(" and the introspection; ")[0] in Path(report).read_text()


@pytest.mark.qemu
@pytest.mark.parametrize("option", ["--report", "--save-profile"])
def test_a_place_that_cannot_be_written_is_found_before_anything_is_played(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = "junit=/no/such/file" if option == "--report" else "/no/such/file"
    assert main(["gate", "--qemu", wrapper(tmp_path, "exit 1", always=True), option, given]) == 2
    assert capsys.readouterr().err.endswith("/no/such/file: there is no folder /no/such\n")
    assert not (tmp_path / "pids").exists()


@pytest.mark.qemu
def test_what_a_crash_kept_from_coming_is_not_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """STOP was dropped before the crash; RESET and what follows it was never sent."""
    crash = "if e['event'] == 'RESET': child.kill(); sys.exit(1)"
    edit = f"{crash}\n        e = None if e['event'] == 'STOP' else e"
    assert main(["gate", "--qemu", editing(tmp_path, edit), *LIFE]) == 1
    told = capsys.readouterr().out
    assert re.findall(r"QMP4\d\d \w+: ?\w* \w*", told) == [
        "QMP402 crashed: it ended",
        "QMP401 STOP: not seen",
    ]


@pytest.mark.qemu
def test_one_that_does_not_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ANSWER", 1.0)
    hang = "kill -STOP $child"
    text = f'{real()} "$@" <&0 & child=$!; sleep 0.2; {hang}; wait'
    assert main(["gate", "--qemu", wrapper(tmp_path, text), "--only", "rtc"]) == 1
    assert "rtc: QMP403 hung: " in capsys.readouterr().out
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
def test_one_that_does_not_answer_before_its_time_is_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        gate, "ALL", [replace(each, seconds=2.0) for each in ALL if each.name == "life-cycle"]
    )
    assert main(["gate", "--qemu", wrapper(tmp_path, f"{GREETS}; sleep 1000")]) == 1
    told = "life-cycle: QMP403 hung: not played to its end within 2 s: no reply to qmp_capabilities\n"
    assert told in capsys.readouterr().out
    assert_nothing_is_left(tmp_path)


GREETS = """echo '{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}'"""


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_user_who_does_not_wait(stop: signal.Signals, status: int, tmp_path: Path) -> None:
    path = wrapper(tmp_path, f'{real()} "$@"')
    command = [sys.executable, "-m", "qmpcheck", "gate", "--qemu", path, "--only", "rtc,balloon"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        pids = tmp_path / "pids"
        while not pids.exists() or len(pids.read_text().split()) < 3:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(stop)
        process.communicate()
    assert process.returncode == status
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
def test_an_interrupted_gate_reports_what_it_knows(tmp_path: Path) -> None:
    path = wrapper(
        tmp_path, f'case " $* " in *" -rtc "*) touch {tmp_path}/rtc; sleep 100;; esac; exec {real()} "$@"'
    )
    command = [sys.executable, "-m", "qmpcheck", "gate", "--qemu", path, "--only", "life-cycle,rtc,vnc,tray"]
    reports = [f"--report={each}={tmp_path}/{each}" for each in ("junit", "markdown", "json")]
    with subprocess.Popen([*command, *reports], stdout=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "rtc").exists():
            time.sleep(0.02)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate()
    assert process.returncode == 143
    assert re.search(r"^life-cycle .* ok ", told, re.MULTILINE)
    assert re.search(r"^rtc .* not played", told, re.MULTILINE)
    cases = {case.attrib["name"]: case for case in ElementTree.parse(tmp_path / "junit").iter("testcase")}
    assert cases["life-cycle"].find("error") is None
    assert [each.attrib["message"] for each in cases["rtc"]] == ["not played: interrupted"]
    assert "| `rtc` | `not played: interrupted` |" in (tmp_path / "markdown").read_text()
    report = json.loads((tmp_path / "json").read_text())
    SCHEMA.validate(report)
    assert report["counts"]["not played"] >= 1
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        ("", 0, "skipped: lacks machines, as it is a storage daemon"),
        ("--require nbd-export", 0, "skipped: lacks machines, as it is a storage daemon"),
        ("--require vnc", 1, "vnc: QMP410 lost: lacks machines, as it is a storage daemon; it is required\n"),
        ("--require all", 1, "vnc: QMP410 lost: lacks machines, as it is a storage daemon; it is required\n"),
        (
            "--fail-on-skipped",
            1,
            "vnc: QMP410 lost: lacks machines, as it is a storage daemon; it is required\n",
        ),
        ("--require tray", 2, "--require tray: --only or --skip leave it out"),
    ],
)
def test_what_must_be_played(
    options: str, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["gate", "--qemu", real("qemu-storage-daemon"), "--only", "vnc,nbd-export"]
    assert main([*command, *options.split()]) == status
    assert told in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("played", "options", "message"),
    [
        ("rtc", ["--only", "tray"], "--profile: --only or --skip leave out rtc, which the profile demands"),
        ("rtc", ["--skip", "rtc"], "--profile: --only or --skip leave out rtc, which the profile demands"),
        ("rct", [], 'profile.json: no scenario is called "rct"; save the profile anew'),
    ],
)
def test_a_profile_is_demanded_as_a_whole(
    played: str, options: list[str], message: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    profiles.save("profile.json", "7.2.0", {played: ["RTC_CHANGE"]})
    assert main(["gate", "--qemu", "true", "--profile", "profile.json", *options]) == 2
    assert capsys.readouterr().err.endswith(f"qmpcheck: {message}\n")


@pytest.mark.qemu
def test_what_worked_yesterday_must_work_today(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SPICE is no longer described, and a pass of migration, which newer releases need not tell of, no longer sent."""
    profile = str(tmp_path / "profile.json")
    only = ["--only", "life-cycle,spice,migration", "--command-rules", "none"]
    assert main(["gate", "--qemu", real(), *only, "--save-profile", profile]) == 0
    saved = json.loads(Path(profile).read_text())
    assert saved["scenarios"]["life-cycle"] == ["POWERDOWN", "RESET", "RESUME", "SHUTDOWN", "STOP"]
    assert main(["gate", "--qemu", real(), *only, "--profile", profile]) == 0
    capsys.readouterr()
    schema = "[t for t in s if not t['name'].startswith(('SPICE_', 'MIGRATION_PASS'))]"
    edit = "e = None if e['event'] == 'MIGRATION_PASS' else e"
    qemu = editing(tmp_path, edit, other=describing(schema, ""), always=True)
    assert main(["gate", "--qemu", qemu, *only, "--profile", profile, "--ignore", "QMP5"]) == 1
    found = re.findall(r"^[a-z-]+: (QMP4.*)", capsys.readouterr().out, re.MULTILINE)
    version = saved["qemu"]
    assert found == [
        f"QMP410 lost: lacks the event SPICE_CONNECTED; QEMU {version} played it",
        f"QMP411 MIGRATION_PASS: not sent any more: QEMU {version} sent it",
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"qemu": 1}', "\xff"])
def test_a_file_that_is_no_profile(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "profile").write_text(text, encoding="latin-1")
    assert main(["gate", "--qemu", "no", "--profile", str(tmp_path / "profile")]) == 2
    assert f"--profile {tmp_path}/profile is no profile: " in capsys.readouterr().err


@pytest.mark.qemu
def test_a_failure_can_be_reproduced_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was sent and received is kept, with the files that QEMU needs, and the report says where."""
    edit = "e['event'] == 'RESET' and e['data'].pop('guest')"
    assert main(["gate", "--qemu", editing(tmp_path, edit), "--only", "guest-reset,life-cycle"]) == 1
    told = capsys.readouterr().out
    [kept] = re.findall(r"^recordings are in (\S+)$", told, re.MULTILINE)
    assert os.path.basename(kept).startswith(gate.KEPT)
    names = {path.name for path in Path(kept).iterdir()}
    assert {"guest-reset.jsonl", "guest-reset.toml", "guest-reset.qtest", "guest-reset.files"} <= names
    assert (Path(kept) / "guest-reset.files" / "firmware.bin").stat().st_size
    assert (Path(kept) / "guest-reset.qtest").read_text().startswith("outb 0x64 0xfe\n")
    assert (
        f"\nguest-reset by hand:\n    in {kept}/guest-reset.files, with firmware.bin:\n    {tmp_path}/qemu"
        in told
    )
    assert '\n        {"execute": "qmp_capabilities", "id": 1}\n' in told
    assert f"and over qtest 2 commands ({kept}/guest-reset.qtest), the last: outb 0xcf9 0x6\n" in told


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/no/such", "No such file or directory"),
        ("/bin", "it is a folder"),
        ("qemu-system-nothing", "it is not on PATH"),
        ("/bin/false", "it ended without an answer"),
    ],
)
def test_no_qemu(path: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--qemu", path]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"qmpcheck: cannot run {path}: {told}")
    assert message.count("\n") == 1


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--qemu /no/such", "cannot run /no/such: No such file or directory"),
        ("--qemu /dev/null", "cannot run /dev/null: Permission denied"),
        ("--qemu /bin/true", "cannot run /bin/true: it ended without an answer (exit status 0)"),
    ],
)
def test_what_could_not_be_played_is_told_by_every_report_and_an_old_one_is_gone(
    options: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real()
    monkeypatch.chdir(tmp_path)
    Path("junit").write_text("<testsuites/>" * 1000)
    wanted = [f"--report={each}={each}" for each in formats.FORMATS]
    assert main(["gate", *options.split(), *wanted]) == 2
    assert capsys.readouterr().err.startswith(f"qmpcheck: {why}")
    assert Path("github").read_text().startswith(f"::error file=gate,title=qmpcheck::gate: {why}")
    [entry] = json.loads(Path("gitlab").read_text())
    assert entry["description"].startswith(f"gate: {why}")
    root = ElementTree.parse("junit").getroot()
    assert (root.attrib["tests"], root.attrib["errors"]) == ("1", "1")
    [error] = root.iter("error")
    assert error.attrib["message"].startswith(why)
    assert Path("markdown").read_text().startswith("### qmpcheck gate: 1 of 1 not checked\n")
    [invocation] = json.loads(Path("sarif").read_text())["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    report = json.loads(Path("json").read_text())
    SCHEMA.validate(report)
    assert report["unchecked"].startswith(why)


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--spec none", 'no spec is called "none"'),
        ("--rules none.toml", "none.toml: No such file or directory"),
        ("--save /dev/null/x", "--save /dev/null/x: Not a directory"),
    ],
)
def test_wrong_options_leave_reports_as_they_were(
    options: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("junit").write_text("old")
    command = ["gate", "--qemu", real(), *options.split(), "--report=junit=junit", "--report=json=new"]
    assert main(command) == 2
    said, left = capsys.readouterr().err.splitlines()
    assert said.startswith(f"qmpcheck: {why}")
    assert left == "qmpcheck: junit was not changed: it is not of this run"
    assert Path("junit").read_text() == "old"
    assert not Path("new").exists()


@pytest.mark.qemu
def test_a_full_disk_is_no_fault_of_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = Scenario("full", "", (expected("STOP"),), lambda _: Path("/dev/full").write_text("more"))  # type: ignore[arg-type]
    monkeypatch.setattr(gate, "ALL", [full])
    junit = tmp_path / "junit"
    assert main(["gate", "--qemu", real(), "--report", f"junit={junit}"]) == 2
    told = "the disk is full, so nothing can be said about the build; full: OSError: [Errno 28] No space left on device"
    assert capsys.readouterr().err == f"qmpcheck: {told}\n"
    [error] = ElementTree.parse(junit).getroot().iter("error")
    assert error.attrib["message"] == told


@pytest.fixture
def small() -> Iterator[Path]:
    """A file system of 4 MiB, with a path that is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False)
    if not mount.returncode:
        yield folder
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()
    if mount.returncode:
        pytest.skip("no right to mount")


@pytest.mark.qemu
def test_a_dump_that_the_disk_has_no_room_for_is_no_fault_of_the_build(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """QEMU itself says so, in an event."""
    monkeypatch.setenv("TMPDIR", str(small))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert main(["gate", "--qemu", real(), "--only", "dump,life-cycle"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("qmpcheck: the disk is full, so nothing can be said about the build; dump: ")
    assert "No space left on device" in said


@pytest.mark.qemu
def test_a_qemu_that_says_that_the_disk_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    qemu = wrapper(tmp_path, "cat $0 >/dev/full; exit 1")
    assert main(["gate", "--qemu", qemu, *LIFE]) == 2
    assert (
        "the disk is full, so nothing can be said about the build; life-cycle: it ended"
        in capsys.readouterr().err
    )


@pytest.mark.qemu
def test_what_cannot_be_saved_is_told_beside_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "life-cycle.jsonl").symlink_to("/dev/full")
    assert main(["gate", "--qemu", real(), *LIFE, "--save", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"qmpcheck: --save {tmp_path}: No space left on device\n"
    assert "\n2 passed; 1 scenario and the introspection; " in captured.out


@pytest.mark.qemu
def test_recordings_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "saved"
    assert main(["gate", "--qemu", real(), "--only", "migration", "--save", str(folder)]) == 0
    files = sorted(path.name for path in folder.iterdir())
    assert files == [
        "migration-incoming.jsonl",
        "migration-incoming.toml",
        "migration.jsonl",
        "migration.toml",
    ]
    assert (folder / "migration.jsonl").read_bytes().startswith(b'{"QMP"')
    assert '"migrates to another"' not in (folder / "migration.toml").read_text()
    capsys.readouterr()
    command = ["validate", "--spec", f"qemu:{real()}", "--complete"]
    assert main([*command, *map(str, folder.glob("*.jsonl"))]) == 0


@pytest.mark.qemu
def test_what_sent_nothing_is_not_kept(tmp_path: Path) -> None:
    qemu = wrapper(tmp_path, "echo 'vnc support is disabled' >&2; exit 1")
    folder = tmp_path / "saved"
    assert main(["gate", "--qemu", qemu, "--only", "vnc", "--save", str(folder)]) == 1
    assert not [*folder.iterdir()]


@pytest.mark.qemu
def test_the_recordings_notes_are_toml(tmp_path: Path) -> None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    assert main(["gate", "--qemu", real(), *LIFE, "--save", str(tmp_path)]) == 0
    note = tomllib.loads((tmp_path / "life-cycle.toml").read_text())
    assert note["command"][0] == "qemu-system-x86_64"
    assert note["events"] == ["STOP", "RESUME", "RESET", "POWERDOWN", "SHUTDOWN"]
    assert note["ended"] is True


@pytest.mark.qemu
def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--qemu", real(), *LIFE, "--save", "/dev/null/x"]) == 2
    assert "--save /dev/null/x: " in capsys.readouterr().err


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--list", "--only", "rtc,v*", "--skip", "vnc,vhost-*"]) == 0
    assert capsys.readouterr().out == (
        "rtc: the guest sets its clock twice (within 25 s)\n    RTC_CHANGE, SHUTDOWN\n"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--only", "life-cicle"], 'no scenario is called "life-cicle" (did you mean life-cycle'),
        (["--only", "vnc", "--skip", "v*"], "--only and --skip leave no scenario"),
        ([], "--qemu PATH is missing"),
        (["--qemu", ""], "--qemu PATH is missing"),
        (["--qemu", "no", "--baseline", "no", "--update-baseline", "--only", "vnc"], "with --only or --skip"),
        (["--qemu", "no", "--baseline", "no", "--update-baseline", "--skip", "vnc"], "with --only or --skip"),
    ],
)
def test_usage(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(["gate", *options])
    except SystemExit as error:
        status = int(str(error.code))
    assert status == 2
    assert told in capsys.readouterr().err


@pytest.mark.qemu
def test_no_report_is_written_over_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qemu = wrapper(tmp_path, "exit 1")
    text = Path(qemu).read_text()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for name in (qemu, os.path.basename(qemu)):
        assert main(["gate", "--qemu", name, *LIFE, "--report", f"json={qemu}"]) == 2
        assert f"--report {qemu} would overwrite {qemu}" in capsys.readouterr().err
    assert Path(qemu).read_text() == text


def test_names_are_distinct() -> None:
    assert len({scenario.name for scenario in ALL}) == len(ALL)


NEWEST = catalogue.find("latest").id
WITH_BELL = "s + [t | {'name': 'BELL'} for t in s if t['name'] == 'STOP']"
"""It describes one event more."""
WITHOUT_POWERDOWN = "[t for t in s if t['name'] != 'POWERDOWN']"
BELL_RINGS = "e['event'] == 'STOP' and print(json.dumps(e | {'event': 'BELL'}), flush=True)"


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("schema", "edit", "findings"),
    [
        ("s", "pass", []),
        (WITH_BELL, "pass", []),
        (
            WITH_BELL,
            BELL_RINGS,
            [
                "QMP201 BELL event: unknown event; the spec has none of this name (may be new in 99.1)",
                "QMP406 BELL: unexpected",
            ],
        ),
        (
            "s",
            BELL_RINGS,
            ["QMP201 BELL event: unknown event; the spec has none of this name (by its own introspection)"],
        ),
        (
            WITHOUT_POWERDOWN,
            "pass",
            [
                "QMP201 POWERDOWN event: unknown event; the spec has none of this name (by its own introspection)"
            ],
        ),
    ],
    ids=["the same", "declares one more", "sends one more", "declares it not", "declares one less"],
)
def test_a_newer_build_is_checked_by_the_newest_release_and_by_what_it_says_about_itself(
    schema: str, edit: str, findings: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What may be new is a warning, as in every command. What the build does not even declare is an error."""
    qemu = editing(tmp_path, edit, other=describing(schema), always=True)
    is_error = any("own introspection" in each for each in findings)
    assert main(["gate", "--qemu", qemu, *LIFE]) == is_error
    told = capsys.readouterr()
    assert f"99.1.0 is checked against {NEWEST}, and what may be new in 99.1 is a warning: " in told.err
    assert f" 99.1.0 against {NEWEST}\n" in told.out
    found = re.findall(r"^life-cycle(?::\d+)*: (QMP.*?)(?: \(warning\))?$", told.out, re.MULTILINE)
    assert found == findings


@pytest.mark.qemu
def test_how_a_newer_build_differs_from_the_release_before_it_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = f"[t for t in {WITH_BELL} if t['name'] != 'BALLOON_CHANGE']"
    for version, before in (("major=99, minor=1", NEWEST), ("major=5, minor=2, micro=50", "5.2")):
        qemu = editing(tmp_path, "pass", other=describing(schema, version), always=True)
        assert main(["gate", "--qemu", qemu, *LIFE, "--report", "github=-"]) == 0
        told = capsys.readouterr().out
        assert "::error" not in told
        assert f"since {before}: QMP501 BALLOON_CHANGE: event removed (breaking)\n" in told
        assert f"since {before}: QMP502 BELL: event added (safe)\n" in told
        assert main(["gate", "--qemu", qemu, *LIFE, "--spec", before]) == 1
        assert "the build: QMP501 BALLOON_CHANGE: event removed (breaking)\n" in capsys.readouterr().out


@pytest.mark.qemu
def test_a_release_candidate_is_checked_as_its_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = builds.ask(real())
    release = build.version.release
    names = [spec.name for spec in catalogue.releases()]
    if release not in names[1:]:
        pytest.skip(f"no release before {release} in the catalogue")
    before = names[names.index(release) - 1]
    candidate = Version(*map(int, before.split(".")))._replace(micro=91)
    monkeypatch.setattr(builds, "ask", lambda _: build._replace(version=candidate))
    assert main(["gate", "--qemu", "qemu", "--only", "rtc"]) == 0
    assert f"qmpcheck: {candidate} is a release candidate of {release}: " in capsys.readouterr().err


@pytest.mark.qemu
def test_what_breaks_clients_in_the_build_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = builds.ask(real())
    events = {name: rule for name, rule in build.rule_base.events.items() if name != "STOP"}
    less = build._replace(rule_base=type(build.rule_base)(events, source=build.rule_base.source))
    monkeypatch.setattr(builds, "ask", lambda _: less)
    release = catalogue.at_or_before(build.version)
    assert release
    assert main(["gate", "--qemu", "qemu", "--only", "rtc", "--spec", release.id]) == 1
    told = capsys.readouterr().out
    assert "the build: QMP501 STOP: event removed" in told
    assert "; 1 error, 0 warnings; 1 difference from the spec, 1 of them breaking\n" in told
    assert main(["gate", "--qemu", "qemu", "--only", "rtc", "--ignore", "QMP501:STOP"]) == 0
    assert "QMP501" not in capsys.readouterr().out
    assert main(["gate", "--qemu", "qemu", "--only", "rtc", "--ignore", "QMP501:RESUME"]) == 1
    assert main(["gate", "--qemu", "qemu", "--only", "rtc", "--ignore", "QMP501"]) == 0
    monkeypatch.chdir(tmp_path)
    Path("qmpcheck.toml").write_text('severities = { QMP501 = "warning" }')
    assert main(["gate", "--qemu", "qemu", "--only", "rtc"]) == 0
    assert main(["gate", "--qemu", "qemu", "--only", "rtc", "--fail-on", "warning"]) == 1


def test_what_a_build_does_not_know_is_not_expected_of_it() -> None:
    build = Build("qemu", Version(7, 2), catalogue.find("1.0").rule_base, frozenset({"system_reset"}))
    expects = (expected("SHUTDOWN", reason="host-qmp-quit"), expected("SUSPEND"), expected("STOP"))
    assert [*map(str, of_build(build, expects))] == ["SHUTDOWN", "STOP"]
    late = Scenario("late", "", (expected("NETDEV_STREAM_CONNECTED"), expected("SHUTDOWN")), lambda _: None)
    [outcome] = run.run(build, [late]).outcomes
    assert str(outcome.failure) == "lacks: the event NETDEV_STREAM_CONNECTED"


@pytest.mark.parametrize(
    ("options", "lacks"),
    [
        (["-machine", "pc,accel=tcg", "-device", "ib700,id=a"], ""),
        (["-machine", "microvm"], "the machine type microvm"),
        (["-machine", "none,accel=kvm:tcg"], ""),
        (["-machine", "none,accel=kvm"], "the accelerator kvm"),
        (["-device", "ib700", "-device", "ib701"], "the device ib701"),
        (["--blockdev", '{"driver": "raw", "file": {"driver": "null-co"}}'], ""),
        (["--blockdev", '{"driver": "raw", "children": [{"driver": "quorum"}]}'], "the block driver quorum"),
    ],
)
def test_what_a_build_lacks_is_what_it_does_not_list(options: list[str], lacks: str) -> None:
    build = Build(
        "qemu", Version(7, 2), catalogue.find("7.2").rule_base, frozenset(),
        machines=frozenset({"pc", "none"}), types=frozenset({"ib700", "tcg-accel"}),
        drivers=frozenset({"raw", "null-co"}),
    )  # fmt: skip
    assert build.lacking(options) == lacks
    silent = build._replace(machines=frozenset(), types=frozenset(), drivers=frozenset())
    assert silent.lacking(options) == ""


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("other", "always", "only", "told"),
    [
        (
            "s = m.get('return'); isinstance(s, list) and s.__setitem__(slice(None), "
            "[t for t in s if t['name'] != 'usb-tablet'])",
            True,
            "unplug-usb,life-cycle",
            "skipped: lacks the device usb-tablet",
        ),
        (
            "m.get('id') == 2 and (m.pop('return'), m.update(error=dict("
            "{'class': 'CommandNotFound'}, desc='The command stop has not been found')))",
            False,
            "life-cycle",
            "life-cycle: QMP404 failed: stop: The command stop has not been found",
        ),
    ],
    ids=["a device that the build does not list", "a command that its schema has"],
)
def test_only_what_the_build_itself_does_not_list_is_no_finding(
    other: str, always: bool, only: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["gate", "--qemu", editing(tmp_path, "pass", other=other, always=always), "--only", only])
    assert told in capsys.readouterr().out
    assert status == ("QMP404" in told)


@pytest.mark.qemu
def test_a_module_that_is_missing_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema says that the build has SPICE; without its module it has not."""
    modules = [*Path("/usr/lib").glob("*/qemu/ui-spice-core.so")]
    hides = f"unshare -m sh -c 'mount --bind /dev/null {modules[0]}; exec \"$@\"' -" if modules else ""
    if not hides or subprocess.run(["sh", "-c", f"{hides} true"], check=False).returncode:
        pytest.skip("no module to hide, or no right to do so")
    qemu = wrapper(tmp_path, f'exec {hides} {real()} "$@"')
    assert main(["gate", "--qemu", qemu, "--only", "spice,vnc"]) == 1
    told = capsys.readouterr().out
    assert "spice: QMP402 crashed: it ended (exit status 1): " in told
    assert "skipped:" not in told
