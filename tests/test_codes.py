"""Each code has an explanation whose bad example gives it and whose good example is clean."""

import json
from pathlib import Path
from typing import get_args

import pytest

from qmpcheck.checking import lint
from qmpcheck.checking.monitors import Outcome
from qmpcheck.cli import main
from qmpcheck.codes import (
    BUILD_CODES,
    CODES,
    DOCUMENT_CODES,
    DRIFT_CODES,
    RULE_CODES,
    STREAM_CODES,
    Code,
    Severity,
    payload,
)
from qmpcheck.drift.compare import compare
from qmpcheck.specs import catalogue


def test_codes_are_in_order_and_their_names_distinct() -> None:
    assert list(CODES) == sorted(CODES)
    assert len({each.slug for each in CODES.values()}) == len(CODES)


def test_every_code_is_explained_and_has_examples() -> None:
    """Those of a build are run in test_gate.py."""
    assert all(each.means and each.why and each.bad and each.good for each in CODES.values())
    assert {code for code, each in CODES.items() if each.change is not None} == DRIFT_CODES


def test_what_to_do_about_a_stream_or_a_build_is_said() -> None:
    """The good example of a document, or of a change, shows it."""
    lacking = {code for code in STREAM_CODES | BUILD_CODES if not CODES[code].remedy}
    assert not lacking, "the entries of these codes lack `remedy`"


def test_every_finding_of_the_gate_has_words() -> None:
    assert {code for code, each in CODES.items() if each.in_brief} == BUILD_CODES


def test_every_error_in_a_payload_says_something_about_the_release() -> None:
    errors = {code for code, each in payload.CODES.items() if each.severity is Severity.ERROR}
    evidence = {code: each.evidence for code, each in CODES.items() if each.evidence}
    assert evidence.keys() == errors, "each QMP2xx error, and no other code, has `evidence`"
    strengths = sorted(each.strength for each in evidence.values())
    assert strengths == [*range(1, len(evidence) + 1)], "`strength` is a rank: each has its own"
    assert all("{event}" in each.phrase for each in evidence.values()), "`phrase` names the {event}"


def test_each_outcome_of_a_rule_that_is_a_finding_has_one_code() -> None:
    assert {"met", "not needed", *RULE_CODES} == {*get_args(Outcome)}
    assert [*RULE_CODES.values()] == [code for code, each in CODES.items() if each.outcome]


def given(explained: Code, text: str, folder: Path) -> set[str]:
    """The codes that a text gives, held against what the explanation says."""
    if explained.against in ("a document", "a schema"):
        document = folder / "spec"
        document.write_text(text)
        return {finding.code for finding in lint.lint(str(document)).defects}
    stream, report = folder / "s.jsonl", folder / "report.json"
    stream.write_text(text)
    options = explained.against.removeprefix("a stream, ")
    for file, content in (("own.toml", explained.rules), ("own.json", explained.spec)):
        (folder / file).write_text(content)
        options = options.replace(file, str(folder / file))
    main(
        [
            "validate",
            str(stream),
            "--input",
            "jsonl",
            *options.split(),
            "--format",
            "json",
            "--output",
            str(report),
        ]
    )
    return {finding["code"] for finding in json.loads(report.read_text())["diagnostics"]}


@pytest.mark.parametrize("code", sorted(STREAM_CODES | DOCUMENT_CODES))
def test_the_bad_example_gives_the_code_and_the_good_one_none(code: str, tmp_path: Path) -> None:
    explained = CODES[code]
    assert given(explained, explained.good, tmp_path) == set()
    assert given(explained, explained.bad + "\n" * (code != "QMP106"), tmp_path) == {code}


@pytest.mark.parametrize("code", sorted(DRIFT_CODES))
def test_the_bad_spec_gives_the_change_and_the_good_one_none(code: str, tmp_path: Path) -> None:
    old, bad, good = CODES[code].old, CODES[code].bad, CODES[code].good
    assert old != good
    assert changes(old, good, tmp_path) == []
    assert changes(old, bad, tmp_path) == [code]


def changes(old: str, new: str, folder: Path) -> list[str]:
    """The codes of the changes between two specs."""
    paths = folder / "old.spec", folder / "new.spec"
    for path, text in zip(paths, (old, new), strict=True):
        path.write_text(text)
    return [each.code for each in compare(*(catalogue.find(str(path)).rule_base for path in paths))]
