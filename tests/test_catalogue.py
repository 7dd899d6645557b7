"""Names of specs."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from real_qemu import real
from releases import NEWEST

from qmpcheck import rulebase
from qmpcheck.rulebase import FollowUp, SpecError
from qmpcheck.specs import catalogue, load
from qmpcheck.version import Version


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("v1", "51a3bd71b3"),
        ("v2", "d74c7dfd1b"),
        ("v3", "6f8c63fbd7"),
        ("v4", "6f382ed226"),
        ("v5", "fb6ba0d525"),
        ("v6", "5db6670347"),
        ("0.12", "e2419113dd"),
        ("0.15", "6f8c63fbd7"),
        ("1.0", "6f8c63fbd7"),
        ("1.0.1", "6f8c63fbd7"),
        ("2.0", "0c762736df"),
        ("2.0.2", "0c762736df"),
        ("2.5:txt", "7f1e7b23d5"),
        ("2.5.1:txt", "7f1e7b23d5"),
        ("0.15:txt", "6f8c63fbd7"),
        ("2.1", "2.1"),
        ("2.5", "2.5"),
        ("7.2.22", "7.2"),
        ("10.0.0", "10.0"),
        ("d74c7df", "d74c7dfd1b"),
        ("d74c7dfd1b63850309d7595b4db2e91b78c1dc05", "d74c7dfd1b"),
    ],
)
def test_names(name: str, id: str) -> None:
    spec = catalogue.find(name)
    assert (spec.name, spec.id) == (name, id)


def test_the_latest_is_the_newest_release() -> None:
    releases = [name for entry in catalogue.entries() for name in entry.releases if ":" not in name]
    newest = max(releases, key=lambda name: tuple(map(int, name.split("."))))
    latest = catalogue.find("latest")
    assert (latest.name, latest.id) == (newest, newest), "reports say which one that is"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v9", 'no spec is called "v9" (did you mean v6, v5 or v4?)'),
        ("7.2:txt", 'no spec is called "7.2:txt" (did you mean '),
        ("7.3", 'no spec is called "7.3" (did you mean 7.'),
        ("999.1", 'no spec is called "999.1": it is newer than '),
        ("999.0.3", 'no spec is called "999.0.3": it is newer than '),
        ("10", 'no spec is called "10" (did you mean 10.2, 10.1 or 10.0?)'),
        ("9.10", 'no spec is called "9.10" (did you mean 9.1 or 9.0?)'),
        ("2.1.99.9", 'no spec is called "2.1.99.9" (did you mean '),
        ("d74c7d", "no spec is called"),
        ("no/such/file", "no/such/file: No such file or directory"),
        ("events.txt", "events.txt: No such file or directory"),
        ("a\x1bb", 'no spec is called "a\\x1bb"'),
        ("\x00.txt", "\\x00.txt: "),
    ],
)
def test_unknown_names(name: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as caught:
        catalogue.find(name)
    assert str(caught.value).startswith(message)


def test_a_revision_without_git_before_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    with pytest.raises(SpecError, match=r"; for a revision of QEMU, write git:topic$"):
        catalogue.find("topic")


def test_paths(tmp_path: Path) -> None:
    document = tmp_path / "events"
    document.write_text("X1\n--\nData: None.\n")
    compiled = tmp_path / "events.json"
    from_document = catalogue.find(str(document))
    compiled.write_bytes(rulebase.dump(from_document.rule_base))
    from_rules = catalogue.find(str(compiled))
    assert list(from_document.rule_base.events) == ["X1"]
    assert (from_rules.rule_base, from_rules.id) == (from_document.rule_base, from_document.id)


def test_sides_of_a_diff(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_text("@@ -1,2 +1,2 @@\n-OLD\n----\n+NEWER\n+-----\n Data: None.\n")
    assert list(catalogue.find(f"{page}@old").rule_base.events) == ["OLD"]
    assert list(catalogue.find(f"{page}@new").rule_base.events) == ["NEWER"]


@pytest.mark.parametrize(
    "content", [b"{", b'{"events": {"X": 1}}', b"", b"\xff\x00", b"X1\n--\n" + b"-" * (1 << 22)]
)
def test_files_that_are_no_spec(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "spec"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        catalogue.find(str(path))


def test_a_schema_by_its_root_file(tmp_path: Path) -> None:
    (tmp_path / "types.json").write_text("{ 'enum': 'E', 'data': ['p'] }\n")
    root = tmp_path / "qapi-schema.json"
    root.write_text("# x\n{ 'include': 'types.json' }\n{ 'event': 'X', 'data': { 'a': 'E' } }\n")
    assert list(catalogue.find(str(root)).rule_base.events) == ["X"]
    root.write_text("{ 'include': 'types.json' }\n{ 'event': 'X', 'data': { 'a': 'F' } }\n")
    with pytest.raises(SpecError) as caught:
        catalogue.find(str(root))
    assert str(caught.value) == f'{root}:2:32: event "X", "a": no type is called "F"'
    with pytest.raises(
        SpecError, match=r"types\.json: only a part of a schema; name its root file, .*qapi-schema\.json"
    ):
        catalogue.find(str(tmp_path / "types.json"))


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        catalogue.find(str(tmp_path))


def test_the_index_tells_the_truth() -> None:
    for entry in catalogue.entries():
        rules = catalogue.find(entry.id).rule_base
        assert (entry.events, entry.follow_ups) == (len(rules.events), rules.follow_ups)


def test_every_name_is_one_spec() -> None:
    names = [name for entry in catalogue.entries() for name in catalogue.names(entry)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "document"),
        ("X1\n--\n", "document"),
        ("4 DEBUG\n-------\n", "document"),
        ("[" * 99_999, "document"),
        ("<html>", "document"),
        ("# -*- Mode: Python -*-\n{ 'event': 'X' }\n", "schema"),
        ("##\n# a\n##\n\n# b\n{ 'event': 'X' }\n", "schema"),
        ("{ 'event': 'X' }\n", "schema"),
        ('\n{"events": {}}', "rules"),
        ("{", "rules"),
        ('{"events": {\n', "rules"),
        ("[]", "introspection"),
        ('{"return": []}', "introspection"),
        ('{"QMP": {}}\n{"return": {}}\nrubbish', "introspection"),
    ],
)
def test_the_kind_of_a_file_shows_by_its_content(text: str, kind: str) -> None:
    assert load.kind(text) == kind


SCHEMA = [
    {"name": "WATCHDOG", "meta-type": "event", "arg-type": "1"},
    {"name": "STOP", "meta-type": "event", "arg-type": "0"},
    {"name": "0", "meta-type": "object", "members": []},
    {"name": "1", "meta-type": "object", "members": [{"name": "action", "type": "2"}]},
    {"name": "2", "meta-type": "enum", "values": ["reset", "pause"]},
]


def greeting(major: int, minor: int) -> str:
    version = {"qemu": {"major": major, "minor": minor, "micro": 0}}
    return json.dumps({"QMP": {"version": version, "capabilities": []}}) + "\n"


@pytest.mark.parametrize(
    ("before", "follow_ups"),
    [
        ("", ()),
        (greeting(0, 1), ()),  # no release is that old
        (greeting(2, 0), (FollowUp(("STOP",), {"action": ("pause",)}),)),
        (greeting(999, 0), (FollowUp(("STOP",), {"action": ("pause",)}),)),  # the newest before it
    ],
)
def test_a_recorded_reply(before: str, follow_ups: tuple[FollowUp, ...], tmp_path: Path) -> None:
    path = tmp_path / "reply"
    path.write_text(before + json.dumps({"return": SCHEMA}) + "\n")
    rules = catalogue.find(str(path)).rule_base
    assert list(rules.events) == ["WATCHDOG", "STOP"]
    assert rules.events["WATCHDOG"].follow_ups == follow_ups


def test_a_recorded_conversation_without_a_reply(tmp_path: Path) -> None:
    path = tmp_path / "reply"
    path.write_text(greeting(2, 0))
    with pytest.raises(SpecError, match="reply: no reply to query-qmp-schema in it"):
        catalogue.find(str(path))


@pytest.mark.qemu
def test_a_binary() -> None:
    qemu = real()
    spec = catalogue.find(f"qemu:{qemu}")
    assert spec.name == f"qemu:{qemu}"
    assert FollowUp(("STOP",), {"action": ("stop",)}) in spec.rule_base.events["BLOCK_IO_ERROR"].follow_ups
    assert rulebase.load(rulebase.dump(spec.rule_base)) == spec.rule_base


def test_what_is_no_binary() -> None:
    with pytest.raises(SpecError, match=r"^\./no\\x1b: No such file or directory$"):
        catalogue.find("qemu:./no\x1b")


VERSIONS = {
    (1, 1, 2): ("1.1", ""),
    (9, 1, 49): ("9.1", ""),
    (9, 1, 50): ("9.1 or 9.2", ""),
    (9, 1, 89): ("9.1 or 9.2", ""),
    (9, 1, 90): ("9.2", ""),
    (2, 12, 91): ("3.0", ""),
    (7, 3, 0): ("7.2 or 8.0", ""),  # no release; perhaps a fork's
    (999, 0, 0): (NEWEST, "999.0"),
    (999, 1, 50): (NEWEST, "999.2"),
    (999, 2, 90): (NEWEST, "1000.0"),
}


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_what_a_version_is_checked_against(version: tuple[int, int, int]) -> None:
    spec = catalogue.of_version(Version(*version))
    assert (spec.name, spec.newer) == VERSIONS[version]
    is_plain = spec.name == f"{version[0]}.{version[1]}"
    assert bool(spec.note) != is_plain


def test_the_newest_series_beyond_its_release() -> None:
    newest = Version(*map(int, NEWEST.split(".")))
    assert catalogue.of_version(newest).newer == ""
    assert catalogue.of_version(newest._replace(micro=49)).newer == ""
    for micro in (50, 90):
        spec = catalogue.of_version(newest._replace(micro=micro))
        assert (spec.name, spec.newer) == (NEWEST, newest.next_release)
        with pytest.raises(SpecError, match=f"it is newer than {NEWEST}, .*qemu:PATH"):
            catalogue.find(f"{NEWEST}.{micro}")


def test_a_version_older_than_all() -> None:
    with pytest.raises(SpecError, match=r"the catalogue has no release 0\.11; "):
        catalogue.of_version(Version(0, 11))


STOP = {"action": ("stop",)}


@pytest.mark.parametrize(
    ("name", "unless", "known_by"),
    [
        ("10.0.0", {}, "build"),
        ("10.0.8", {}, "build"),
        ("10.0.9", STOP, "build"),
        ("10.1.3", {}, "build"),
        ("10.1.4", {}, "document"),  # the patch level that changed it is not known
        ("10.2.1", {}, "build"),
        ("10.2.2", STOP, "build"),
        ("11.0.0", STOP, "build"),
        ("9.2.4", {}, "build"),
        ("9.1.50", {}, "neighbour"),
    ],
)
def test_a_patch_level_has_the_rate_limit_of_its_build(name: str, unless: object, known_by: str) -> None:
    limits = [
        spec.rule_base.events["BLOCK_IO_ERROR"].rate_limit
        for spec in (catalogue.of_version(Version(*map(int, name.split(".")))), catalogue.find(name))
    ]
    assert [limit and limit.unless for limit in limits] == [unless, unless]
    assert limits[0]
    assert limits[0].known_by == known_by


def test_the_name_of_a_patch_level_is_its_release_as_stated_unless_it_changed_something() -> None:
    stated = catalogue.find("10.0")
    assert msgspec.structs.replace(catalogue.find("10.0.8"), name="10.0") == stated
    assert msgspec.structs.replace(catalogue.find("10.0.9"), name="10.0") != stated


def test_a_name_of_the_catalogue_loads_little() -> None:
    code = "import sys; from qmpcheck.specs import catalogue; catalogue.find('v4'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert not {"lark", "asyncio", "qemu", "json", "hashlib", "qmpcheck.specs.documents"} & {
        *loaded.stdout.split()
    }
