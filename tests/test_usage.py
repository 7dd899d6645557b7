"""What the command line offers to somebody who is not sure: suggestions, examples, completion."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from qmpcheck.cli import COMMANDS, config, main


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("validat s.jsonl", 'unknown command "validat" (did you mean validate?)'),
        ("--versoin", "missing argument: COMMAND"),
        ("validate", "missing argument: STREAM"),
        ("record x", "missing argument: --output"),
        ("specs 10.0", "unexpected argument: 10.0"),
        ("validate s --complet", "unknown option --complet (did you mean --complete?)"),
        ("validate s -z", "unknown option -z"),
        ("diff 10.0 11.1 --used-bye x", "unknown option --used-bye (did you mean --used-by?)"),
        ("validate s --literal=yes", "--literal takes no value"),
        ("validate s --jobs 2 --cluster x", "--cluster and --jobs cannot be used together"),
        ("validate s --jobs no", '--jobs: expected a number of processes, at least 1, not "no"'),
        ("validate s --cluster local:x", '--cluster: expected tcp://SCHEDULER:8786, or local:N for N processes, not "local:x"'),
        ("validate s --max-findings all", '--max-findings: expected a whole number, not "all"'),
        ("validate s --within soon", '--within: expected a number of seconds, not "soon"'),
        ("validate s --join [", '--join: "[" is not a regular expression: unterminated character set at position 0'),
        ("validate s --join vm", '--join: "vm" needs a group (...) around the name of the VM'),
        (
            "validate s --assume -no-shutdown",
            "--assume needs a value; one that begins with - is written --assume=-VALUE",
        ),
        (
            "validate s --format jsn",
            '--format: unknown value "jsn" (did you mean json?); expected text, grouped, full, concise or json',
        ),
        (
            "validate s --format sarif",
            '--format: unknown value "sarif"; expected text, grouped, full, concise or json; for a report, write --report sarif=FILE, where - is standard output',
        ),
        ("diff 1.0 1.1 --profile strickt", '--profile: unknown value "strickt" (did you mean strict?); expected tolerant or strict'),
        (
            "fit s --input libvrt",
            '--input: unknown value "libvrt" (did you mean libvirt?); expected jsonl, kubevirt, journald, libvirt, '
            "trace, virsh, incus, avocado, python, logfmt, qmp-proxy, iotests, qmp-shell, socat, prefixed, json or json-log",
        ),
        (
            "validate s --fail-on warnign",
            '--fail-on: unknown severity "warnign" (did you mean warning?); expected error or warning',
        ),
        (
            "lint s --report htlm=x",
            '--report: unknown format "htlm"; expected github, gitlab, json, junit, markdown or sarif',
        ),
        ("fit s --report htlm=x", '--report: unknown format "htlm" (did you mean html?); expected html'),
        ("fit s --report html", "--report: html names no file: write html=FILE, where - is standard output"),
        ("fit s --format markdown", '--format: unknown value "markdown"; expected text or json'),
        ("diff 9.2..11.1", 'OLD: "9.2..11.1" names two specs; write them apart: 9.2 11.1'),
        ("diff git:a..b", 'OLD: "git:a..b" names two specs; write them apart: git:a git:b'),
        ("diff git:../q@a...b", 'OLD: "git:../q@a...b" names two specs; write them apart: git:../q@a git:../q@b'),
        ("diff ../q", "missing argument: NEW"),
        ("validate s --select QMP203:STOP", "--select: CODE:EVENT is for --ignore only"),
        ("lint s --ignore QMP901:STOP", '--ignore: expected a code without an event, not "QMP901:STOP"'),
        ("lint s --ignore unknown-line", '--ignore: no code here begins with "unknown-line"'),
        ("validate s --select QMP7", '--select: no code here begins with "QMP7"'),
        ("replay s --timeout never", '--timeout: expected a number greater than 0, not "never"'),
    ],
)  # fmt: skip
def test_a_mistake_and_what_was_meant(command: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(command.split())
    assert exit.value.code == 2
    name, *_ = command.split()
    name = f"{name} " if name in COMMANDS else ""
    assert capsys.readouterr().err == f"qmpcheck: {error}\nsee 'qmpcheck {name}--help'\n"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "explain a code, an erratum or a rule" in capsys.readouterr().err


def test_an_assumed_option_may_have_its_dash(tmp_path: Path) -> None:
    stream = tmp_path / "s.jsonl"
    stream.write_text('{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n')
    assert main(["validate", str(stream), "--spec", "2.8:txt", "--assume=-no-shutdown"]) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert f"qmpcheck {command}" in text.partition("\nExample")[2]


def completed(line: str) -> list[str]:
    """What the shell would offer at the end of a line."""
    environment = {
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": " ",
    }
    program = "import os, sys; os.dup2(1, 8); os.dup2(2, 9); sys.argv = ['qmpcheck']; import qmpcheck.cli as c; c.main([])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("qmpcheck val", ["validate"]),
        ("qmpcheck validate s.jsonl --compl", ["--complete"]),
        ("qmpcheck validate --spec 2.1", ["2.1", "2.10", "2.11", "2.12", "2.1:txt"]),
        ("qmpcheck explain QMP30", ["QMP301", "QMP302", "QMP303", "QMP304", "QMP305", "QMP306", "QMP307"]),
        ("qmpcheck show 10.0 BLOCK_IO", ["BLOCK_IO_ERROR"]),
    ],
)  # fmt: skip
def test_completion(line: str, offered: list[str]) -> None:
    assert sorted(completed(line)) == offered


def test_explaining_the_beginning_of_codes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "QMP20"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "QMP201", "QMP202", "QMP203", "QMP204", "QMP205", "QMP206"
    ]  # fmt: skip


SETTINGS = 'spec = "v2"\nignore = ["QMP203:STOP"]\nseverities = { QMP302 = "error" }\n'


def test_showing_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    main(["show-settings"])
    assert capsys.readouterr().out.splitlines()[:2] == [
        "no configuration file; the defaults:",
        '  spec       "auto" (default)',
    ]
    Path("qmpcheck.toml").write_text(SETTINGS)
    main(["show-settings"])
    assert (
        capsys.readouterr().out
        == """\
qmpcheck.toml:
  spec       "v2"
  select     not set (default)
  ignore     ["QMP203:STOP"]
  severities {"QMP302": "error"}
  assume     [] (default)
  rules      [] (default)
  within     not set (default)
  fail-on    "error" (default)
  extra      [] (default)
"""
    )


def test_the_schema_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["show-settings", "--schema"])
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"spec": "v2", "severities": {"QMP2": "warning"}, "within": 0.5})
    for wrong in ({"spek": "v2"}, {"within": -1}, {"severities": {"QMP2": "off"}}, {"select": "QMP2"}):
        assert not validator.is_valid(wrong)
    assert {*schema["$defs"]["ConfigSettings"]["properties"]} == {*config.KEYS}


@pytest.mark.parametrize(
    ("ignored", "error"),
    [
        ("QMP203:STPO", 'qmpcheck: ignore: no spec has an event "STPO" (did you mean STOP?)\n'),
        ("QMP203:BELL", 'qmpcheck: ignore: no spec has an event "BELL"\n'),
        ("QMP201:BELL", ""),  # what is ignored is that no spec has it
        ("QMP2:BELL", ""),
        ("QMP203:__com.example_BELL", ""),
        ("QMP203:WAKEUP", ""),
        ("QMP203:DEBUG", ""),  # of an old release only
    ],
)
def test_an_event_to_ignore_that_no_spec_has(
    ignored: str, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = tmp_path / "s.jsonl"
    stream.write_text('{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n')
    status = main(["validate", str(stream), "--spec", "10.0", "--ignore", ignored])
    assert (status, capsys.readouterr().err) == (2 if error else 0, error)


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("QMP203:STOP", ["RESUME"]),
        ("QMP2:STOP,QMP203:RESUME", []),
        ("QMP201:STOP", ["RESUME", "STOP"]),
        ("QMP203", []),
    ],
)
def test_ignoring_a_code_for_one_event(
    ignored: str, left: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = tmp_path / "s.jsonl"
    stream.write_text(
        "".join(
            f'{{"event": "{event}", "timestamp": {{"seconds": 1, "microseconds": 0}}, "data": {{"why": 1}}}}\n'
            for event in ("STOP", "RESUME")
        )
    )
    status = main(["validate", str(stream), "--spec", "10.0", "--format", "json", "--ignore", ignored])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert (sorted(each["event"] for each in found), status) == (left, bool(left))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_of_80_columns(command: str) -> None:
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    with subprocess.Popen([sys.executable, "-m", "qmpcheck", *command.split(), "--help"], stdout=writer):
        os.close(writer)
        shown = b""
        with suppress(OSError):  # how a terminal ends
            while piece := os.read(reader, 4096):
                shown += piece
    os.close(reader)
    assert b"show this help message" in shown
    assert max(map(len, shown.decode().splitlines())) <= 80


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("convert s -o no/such", "--output"),
        ("compile s -o no/such", "--output"),
        ("schema s -o no/such", "--output"),
        ("generate --spec s -o no/such", "--output"),
        ("validate s --baseline no/such --update-baseline", "--baseline"),
        ("gate --qemu s --baseline no/such --update-baseline", "--baseline"),
        ("lint s --baseline no/such --update-baseline", "--baseline"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(
    command: str,
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Even before it is known that there is no `s`."""
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    assert capsys.readouterr() == ("", f"qmpcheck: {option} no/such: there is no folder {tmp_path}/no\n")


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_generated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    command = ["generate", "--spec", "7.2", "--mutate", "-o", "file/new", "--events"]
    assert main([*command, "100000000000"]) == 2
    assert capsys.readouterr().err == "qmpcheck: file/new: Not a directory\n"
