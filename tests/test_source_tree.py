"""Specs in QEMU source trees: in folders, tarballs and git revisions."""

import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from qmpcheck.cli import main
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue

ROOT = "{ 'include': 'lamp.json' }\n{ 'event': 'LAMP_ADDED' }\n"
PART = "{ 'event': 'LAMP_SWITCHED', 'data': { 'on': 'bool' } }\n"
EVENTS = ["LAMP_SWITCHED", "LAMP_ADDED"]


def tree(folder: Path, part: str = PART) -> Path:
    (folder / "qapi").mkdir(parents=True)
    (folder / "VERSION").write_text("99.1.2\n")
    (folder / "qapi" / "qapi-schema.json").write_text(ROOT)
    (folder / "qapi" / "lamp.json").write_text(part)
    (folder / "qga").mkdir()  # another program's schema, which is none of QEMU's
    (folder / "qga" / "qapi-schema.json").write_text("{ 'event': 'AGENT' }\n")
    return folder


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    dates = {"GIT_COMMITTER_DATE": "2031-05-06T07:08:09Z", "GIT_AUTHOR_DATE": "2031-05-01T07:08:09Z"}
    command = ["git", "-C", str(folder), *person, *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | dates
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tree(tmp_path / "repo@home")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "v99.1.2")
    (folder / "qapi" / "lamp.json").write_text(PART.replace("on", "lit"))
    return folder


def found(name: object) -> list[str]:
    return list(catalogue.find(str(name)).rule_base.events)


def test_a_folder_and_its_qapi_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path / "qemu")
    assert found(folder) == found(folder / "qapi") == EVENTS
    for inside, name in ((folder, "."), (folder / "qapi", "."), (folder, "qapi")):
        monkeypatch.chdir(inside)
        assert found(name) == EVENTS
    spec = catalogue.find("..") if Path.cwd() == folder / "qapi" else catalogue.find(".")
    rule = spec.rule_base.events["LAMP_SWITCHED"]
    assert (rule.file, rule.line, str(spec.origin.version)) == ("qapi/lamp.json", 1, "99.1.2")


OLD = "{ 'include': 'qapi/lamp.json' }\n{ 'event': 'LAMP_ADDED' }\n"
DOCUMENT = "LAMP_ADDED\n----------\n\nData: None.\n"


def test_trees_as_they_were(tmp_path: Path) -> None:
    """The root file at the top; and before there were events in it, the document."""
    (tmp_path / "qapi").mkdir()
    (tmp_path / "qapi" / "lamp.json").write_text(PART)
    (tmp_path / "qapi-schema.json").write_text(OLD)
    assert found(tmp_path) == found(tmp_path / "qapi") == EVENTS
    (tmp_path / "qapi-schema.json").write_text("{ 'command': 'quit' }\n")
    with pytest.raises(SpecError, match=r"no QEMU source tree: .*qapi-schema\.json describes no event"):
        found(tmp_path)
    (tmp_path / "QMP").mkdir()
    (tmp_path / "QMP" / "qmp-events.txt").write_text(DOCUMENT)
    assert found(tmp_path) == ["LAMP_ADDED"]
    (tmp_path / "qapi-schema.json").write_text("{ 'type': 'A', 'data': { 'old': 'language' } }\n")
    with pytest.raises(SpecError, match=r"qapi-schema\.json:1:"):
        found(tmp_path)
    (tmp_path / "VERSION").write_text("1.7.50\n")
    assert found(tmp_path) == ["LAMP_ADDED"]


def test_a_folder_that_is_no_source_tree(tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match=r"^.*: Is a directory, and no QEMU source tree: neither qapi/qapi-schema\.json nor "
    ):
        found(tmp_path)


def packed(folder: Path, name: str, prefix: str) -> Path:
    path = folder.parent / name
    command = [
        "tar",
        "-C",
        str(folder),
        "--auto-compress",
        f"--transform=s,^[.],{prefix}," if prefix else "--no-acls",
    ]
    subprocess.run([*command, "-cf", str(path), "."], check=True)
    return path


@pytest.mark.parametrize(
    ("name", "prefix"), [("q.tar.xz", "qemu-99.1.2"), ("q.tar.gz", "./qemu"), ("q.tar", "")]
)
def test_a_tarball(name: str, prefix: str, tmp_path: Path) -> None:
    path = packed(tree(tmp_path / "qemu"), name, prefix)
    spec = catalogue.find(str(path))
    assert list(spec.rule_base.events) == EVENTS
    assert spec.rule_base.events["LAMP_SWITCHED"].file == "qapi/lamp.json"
    assert str(spec.origin.version) == "99.1.2"


def test_what_a_tarball_must_not_do(tmp_path: Path) -> None:
    """Its names lead nowhere else, and a link in it is not followed."""
    secret = tmp_path / "VERSION"
    secret.write_text("1.2.3\n")
    path = tmp_path / "deep" / "q.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w") as tar:
        tar.add(tree(tmp_path / "qemu"), "qemu", filter=lambda each: None if "VERSION" in each.name else each)
        link = tarfile.TarInfo("qemu/VERSION")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(link)
        tar.add(secret, "../VERSION")
    assert catalogue.find(str(path)).origin.version is None
    assert secret.read_text() == "1.2.3\n"


@pytest.mark.parametrize("content", [b"", b"no tarball", None])
def test_what_is_no_tarball(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "q.tar.xz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError, match=r"q\.tar\.xz: "):
        found(path)


def test_a_cut_tarball(tmp_path: Path) -> None:
    path = packed(tree(tmp_path / "qemu"), "q.tar.gz", "qemu")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SpecError, match=r"q\.tar\.gz: "):
        found(path)


NAMES: dict[str, Callable[[Path], str]] = {
    "here": lambda _: "git:main",
    "a tag": lambda _: "git:v99.1.2",
    "with @": lambda _: "git:main@{0}",
    "another repository": lambda folder: f"git:{folder}@main",
    "its newest": lambda folder: f"git:{folder}@",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_git_revision(name: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "qapi")
    spec = catalogue.find(NAMES[name](repository))
    assert list(spec.rule_base.events) == EVENTS
    data = spec.rule_base.events["LAMP_SWITCHED"].data
    assert [member.name for member in data.members] == ["on"]
    assert (spec.origin.date, spec.origin.commit) == ("2031-05-06", git(repository, "rev-parse", "HEAD"))


def test_a_bare_repository(repository: Path, tmp_path: Path) -> None:
    git(repository, "clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert found(f"git:{tmp_path / 'bare'}@main") == EVENTS


def test_what_a_developer_runs_before_sending_a_patch(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert main(["diff", "git:main", "."]) == 1
    assert "data.lit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("git:no-such", 'git, in .*: there is no revision "no-such"'),
        ("git:--help", 'git, in .*: there is no revision "--help"'),
        ("git:main:qapi", "git, in .*: "),
        ("git:a\x00b", "embedded null byte"),
        ("git:", "git, in .*: "),
        (
            "git:/no/where@main",
            'git, in .*: there is no revision "/no/where@main", and no folder of a repository',
        ),
    ],
)
def test_revisions_that_are_none(
    name: str, message: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(SpecError, match=message):
        found(name)


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(
        SpecError,
        match=r"not a git repository.*; run it in a QEMU checkout, or name one: git:~/src/qemu@master",
    ):
        found("git:main")


def test_a_revision_without_a_spec(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-qm", "none", "--allow-empty")
    with pytest.raises(SpecError, match=r"no QEMU source tree: it has neither qapi-schema\.json nor"):
        found(f"git:{tmp_path}@main")


@pytest.mark.parametrize("pack", ["folder", "tarball", "git"])
def test_a_mistake_is_told_with_its_place(pack: str, tmp_path: Path) -> None:
    folder = tree(tmp_path / "qemu", PART.replace("bool", "boool"))
    name = str(folder)
    if pack == "tarball":
        name = str(packed(folder, "q.tar", "qemu"))
    elif pack == "git":
        git(folder, "init", "-q", "-b", "main")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "one")
        name = f"git:{folder}@main"
    with pytest.raises(SpecError) as caught:
        found(name)
    assert (
        str(caught.value)
        == f'{name}/qapi/lamp.json:1:45: event "LAMP_SWITCHED", "on": no type is called "boool" (did you mean bool?)'
    )


def test_a_part_of_a_schema_is_not_taken_for_all_of_it(tmp_path: Path) -> None:
    folder = tree(tmp_path / "qemu")
    with pytest.raises(
        SpecError, match=r"lamp\.json: only a part of a schema; name its root file, .*qapi-schema\.json$"
    ):
        found(folder / "qapi" / "lamp.json")
    assert found(folder / "qapi" / "qapi-schema.json") == EVENTS
    (folder / "qapi-schema.json").write_text("{ 'include': 'qapi/old.json' }\n")
    (folder / "qapi" / "old.json").write_text(PART)
    with pytest.raises(
        SpecError, match=r"old\.json: only a part of a schema; name its root file, .*qemu/qapi-schema"
    ):
        found(folder / "qapi" / "old.json")


def test_a_part_that_is_included_by_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{ 'include': 'b.json' }\n" + PART)
    (tmp_path / "b.json").write_text("{ 'include': 'a.json' }\n")
    with pytest.raises(SpecError):
        found(tmp_path / "a.json")


def test_a_binary_is_looked_up_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "qemu-fake"
    fake.write_text("#!/bin/sh\necho it was started >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(SpecError, match=r"^qemu-fake: .*it was started"):
        catalogue.find("qemu:qemu-fake")


@pytest.mark.parametrize("name", [".", "qapi", "qapi/qapi-schema.json"])
def test_lint_takes_a_source_tree(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree(tmp_path / "qemu"))
    assert main(["lint", name]) == 0
    assert capsys.readouterr().out == "qapi/qapi-schema.json: 2 events, 0 lines not understood, 0 defects\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qapi/lamp.json", "only a part of a schema; name its root file, qapi/qapi-schema.json"),
        ("empty", "Is a directory, and no QEMU source tree: neither "),
        ("11.1", "a compiled rule base; lint the document that it was compiled from\n"),
        ("rules.json", "a compiled rule base; lint the document that it was compiled from\n"),
        ("git:main", "a revision; check it out, and lint that source tree\n"),
        ("qemu.tar.xz", "a tarball; unpack it, and lint that source tree\n"),
        ("none.txt", "No such file or directory\n"),
    ],
)
def test_what_lint_does_not_take(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree(tmp_path / "qemu"))
    Path("empty").mkdir()
    assert main(["compile", ".", "-o", "rules.json"]) == 0
    assert main(["lint", name]) == 2
    out, err = capsys.readouterr()
    assert (out, err[: len(f"qmpcheck: {name}: {said}")]) == ("", f"qmpcheck: {name}: {said}")
