"""All 113 revisions of qmp-events.txt and the saved pages of six."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from effort import some
from specs import SPECS, needs_specs, pages, revisions, schemas

from qmpcheck import rulebase
from qmpcheck.checking import lint
from qmpcheck.cli import main
from qmpcheck.drift.compare import compare
from qmpcheck.specs import catalogue, documents

pytestmark = needs_specs


@pytest.mark.parametrize("path", revisions(), ids=lambda path: path.stem)
def test_every_line_of_every_revision_is_accounted_for_and_gives_the_shipped_rules(path: Path) -> None:
    document = documents.read(path.read_text())
    assert [line.text for line in document.lines] == path.read_text().splitlines()
    assert [line for line in document.lines if line.kind == "unknown"] == []
    assert [defect for defect in document.defects if defect.code == "QMP901"] == []
    assert catalogue.find(path.stem.split("-")[1]).rule_base == document.rule_base


def test_all_113_are_there() -> None:
    texts = [entry for entry in catalogue.entries() if entry.source == "qmp-events.txt"]
    assert len(revisions()) == len(texts) == 113


@pytest.mark.parametrize(("edition", "page", "original"), pages(), ids=lambda value: str(value)[-12:])
def test_a_page_gives_the_rules_of_its_plain_file(edition: str, page: Path, original: str) -> None:
    side = {"v1": "old"}.get(edition, "new")
    from_page = documents.read(page.read_text(), side)
    assert [line for line in from_page.lines if line.kind == "unknown"] == []
    from_file = documents.read((SPECS / original).read_text())
    assert without_lines(from_page.rule_base) == without_lines(from_file.rule_base)
    if edition not in ("v1", "v2"):  # the diff page lost the blank lines that both sides share
        assert from_page.rule_base == from_file.rule_base


def without_lines(rules: rulebase.RuleBase) -> Any:
    return _without_lines(msgspec.json.decode(rulebase.dump(rules)))


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lines(inner) for key, inner in value.items() if key != "line"}
    return list(map(_without_lines, value)) if isinstance(value, list) else value


def test_known_defects_of_2_1() -> None:
    path = next(path for path in revisions() if path.stem.startswith("064-"))
    found = [
        f"{d.line} {d.code} {d.event} {d.shown_path}".strip()
        for d in lint.findings(documents.read(path.read_text()))
    ]
    assert [line for line in found if "QMP908" not in line] == [
        "11 QMP903 ACPI_DEVICE_OST timestamp",
        "11 QMP915 ACPI_DEVICE_OST",
        "174 QMP902 BLOCK_JOB_READY",
        "192 QMP915 DEVICE_DELETED",
        "209 QMP915 DEVICE_TRAY_MOVED",
        "226 QMP903 GUEST_PANICKED timestamp",
        "240 QMP915 NIC_RX_FILTER_CHANGED",
        "244 QMP902 NIC_RX_FILTER_CHANGED",
    ]


@pytest.mark.parametrize("path", some([*revisions(), *schemas()]), ids=lambda path: "-".join(path.parts[-3:]))
def test_lint_lists_nothing_of_an_untouched_document(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(path), "--fail-on", "warning"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_lint_lists_what_is_new_in_a_changed_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The note that a reader must not lose, in words that it does not know."""
    original = next(path for path in revisions() if path.stem.startswith("064-")).read_text()
    lines = original.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith('Note: If action is "stop"'))
    lines[at] = lines[at].replace("follow the", "come after the")
    changed = tmp_path / "changed.txt"
    changed.write_text("".join(lines))
    assert main(["lint", str(changed)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in out[:-1]] == [f"{changed}:{at + 1}"]
    assert "QMP901 BLOCK_IO_ERROR" in out[0]
    compiled = documents.read("".join(lines)).rule_base
    assert compiled.not_understood == 2
    codes = {change.code for change in compare(documents.read(original).rule_base, compiled)}
    assert codes == {"QMP519"}
