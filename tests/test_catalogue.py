"""Names of specs."""

from pathlib import Path

import pytest

from qmpcheck import catalogue, rulebase
from qmpcheck.catalogue import SpecError


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
    assert catalogue.find("latest").id == newest


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("v9", 'no spec is called "v9" (near: v6, v5, v4, v3)'),
        ("7.2:txt", 'no spec is called "7.2:txt" (near: '),
        ("7.3", 'no spec is called "7.3" (near: 7.'),
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
