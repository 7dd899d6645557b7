"""Clients that are run against what releases send: those that survive, and those that do not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_replay import GREETING

from qmpcheck.cli import main

CLIENT = """
import json, socket, sys, time

def read(use):
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as file:
        connection.connect(sys.argv[1])
        json.loads(file.readline())
        connection.sendall(b'{"execute": "qmp_capabilities"}')
        for line in file:
            use(json.loads(line))
"""

READS_ALL = "read(lambda message: None)"
NEEDS_QOM_PATH = (
    'read(lambda message: message.get("event") == "BLOCK_IO_ERROR" and message["data"]["qom-path"])'
)
LEAVES = 'read(lambda message: message.get("event") == "WATCHDOG" and sys.exit(0))'
STOPS_READING = 'read(lambda message: message.get("event") == "WATCHDOG" and time.sleep(3600))'
NEVER_ENDS = f"{READS_ALL}\ntime.sleep(3600)"
DAEMON = """
while True:
    try:
        read(lambda message: None)
    except OSError:
        time.sleep(0.01)
"""
DIES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


def command(tmp_path: Path, code: str) -> str:
    """The command of a client that does that."""
    path = tmp_path / "client.py"
    path.write_text(f"{CLIENT}\n{code}\n")
    return f"{sys.executable} {path} {{}}"


def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, *arguments: str) -> tuple[int, str]:
    status = main(["replay", *arguments, "--exec", command(tmp_path, code)])
    return status, capsys.readouterr().out


def test_a_client_is_run_against_each_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = ran(tmp_path, capsys, NEEDS_QOM_PATH, "--spec", "9.1..10.0")
    assert status == 1
    lines = [" ".join(line.split()) for line in report.splitlines()]
    assert lines[0] == "stream events client"
    assert lines[2].startswith("9.1 ")
    assert lines[2].endswith(" exit status 1")
    assert [line.split()[-1] for line in lines[3:5]] == ["survived", "survived"]
    assert "9.1: exit status 1" in lines
    assert lines[-1] == "KeyError: 'qom-path'"
    sent = lines[lines.index("last messages to it:") + 1 : lines.index("last lines that it printed:")]
    assert any("BLOCK_IO_ERROR" in line for line in sent)


@pytest.mark.parametrize("code", [READS_ALL, DAEMON], ids=["ends", "connects again"])
def test_a_client_survives_that_reads_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    status, report = ran(tmp_path, capsys, code, "--spec", "11.1")
    [row] = report.splitlines()[2:]
    name, read, _, all_of_them, verdict = row.split()
    assert (status, name, verdict) == (0, "11.1", "survived")
    assert read == all_of_them


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (LEAVES, "it closed the connection too early"),
        (DIES, "signal 11, SIGSEGV"),
        ("", "it did not connect"),
        ("sys.exit(3)", "exit status 3"),
        (NEVER_ENDS, "time-out, 2 s: it did not end"),
        (STOPS_READING, "time-out, 2 s: it stopped reading"),
    ],
)
def test_a_client_does_not_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str, failure: str
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("two.jsonl").write_bytes(GREETING + b'\n{"event": "WATCHDOG"}\n{"event": "STOP"}\n')
    status, report = ran(tmp_path, capsys, code, "two.jsonl", "--timeout", "2")
    assert status == 1
    assert f"\ntwo.jsonl: {failure}\n" in report


def test_a_recording_can_be_what_a_client_is_to_survive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A client that expects JSON does not survive a line that is none."""
    recording = tmp_path / "recording.jsonl"
    recording.write_bytes(GREETING + b'\n{"event": "STOP"\n')
    status, report = ran(tmp_path, capsys, READS_ALL, str(recording))
    assert status == 1
    assert '    {"event": "STOP"\n' in report


def test_the_last_event_must_be_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = """
import select

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    while connection.recv(1) != b"\\n":
        pass
    connection.sendall(b'{"execute": "qmp_capabilities"}')
    while connection.recv(1) != b"\\n":
        pass
    select.select([connection], [], [])  # the event is there
"""
    recording = tmp_path / "recording.jsonl"
    recording.write_bytes(GREETING + b'\n{"event": "STOP"}\n')
    status, report = ran(tmp_path, capsys, code, str(recording))
    assert status == 1
    assert "it closed the connection too early" in report


def test_a_script_is_part_of_what_a_client_meets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = tmp_path / "script.toml"
    steps.write_text('[[meet]]\nafter = 3\nsend = [{ event = "BLOCK_IO_ERROR" }]\n')
    status, report = ran(tmp_path, capsys, NEEDS_QOM_PATH, "--spec", "11.1", "--script", str(steps))
    assert (status, "KeyError: 'data'" in report) == (1, True)


def test_nothing_of_a_client_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = f"import subprocess; print(subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(3600)'], start_new_session=True).pid, flush=True)"
    status, report = ran(tmp_path, capsys, child, "--spec", "11.1")
    pid = int(report.splitlines()[-1])
    assert status == 1
    while is_alive(pid):  # whoever inherits it may take a moment to reap it
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_it_and_the_client(tmp_path: Path, number: int, status: int) -> None:
    code = "import os; file = open(sys.argv[2], 'w'); file.write(f'{os.getpid()} '); file.close(); time.sleep(3600)"
    mark = tmp_path / "mark"
    words = [
        sys.executable,
        "-m",
        "qmpcheck",
        "replay",
        "--spec",
        "11.1",
        "--exec",
        f"{command(tmp_path, code)} {mark}",
    ]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        while not (mark.exists() and mark.read_text().endswith(" ")):
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(60) == status
    while is_alive(int(mark.read_text())):
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--spec", "9.2..11.1", "--listen", "unix:x"], "--spec 9.2..11.1: --listen takes one release; a range needs --exec"),
        (["--spec", "11.1"], "name an address to listen at (--listen), or a client to run (--exec)"),
        (["--exec", "true {}"], "name a FILE to play, or a release with --spec"),
        (["--exec", "true", "--spec", "11.1"], '--exec: "true": write {} in the place of the address of the server'),
        (["--exec", "true '{}", "--spec", "11.1"], "--exec: \"true '{}\": No closing quotation"),
        (["--exec", "/no/client {}", "--spec", "11.1"], "/no/client: No such file or directory"),
        (["--exec", "true {}", "--spec", "11.1..9.2"], '"11.1..9.2": 11.1 is newer than 9.2'),
        (["--exec", "true {}", "--spec", "9.2..12.1"], '"9.2..12.1": no spec is called "12.1": it is newer than '),
        (["--exec", "true {}", "--spec", "v3..2.0"], '"v3..2.0": "v3" is no release'),
        (["--exec", "true {}", "--spec", "9.2-11.1"], '"9.2-11.1": write 9.2..11.1 for these releases'),
        (["--exec", "true {}", "quiet.jsonl"], "quiet.jsonl: no event in it"),
        (["--exec", "true {}", "--events", "3", "quiet.jsonl"], "--events is for generated streams, not for a FILE"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quiet.jsonl").write_bytes(GREETING + b"\n")
    assert main(["replay", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"qmpcheck: {message}")
