"""Each code has an explanation whose bad example gives it and whose good example is clean."""

import json
from pathlib import Path

import pytest

from qmpcheck import documents
from qmpcheck.cli import lint, main
from qmpcheck.diagnostic import CODES
from qmpcheck.reports.explanations import EXPLANATIONS, Explanation


def test_every_code_is_explained_and_every_explanation_has_a_code() -> None:
    assert list(EXPLANATIONS) == list(CODES)


def test_slugs_are_distinct() -> None:
    assert len({code.slug for code in CODES.values()}) == len(CODES)


def given(explained: Explanation, text: str, folder: Path) -> set[str]:
    """The codes that a text gives, held against what the explanation says."""
    if explained.against == "a document":
        return {finding.code for finding in lint.findings(documents.read(text))}
    stream, report = folder / "s.jsonl", folder / "report.json"
    stream.write_text(text)
    options = explained.against.removeprefix("a stream, ")
    for file, content in (("own.toml", explained.rules), ("own.json", explained.spec)):
        (folder / file).write_text(content)
        options = options.replace(file, str(folder / file))
    main(["validate", str(stream), *options.split(), "--format", "json", "--output", str(report)])
    return {finding["code"] for finding in json.loads(report.read_text())["diagnostics"]}


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_the_code_and_the_good_one_none(code: str, tmp_path: Path) -> None:
    explained = EXPLANATIONS[code]
    assert given(explained, explained.good, tmp_path) == set()
    assert given(explained, explained.bad + "\n" * (code != "QMP106"), tmp_path) == {code}
