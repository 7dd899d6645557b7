"""Releases that a user added, and releases that are added to the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from releases import NEWEST

from qmpcheck.cli import main
from qmpcheck.drift.history import history
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.version import Version

PROJECT = Path(__file__).parents[1]
SCHEMA = "{ 'event': 'LAMP', 'data': { 'on': 'bool' } }\n{ 'event': 'STOP' }\n"
CLOCK = '"timestamp": {"seconds": 1, "microseconds": 5}'
LAMP = f'{{{CLOCK}, "event": "LAMP", "data": {{"on": true}}}}\n'
GREETING = '{"QMP": {"version": {"qemu": {"major": 99, "minor": 0, "micro": 1}}, "capabilities": []}}\n'


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place for releases of this test alone, which the catalogue forgets again."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Path("schema.json").write_text(SCHEMA)
    forget()
    yield
    forget()


def forget() -> None:
    from qmpcheck.drift import availability, history, lifelines

    for cached in (
        catalogue.entries,
        catalogue.releases,
        catalogue.text_revisions,
        availability.availability_for,
        history.spec_line,
        lifelines.releases,
    ):
        cached.cache_clear()


def test_a_release_that_was_installed_is_one_like_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "schema.json", "--as", "99.0", "--install"]) == 0
    path = Path("data/qmpcheck/rules/99.0.json").absolute()
    assert capsys.readouterr().out == f"installed 99.0: 2 events, in {path}\n"
    forget()
    assert [catalogue.find(name).id for name in ("99.0", "latest", "99.0.7")] == ["99.0"] * 3
    patch_level = catalogue.of_version(Version(99, 0, 1))
    assert (patch_level.newer, patch_level.note) == ("", "")
    assert catalogue.releases()[-1].name == "99.0"
    Path("s.jsonl").write_text(GREETING + LAMP)
    assert main(["validate", "s.jsonl", "--spec", "auto"]) == 0
    assert "conforms to 99.0: 2 lines, 1 event" in capsys.readouterr().out
    assert main(["fit", "s.jsonl"]) == 0
    assert "fits 99.0: " in capsys.readouterr().out
    assert main(["diff", NEWEST, "99.0"]) == 1
    # nobody said when it was released: the day on which it was installed is no answer
    assert [(step.what, step.date) for step in history("LAMP")] == [
        ("introduced with on", ""),
        ("still in 99.0", ""),
    ]
    assert history("RTC_CHANGE")[-1].what == "removed"
    capsys.readouterr()
    assert main(["specs"]) == 0
    assert f"local: {path}" in capsys.readouterr().out
    assert main(["history"]) == 0
    assert re.search(r"^ *99\.0 +2 ", capsys.readouterr().out, re.MULTILINE)


def test_a_patch_level_of_its_own() -> None:
    assert main(["compile", "schema.json", "--as", "10.0.5", "--install"]) == 0
    forget()
    of = {micro: catalogue.of_version(Version(10, 0, micro)).name for micro in (0, 4, 5, 6, 13, 90)}
    assert of == {0: "10.0", 4: "10.0", 5: "10.0.5", 6: "10.0.5", 13: "10.0.5", 90: "10.1"}
    assert catalogue.find("10.0").id == "10.0"


def test_folders_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, events in (("a", 1), ("b", 2)):
        Path(folder).mkdir()
        rules: object = {"events": {event: {} for event in "XY"[:events]}}
        Path(folder, "99.1.json").write_text(json.dumps(rules))
        Path(folder, "notes.json").write_text("not ours")
    monkeypatch.setenv("QMPCHECK_RULES", os.pathsep.join(["a", "", "b"]))
    assert len(catalogue.find("99.1").rule_base.events) == 1
    [entry] = [each for each in catalogue.entries() if each.path]
    assert (entry.id, entry.events, entry.path, entry.commits) == ("99.1", 1, "a/99.1.json", ())


def test_a_release_of_qmpcheck_s_own_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a").mkdir()
    assert main(["compile", "schema.json", "--as", "7.2", "-o", "a/7.2.json"]) == 0
    monkeypatch.setenv("QMPCHECK_RULES", "a")
    forget()
    assert "SHUTDOWN" in catalogue.find("7.2").rule_base.events
    assert main(["compile", "schema.json", "--as", "7.2", "--install"]) == 2
    assert "qmpcheck has 7.2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folders", "content", "message"),
    [
        ("none", None, "QMPCHECK_RULES: none: No such file or directory"),
        ("a", "{", "a/99.1.json: not a compiled rule base: "),
        ("a", '{"events": {}}', "a/99.1.json: not a compiled rule base: no event"),
        ("a", '{"date": 5, "events": {"X": {}}}', "a/99.1.json: not a compiled rule base: "),
    ],
)
def test_what_cannot_be_read_is_told(
    folders: str,
    content: str | None,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("a").mkdir()
    if content is not None:
        Path("a/99.1.json").write_text(content)
    monkeypatch.setenv("QMPCHECK_RULES", folders)
    assert main(["specs"]) == 2
    assert capsys.readouterr().err.startswith(f"qmpcheck: {message}")


@pytest.mark.parametrize("name", ["11", "v7", "11.2-rc1", "../11.2", "11.2.0", "latest", ""])
def test_names_that_are_no_release(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "schema.json", "--as", name, "--install"]) == 2
    assert "is not the name of a release; expected one such as 11.2" in capsys.readouterr().err
    assert not Path("data").exists()


def test_install_needs_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "schema.json", "--install"]) == 2
    assert capsys.readouterr().err == "qmpcheck: --install needs --as RELEASE, such as --as 11.2\n"


def test_a_release_that_was_there_stays_when_the_new_one_cannot_be_read() -> None:
    assert main(["compile", "schema.json", "--as", "99.0", "--install"]) == 0
    before = Path("data/qmpcheck/rules/99.0.json").read_bytes()
    Path("schema.json").write_text("{ 'event': 'LAMP', 'data': { 'on': 'boool' } }\n")
    assert main(["compile", "schema.json", "--as", "99.0", "--install"]) == 2
    assert [path.read_bytes() for path in Path("data/qmpcheck/rules").iterdir()] == [before]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as far as adding a release concerns it."""
    copy = tmp_path / "project"
    for name in ("src", "rules", "reports", "docs"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "corpora").symlink_to(PROJECT / "corpora")
    shutil.copy(PROJECT / "README.md", copy)
    return copy


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


def test_a_release_is_added_to_the_project_by_one_command(project: Path, tmp_path: Path) -> None:
    before = contents(project / "rules")
    qemu = tmp_path / "qemu"
    (qemu / "qapi").mkdir(parents=True)
    (qemu / "VERSION").write_text("99.0.0\n")
    (qemu / "qapi" / "qapi-schema.json").write_text(
        f"{SCHEMA}{{ 'command': 'dim', 'data': {{ 'by': 'int' }} }}\n"
    )
    done = run(project, "rules/add.py", str(qemu), "--date", "2099-01-02")
    assert (done.stderr, done.returncode) == ("", 0)
    after = contents(project / "rules")
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {"99.0.json", "index.json", "commands.json"}
    assert before.keys() <= after.keys()
    *others, added = json.loads(after["index.json"])
    assert others == json.loads(before["index.json"])
    assert (added["id"], added["date"], added["events"]) == ("99.0", "2099-01-02", 2)
    assert "## 99.0" in (project / "reports" / "drift.md").read_text().replace("### ", "## ")
    commands = json.loads(after["commands.json"])
    assert (commands["dim"]["since"], "until" in commands["dim"]) == ([99, 0], False)
    assert commands["quit"]["until"] == [*map(int, NEWEST.split("."))]  # the new release lacks it
    assert f"qmpcheck diff {NEWEST} 99.0\n   New events: LAMP. Removed events: ACPI" in done.stdout
    assert all((PROJECT / name).exists() for name in re.findall(r"src/[\w/.-]+", done.stdout))
    assert "9.2 to 99.0" not in (project / "README.md").read_text()  # it has no BLOCK_IO_ERROR
    assert run(project, "reports/docs.py", "--check").returncode == 0


@pytest.mark.parametrize(
    ("version", "arguments", "message"),
    [
        ("99.0.0", ["--date", "soon"], "the date of the release is not known"),
        ("99.0.91", [], "99.0.91 is no first release of a series; name the release with --as"),
        ("", [], "it does not tell its version; name the release with --as"),
    ],
)
def test_a_release_that_is_not_known_well_enough(
    version: str, arguments: list[str], message: str, project: Path, tmp_path: Path
) -> None:
    before = contents(project / "rules")
    (tmp_path / "qapi-schema.json").write_text(SCHEMA)
    (tmp_path / "VERSION").write_text(version)
    done = run(project, "rules/add.py", str(tmp_path), *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert contents(project / "rules") == before


def test_a_folder_of_some_specs_deletes_no_others(project: Path, tmp_path: Path) -> None:
    before = contents(project / "rules")
    (tmp_path / "specs" / "qapi" / "7.2.0").mkdir(parents=True)
    listed = {"release": "7.2.0", "root": "qapi-schema.json", "commit": "c0ffee", "date": "2022-12-13"}
    (tmp_path / "specs" / "qapi.json").write_text(json.dumps([listed]))
    (tmp_path / "specs" / "qapi" / "7.2.0" / "qapi-schema.json").write_text(SCHEMA)
    done = run(project, "rules/make.py", str(tmp_path / "specs"))
    assert (done.stdout.splitlines()[-1], done.returncode) == ("2 files, 2 differing", 0)
    after = contents(project / "rules")
    assert {name for name in before if before[name] != after.get(name)} == {"7.2.json", "index.json"}
    done = run(project, "rules/make.py", str(tmp_path))
    assert done.returncode == 2
    assert contents(project / "rules") == after


def test_a_rule_base_that_the_index_does_not_list_is_told(project: Path, tmp_path: Path) -> None:
    (tmp_path / "qapi.json").write_text("[]")
    shutil.copy(project / "rules" / "7.2.json", project / "rules" / "99.9.json")
    (tmp_path / "qapi").mkdir()
    listed = {"release": "7.2.0", "root": "s.json", "commit": "c0ffee", "date": "2022-12-13"}
    (tmp_path / "qapi.json").write_text(json.dumps([listed]))
    (tmp_path / "qapi" / "7.2.0").mkdir()
    (tmp_path / "qapi" / "7.2.0" / "s.json").write_text(SCHEMA)
    done = run(project, "rules/make.py", str(tmp_path), "--check")
    assert "do not agree: rules/99.9.json" in done.stdout
    assert done.returncode == 1


def test_no_release_of_the_user_gets_into_the_pages(project: Path) -> None:
    folder = project / "data" / "qmpcheck" / "rules"
    folder.mkdir(parents=True)
    (folder / "99.0.json").write_text('{"events": {"X": {}}}')
    (project / "a").mkdir()
    shutil.copy(folder / "99.0.json", project / "a" / "99.1.json")
    environment = {"XDG_DATA_HOME": str(project / "data"), "QMPCHECK_RULES": str(project / "a")}
    for script in ("drift.py", "docs.py"):
        command = [sys.executable, f"reports/{script}", "--check"]
        environment |= {"PYTHONPATH": str(project / "src")}
        done = subprocess.run(
            command, cwd=project, env=os.environ | environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_unreadable_folder_names_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    Path("relative/qmpcheck/rules").mkdir(parents=True)
    Path("relative/qmpcheck/rules/99.0.json").write_text('{"events": {"X": {}}}')
    with pytest.raises(SpecError):  # a relative path there counts for nothing
        catalogue.find("99.0")
