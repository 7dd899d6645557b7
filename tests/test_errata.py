"""Recordings of QEMU held against QEMU's own spec: nothing in them is an error, and each erratum shows."""

import sys
from pathlib import Path

import pytest

from qmpcheck import catalogue
from qmpcheck.checking import errata, rules
from qmpcheck.checking.check import Checker
from qmpcheck.checking.summary import Summary, Terms
from qmpcheck.diagnostic import Severity
from qmpcheck.streams import greeting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CORPORA = Path(__file__).parents[1] / "corpora"
RECORDINGS = sorted((CORPORA / "qemu-7.2.22").glob("*.jsonl"))
KNOWN = errata.entries()


def checked(path: Path, within: float | None = None) -> Summary:
    """A recording, complete, held against the release that wrote it, with what its command line says."""
    version = greeting.version(path.read_bytes())
    assert version
    spec = catalogue.at_or_before(version)
    assert spec
    command = tomllib.loads(path.with_suffix(".toml").read_text())["command"]
    assumed = ["no-shutdown"] if "-no-shutdown" in command else []
    timing = rules.timing(spec.rule_base, assumed, within, errata.follow_ups(KNOWN))
    checker = Checker(spec.rule_base, Terms(timing=timing), KNOWN)
    return (checker.begin() + checker.check(path.read_bytes())).ended(complete=True)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_healthy_build_gives_no_error(path: Path) -> None:
    summary = checked(path)
    assert [finding for finding in summary.listed if finding.severity is Severity.ERROR] == []


SHOWN = [entry for entry in KNOWN if entry.then and entry.id != "watchdog-poweroff"]
"""Of poweroff no release says that anything follows: only a text of one's own could."""


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.id)
def test_a_recording_shows_the_erratum(entry: errata.Entry) -> None:
    assert entry.id in {finding.erratum for finding in checked(CORPORA / entry.recording).listed}


def test_an_answer_that_comes_late_is_covered_like_one_that_never_comes() -> None:
    late = checked(CORPORA / "qemu-7.2.22" / "watchdog-shutdown.jsonl", within=0).listed
    assert [(finding.code, finding.erratum) for finding in late] == [("QMP303", "watchdog-shutdown")]
