"""What `fit` says about findings."""

from qmpcheck.codes import CODES, Severity
from qmpcheck.drift import fit
from qmpcheck.reports import fitreport


def test_each_error_about_a_payload_has_a_phrase_and_a_rank() -> None:
    """Or else `fit` ends in a KeyError for the first stream that has one."""
    errors = {
        code for code, about in CODES.items() if code[:4] == "QMP2" and about.severity is Severity.ERROR
    }
    assert {*fitreport._PHRASES} == errors
    assert sorted(fit._STRENGTH) == sorted(errors)
