"""The files for other people's CI: they parse, use options that there are, and take no input for a script."""

import argparse
import configparser
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from qmpcheck.cli import main

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
SPEC, JOBS = yaml.safe_load_all((ROOT / "templates" / "qmpcheck.yml").read_text())
JOB: dict[str, Any] = JOBS["$[[ inputs.job ]]"]
[HOOK] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
TESTS = ROOT / "examples" / "autopkgtest"

SCRIPTS = {
    "action.yml": [step["run"] for step in ACTION["runs"]["steps"]],
    "templates/qmpcheck.yml": JOB["script"],
    ".pre-commit-hooks.yaml": [" ".join([HOOK["entry"], *HOOK["args"]])],
    "examples/autopkgtest/qmpcheck": [(TESTS / "qmpcheck").read_text()],
}
CALLS = [
    (file, command, option)
    for file, scripts in SCRIPTS.items()
    for script in scripts
    for command, rest in re.findall(r"\bqmpcheck (\w+)\b(.*)", script.replace("\\\n", ""))
    for option in ["--help", *re.findall(r" (--[a-z-]+)", rest)]
]


def options(command: str) -> set[str]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"qmpcheck.cli.{command}").add_arguments(parser)
    return set(re.findall(r"--[a-z-]+", parser.format_help()))


@pytest.mark.parametrize(("file", "command", "option"), CALLS)
def test_every_option_is_one_of_the_command(file: str, command: str, option: str) -> None:
    assert option in options(command), file


@pytest.mark.parametrize(("schema", "content"), [("github-actions", ACTION), ("gitlab-ci", JOBS)])
def test_the_systems_schemas_take_the_files(schema: str, content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content))
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_file_calls_qmpcheck() -> None:
    assert {file for file, _, _ in CALLS} == SCRIPTS.keys()


@pytest.mark.parametrize("file", SCRIPTS)
def test_scripts_hold_nothing_from_outside_and_are_well_formed(file: str) -> None:
    for script in SCRIPTS[file]:
        assert "${{" not in script
        assert "$[[" not in script
        subprocess.run(["bash", "-n", "-c", script], check=True)


def test_every_input_is_used_and_there_is_no_other() -> None:
    used = set(re.findall(r"\$\{\{ inputs\.(\w+) \}\}", (ROOT / "action.yml").read_text()))
    assert used == ACTION["inputs"].keys()
    used = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", (ROOT / "templates" / "qmpcheck.yml").read_text()))
    assert used == SPEC["spec"]["inputs"].keys()


HOSTILE = '$(touch owned) "; touch owned #'


@pytest.mark.parametrize(
    ("inputs", "arguments"),
    [
        (
            {"STREAMS": "r/**/*.jsonl", "SPEC": "10.0", "ARGS": "--complete\n--select QMP*"},
            "validate --spec 10.0 --complete --select QMP* --report github=- --report sarif=s.sarif "
            "--report markdown=summary.md -- r/a b.jsonl r/x/c.jsonl",
        ),
        (
            {"STREAMS": "-s.jsonl none*", "SPEC": HOSTILE},
            f"validate --spec {HOSTILE} --report github=- --report sarif=s.sarif "
            "--report markdown=summary.md -- -s.jsonl none*",
        ),
        (
            {"QEMU": HOSTILE, "ARGS": HOSTILE},
            f"gate --qemu {HOSTILE} {HOSTILE} --report github=- --report sarif=s.sarif "
            "--report markdown=summary.md",
        ),
    ],
)
def test_what_the_action_calls(inputs: dict[str, str], arguments: str, tmp_path: Path) -> None:
    for stream in ("a b", "x/c"):
        (tmp_path / "r" / "x").mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / f"{stream}.jsonl").touch()
    program = tmp_path / "qmpcheck" / "bin" / "qmpcheck"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\nexit 7\n')
    program.chmod(0o755)
    known = {"RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": "summary.md", "PATH": "/usr/bin:/bin"}
    unset = dict.fromkeys(ACTION["runs"]["steps"][1]["env"], "") | {"SARIF": "s.sarif"}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS["action.yml"][1]],
        env=known | unset | inputs,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, arguments + "\n", "")
    assert not (tmp_path / "owned").exists()


def test_the_hook_takes_names_that_look_like_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stream = next((ROOT / "corpora").rglob("stop-cont-killed.jsonl"))
    Path("--help.jsonl").write_bytes(stream.read_bytes())
    assert main([*HOOK["entry"].split()[1:], *HOOK["args"], "--help.jsonl"]) == 0
    assert re.search(HOOK["files"], "a/b.jsonl.zst")
    assert not re.search(HOOK["files"], "a/b.json")


def test_the_autopkgtest_names_its_script() -> None:
    control = configparser.ConfigParser()
    control.read_string("[test]\n" + (TESTS / "control").read_text())
    assert (TESTS / control["test"]["Tests"]).stat().st_mode & 0o111
