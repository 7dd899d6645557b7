"""Broken surroundings and broken specs: a clear message and status 2, never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checking import check

from qmpcheck.checking.result import OTHER_EVENTS, FindingKind
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue, documents

STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}\n'


def shell(script: str, folder: Path) -> tuple[int, str]:
    """Status and standard error of a shell script, in which `$Q` is the tool."""
    environment = os.environ | {"Q": f"{sys.executable} -m qmpcheck"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        ("$Q validate - --spec v2 <&-", 2, "qmpcheck: -: standard input is closed"),
        ("$Q validate s.jsonl --spec v2 >&-", 2, "qmpcheck: standard output is closed"),
        (
            "$Q validate s.jsonl --spec v2 >/dev/full",
            2,
            "qmpcheck: cannot write the report: No space left on device",
        ),
        (
            "PYTHONUNBUFFERED=1 $Q specs >/dev/full",
            2,
            "qmpcheck: cannot write the report: No space left on device",
        ),
        ("$Q validate nope.jsonl --spec v2 2>&-", 2, ""),
        ("$Q validate nope.jsonl --spec v2 2>/dev/full", 2, ""),
        ("$Q validate s.jsonl --spec nope 2>/dev/full", 2, ""),
        ("$Q nope 2>/dev/full", 2, ""),
        (
            "mkdir empty; $Q validate empty --spec v2",
            2,
            "qmpcheck: empty: no recording or log in it: *.jsonl",
        ),
        ("$Q validate s.jsonl --spec .", 2, "qmpcheck: .: Is a directory"),
        (
            "$Q validate s.jsonl --spec v2 --output s.jsonl",
            2,
            "qmpcheck: --output s.jsonl would overwrite",
        ),
        ("$Q validate s.jsonl --spec v2 --output $'\\e[31m/x'", 2, "qmpcheck: --output \\x1b[31m/x: "),
        ("$Q validate s.jsonl --spec v2 $'--\\e[31m'", 2, "qmpcheck: unexpected argument: --\\x1b[31m"),
        (
            "LC_ALL=C PYTHONIOENCODING=ascii $Q validate $'\\xff\\u202e' --spec v2",
            2,
            "qmpcheck: \\udcff\\u202e: No such",
        ),
        ("(printf '{'; sleep .1; tail -c +2 s.jsonl) | $Q validate - --spec v2", 0, ""),
    ],
)
def test_surroundings(script: str, status: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(STOP)
    found, errors = shell(script, tmp_path)
    assert (found, errors[: len(message)]) == (status, message)
    assert "Traceback" not in errors
    assert "\x1b" not in errors
    assert (tmp_path / "s.jsonl").read_text() == STOP


BROKEN = """
import sys
from qmpcheck.cli import explain, main
def run(_):
    raise RuntimeError("\\33[31mbad\\n##[error]" + "x" * 1000)
explain.run = run
sys.exit(main(["explain"]))
"""


def test_a_fault_of_our_own_is_not_taken_for_findings() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "qmpcheck: internal error: RuntimeError in <string>, line 5: \\x1b[31mbad\\x0a\\x23#[error]xxx"
    )
    assert done.stderr.endswith(
        "x: this is a bug of qmpcheck; set QMPCHECK_TRACEBACK=1 to see the traceback\n"
    )
    assert len(done.stderr) < 500
    environment = os.environ | {"QMPCHECK_TRACEBACK": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 2
    assert 'qmpcheck:   File "<string>", line 5, in run\n' in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("name", ["a\\b", 'a"b', "a\tb", "\u202e", " ", "a.b"])
def test_members_of_any_name(name: str) -> None:
    quote = "'" if '"' in name else '"'
    rules = documents.read(f"X1\n--\n- {quote}{name}{quote}: x (json-int)\n").rule_base
    [member] = rules.events["X1"].data.members
    for value, expected in ((1, []), ("x", ["QMP204"])):
        event = json.loads(STOP) | {"event": "X1", "data": {member.name: value}}
        checked = check(rules, json.dumps(event) + "\n")
        assert [finding.code for finding in checked.listed] == expected


def with_members(members: str) -> str:
    return '{"events": {"X": {"data": {"type": "object", "members": [' + members + "]}}}}"


@pytest.mark.parametrize(
    "rules",
    [
        '{"events": {}}',
        with_members('{"name": "a", "type": {"type": "any"}}, {"name": "a", "type": {"type": "null"}}'),
        with_members(
            '{"name": "a", "type": ' + '{"type": "array", "items": ' * 5000 + '{"type": "any"}' + "}" * 5001
        ),
        '{"events": {"X": {"data": {"type": "\\u001b[31m"}}}}',
    ],
)
def test_broken_rule_bases(rules: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text(rules)
    with pytest.raises(SpecError) as caught:
        catalogue.find(str(path))
    assert "\x1b" not in str(caught.value)


def test_however_many_unknown_events_are_one_kind() -> None:
    stream = "".join(STOP.replace("STOP", f"E{at}") for at in range(1000))
    checked = check(catalogue.find("v2").rule_base, stream)
    assert checked.counts == {FindingKind("QMP201", OTHER_EVENTS, ""): 1000}


def test_every_fault_of_a_timestamp_is_told() -> None:
    line = '{"event": "STOP", "timestamp": {"seconds": "1", "microseconds": -5, "a-b": 1}}\n'
    checked = check(catalogue.find("v2").rule_base, line)
    assert [finding.shown_path for finding in checked.listed] == [
        "timestamp.seconds",
        "timestamp.microseconds",
        "timestamp.a-b",
    ]
