"""The recordings, held against what is known of the QEMU that wrote them."""

import sys
from pathlib import Path

import pytest

from qmpcheck import catalogue
from qmpcheck.checking.check import Checker
from qmpcheck.checking.summary import Terms
from qmpcheck.diagnostic import CODES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CORPORA = Path(__file__).parents[1] / "corpora"
RECORDINGS = sorted(CORPORA.rglob("*.jsonl"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_whole_and_described(path: Path) -> None:
    described = tomllib.loads(path.with_suffix(".toml").read_text())
    assert described.keys() == {"qemu", "command", "scenario", "events", "ended"}
    every = Checker(catalogue.find("v4").rule_base, Terms(frozenset(code for code in CODES if code < "QMP2")))
    summary = every.check(path.read_bytes())
    assert summary.listed == ()
    assert bool(summary.events) == bool(described["events"])


def test_recordings_that_old_clients_would_still_understand() -> None:
    rules = Checker(catalogue.find("2.8:txt").rule_base)
    for name in ("stop-cont-killed", "watchdog-pause", "tray-moved"):
        path = CORPORA / "qemu-7.2.22" / f"{name}.jsonl"
        findings = {(f.code, f.event, f.path) for f in rules.check(path.read_bytes()).listed}
        assert {finding for finding in findings if finding[1] != "SHUTDOWN"} == set()
