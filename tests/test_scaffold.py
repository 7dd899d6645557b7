"""The scaffold of a code names files that exist, so that nobody is sent to where something was once."""

import re
from pathlib import Path

import pytest
import scaffold

PROJECT = Path(__file__).parents[1]


@pytest.mark.parametrize(("code", "files"), [
    ("QMP199", ["spec", "stream.jsonl"]),
    ("QMP299", ["spec", "stream.jsonl"]),
    ("QMP399", ["spec", "stream.jsonl"]),
    ("QMP599", ["new", "old"]),
    ("QMP999", ["spec"]),
])  # fmt: skip
def test_a_new_code_gets_two_cases_and_a_list_of_what_to_write(
    code: str,
    files: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = tmp_path / "tests" / "cases"
    monkeypatch.setattr(scaffold, "CASES", cases)
    assert scaffold.main(code, "too-bright") is None
    for case in ("too-bright", "good"):
        assert sorted(path.name for path in (cases / code / case).iterdir()) == files
    named = re.findall(r"(?:src|tests)/[\w/]+\.py", capsys.readouterr().out)
    assert len(named) >= 2
    assert [name for name in named if not (PROJECT / name).exists()] == []


@pytest.mark.parametrize(("code", "name", "message"), [
    ("QMP499", "too-bright", "QMP4xx is tested in tests/test_gate.py"),
    ("QMP29", "too-bright", "cases are for QMP1xx"),
    ("QMP299", "Too bright", "expected lower-case words with dashes"),
    ("QMP205", "good", "exists already"),
])  # fmt: skip
def test_what_is_no_new_case(code: str, name: str, message: str) -> None:
    assert message in str(scaffold.main(code, name))
