"""The files for other people's CI: they parse, use options that there are, and take no input for a script."""

import argparse
import configparser
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_qemu import real

from qmpcheck.cli import main

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
SPEC, JOBS = yaml.safe_load_all((ROOT / "templates" / "qmpcheck.yml").read_text())
JOB: dict[str, Any] = JOBS["$[[ inputs.job ]]"]
[HOOK, LINT_HOOK] = HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
TESTS = ROOT / "examples" / "autopkgtest"

SCRIPTS = {
    "action.yml": [step["run"] for step in ACTION["runs"]["steps"]],
    "templates/qmpcheck.yml": JOB["script"],
    ".pre-commit-hooks.yaml": [" ".join([hook["entry"], *hook["args"]]) for hook in HOOKS],
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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two recordings, and a program in qmpcheck's place that says how it was called."""
    for stream in ("a b", "x/c"):
        (tmp_path / "r" / "x").mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / f"{stream}.jsonl").touch()
    install(tmp_path, 'printf "%s\\n" "$*"; exit 7')
    return tmp_path


def install(folder: Path, text: str) -> None:
    """A script where the action, and where the component, has qmpcheck."""
    for home in ("qmpcheck", ".qmpcheck"):
        program = folder / home / "bin" / "qmpcheck"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)


def assert_calls(shell: list[str], env: dict[str, str], folder: Path, arguments: str) -> None:
    done = subprocess.run(
        shell, env={"PATH": "/usr/bin:/bin"} | env, cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, arguments + "\n", "")
    assert not (folder / "owned").exists()


ON_GITHUB = "--report github=- --report sarif=s.sarif --report markdown=summary.md"


@pytest.mark.parametrize(
    ("inputs", "arguments"),
    [
        (
            {"STREAMS": "r/**/*.jsonl", "SPEC": "10.0", "ARGS": "--complete\n--select QMP*"},
            f"validate --spec 10.0 --complete --select QMP* {ON_GITHUB} -- r/a b.jsonl r/x/c.jsonl",
        ),
        (
            {"STREAMS": "-s.jsonl none*", "SPEC": HOSTILE},
            f"validate --spec {HOSTILE} {ON_GITHUB} -- -s.jsonl none*",
        ),
        ({"QEMU": HOSTILE, "ARGS": HOSTILE}, f"gate --qemu {HOSTILE} {HOSTILE} {ON_GITHUB}"),
        (
            {"DOCUMENTS": "r/**/*.jsonl", "ARGS": "--ignore QMP907"},
            f"lint --ignore QMP907 {ON_GITHUB} -- r/a b.jsonl r/x/c.jsonl",
        ),
    ],
)
def test_what_the_action_calls(inputs: dict[str, str], arguments: str, project: Path) -> None:
    known = {"RUNNER_TEMP": str(project), "GITHUB_STEP_SUMMARY": "summary.md"}
    unset = dict.fromkeys(ACTION["runs"]["steps"][1]["env"], "") | {"SARIF": "s.sarif"}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS["action.yml"][1]]
    assert_calls(shell, known | unset | inputs, project, arguments)


@pytest.mark.parametrize(
    ("inputs", "status", "said"),
    [
        ({}, 2, "error title=qmpcheck::nothing to check: give one of the inputs streams, documents and qemu"),
        (
            {"STREAMS": "s.jsonl", "QEMU": "q"},
            2,
            "error title=qmpcheck::only one of the inputs streams, documents and qemu can be given",
        ),
        (
            {"DOCUMENTS": "d.txt", "SPEC": "10.0"},
            1,
            "warning title=qmpcheck::the input spec is not used: documents are checked by themselves",
        ),
        ({"QEMU": "2"}, 2, "error title=qmpcheck::it could not check all that it should: the log says why"),
    ],
)
def test_what_the_action_cannot_use_is_an_annotation(
    inputs: dict[str, str], status: int, said: str, tmp_path: Path
) -> None:
    """qmpcheck exits with 2 where it is told to run a QEMU called 2."""
    install(tmp_path, 'case "$*" in *"--qemu 2"*) exit 2;; esac; exit 1')
    env = dict.fromkeys(ACTION["runs"]["steps"][1]["env"], "") | {"RUNNER_TEMP": str(tmp_path)} | inputs
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS["action.yml"][1]]
    known = {"PATH": "/usr/bin:/bin", "GITHUB_STEP_SUMMARY": "s"}
    done = subprocess.run(command, env=known | env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, f"::{said}\n")


ON_GITLAB = "--report junit=qmpcheck-junit.xml --report gitlab=qmpcheck-codequality.json --report markdown=qmpcheck.md"


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("inputs", "arguments"),
    [
        (
            {"STREAMS": "r/*.jsonl r/*/*.jsonl", "SPEC": "10.0", "ARGS": "--complete --select QMP*"},
            f"validate --spec 10.0 --complete --select QMP* {ON_GITLAB} -- r/a b.jsonl r/x/c.jsonl",
        ),
        (
            {"STREAMS": "-s.jsonl none*", "SPEC": HOSTILE},
            f"validate --spec {HOSTILE} {ON_GITLAB} -- -s.jsonl none*",
        ),
        ({"QEMU": HOSTILE, "ARGS": HOSTILE}, f"gate --qemu {HOSTILE} {HOSTILE} {ON_GITLAB}"),
        ({"QEMU": "q", "ARGS": "--only r*"}, f"gate --qemu q --only r* {ON_GITLAB}"),
    ],
)
def test_what_the_component_calls(shell: str, inputs: dict[str, str], arguments: str, project: Path) -> None:
    unset = dict.fromkeys(JOB["variables"], "")
    given = {f"QMPCHECK_{name}": value for name, value in inputs.items()}
    assert_calls([shell, "-ec", JOB["script"][-1]], unset | given, project, arguments)


def test_the_component_keeps_the_reports_that_it_asks_for() -> None:
    kept = [*JOB["artifacts"]["reports"].values(), *JOB["artifacts"]["paths"]]
    assert set(kept) == set(re.findall(r"--report \w+=(\S+)", JOB["script"][-1]))


@pytest.mark.qemu
@pytest.mark.parametrize("script", [SCRIPTS["action.yml"][1], JOB["script"][-1]], ids=["action", "component"])
def test_a_build_is_gated_for_real(script: str, tmp_path: Path) -> None:
    """With inputs as a user would give them, and an argument of the gate's own."""
    qemu = real()
    install(tmp_path, f'exec {sys.executable} -m qmpcheck "$@"')
    inputs = {"QEMU": qemu, "ARGS": "--only life-cycle,watchdog-*", "SPEC": "auto", "STREAMS": ""}
    env = {**inputs, **{f"QMPCHECK_{name}": value for name, value in inputs.items()}}
    env |= {"RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": "qmpcheck.md", "SARIF": "s.sarif"}
    command = ["bash", "-ec", script]
    done = subprocess.run(command, env={**os.environ, **env}, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "qmpcheck.md").read_text().startswith("### qmpcheck gate: passed\n")


def test_the_hook_takes_names_that_look_like_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stream = next((ROOT / "corpora").rglob("stop-cont-killed.jsonl"))
    Path("--help.jsonl").write_bytes(stream.read_bytes())
    assert main([*HOOK["entry"].split()[1:], *HOOK["args"], "--help.jsonl"]) == 0
    assert re.search(HOOK["files"], "a/b.jsonl.zst")
    assert not re.search(HOOK["files"], "a/b.json")


def test_the_hook_for_documents_takes_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["qmp-events.txt", "docs/qmp-events.txt", "qapi-schema.json", "qapi/qapi-schema.json"]
    assert all(re.search(LINT_HOOK["files"], name) for name in names)
    assert not re.search(LINT_HOOK["files"], "qapi/block.json")
    Path("qmp-events.txt").write_text("X1\n--\nData: None.\n")
    command = [*LINT_HOOK["entry"].split()[1:], *LINT_HOOK["args"], "qmp-events.txt"]
    assert main(command) == 0
    Path("qmp-events.txt").write_text("X1\n--\nData: some.\n")
    assert main(command) == 1


GUIDE = (ROOT / "docs" / "ci.md").read_text().partition("## pre-commit\n")[2].partition("\n## ")[0]
[USUAL, EACH] = [yaml.safe_load(example) for example in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]


def test_the_guide_has_an_entry_for_each_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pre-commit calls it: with all files that an entry's pattern finds."""
    monkeypatch.chdir(tmp_path)
    for release, recordings in (("7.2", "gate-7.2.22"), ("10.0", "gate-10.0.13")):
        shutil.copytree(ROOT / "corpora" / recordings, tmp_path / "recordings" / release)
    files = [str(path.relative_to(tmp_path)) for path in Path.cwd().rglob("*.jsonl")]
    assert USUAL["repos"][0]["hooks"] == [{"id": HOOK["id"]}]
    command = HOOK["entry"].split()[1:]
    assert main([*command, *HOOK["args"], *files]) == 0  # each is checked by its own release
    checked = []
    for entry in EACH["hooks"]:
        assert entry["id"] == HOOK["id"]
        found = [file for file in files if re.search(entry["files"], file)]
        assert main([*command, *entry["args"], *found]) == 0
        checked += found
    assert sorted(checked) == sorted(files)


def test_the_autopkgtest_names_its_script() -> None:
    control = configparser.ConfigParser()
    control.read_string("[test]\n" + (TESTS / "control").read_text())
    assert (TESTS / control["test"]["Tests"]).stat().st_mode & 0o111
