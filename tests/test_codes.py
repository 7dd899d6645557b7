"""Each code has an explanation whose bad example gives it and whose good example is clean."""

import pytest

from qmpcheck import catalogue, documents
from qmpcheck.checking.check import Checker
from qmpcheck.cli import lint
from qmpcheck.diagnostic import CODES
from qmpcheck.reports.explanations import EXPLANATIONS


def test_every_code_is_explained_and_every_explanation_has_a_code() -> None:
    assert list(EXPLANATIONS) == list(CODES)


def test_slugs_are_distinct() -> None:
    assert len({code.slug for code in CODES.values()}) == len(CODES)


def given(text: str, against: str) -> set[str]:
    if against == "a document":
        return {finding.code for finding in lint.findings(documents.read(text))}
    checker = Checker(catalogue.find(against.removeprefix("a stream, --spec ")).rule_base)
    return {finding.code for finding in checker.check(text.encode()).listed}


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_gives_the_code_and_the_good_one_none(code: str) -> None:
    explained = EXPLANATIONS[code]
    assert given(explained.good, explained.against) == set()
    assert given(explained.bad + "\n" * (code != "QMP106"), explained.against) == {code}
