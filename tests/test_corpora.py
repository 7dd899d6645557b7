"""The recordings, held against what is known of the QEMU that wrote them."""

import json
import sys
from pathlib import Path

import pytest
from checking import EACH_LINE, check

from qmpcheck.cli import main
from qmpcheck.codes import CODES
from qmpcheck.specs import catalogue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CORPORA = Path(__file__).parents[1] / "corpora"
RECORDINGS = sorted(CORPORA.rglob("*.jsonl"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recording_is_whole_and_described(path: Path) -> None:
    described = tomllib.loads(path.with_suffix(".toml").read_text())
    assert described.keys() - {"stderr"} == {"qemu", "command", "scenario", "events", "ended"}
    codes = frozenset(code for code in CODES if code < "QMP2")
    result = check(catalogue.find("v4").rule_base, path.read_bytes(), codes=codes)
    assert result.listed == ()
    assert bool(result.events) == bool(described["events"])


@pytest.mark.parametrize("folder", sorted(path.name for path in CORPORA.glob("gate-*")))
def test_what_a_healthy_build_sends_conforms_to_its_release(folder: str) -> None:
    """With what follows under -no-shutdown, and not even a warning."""
    paths = sorted((CORPORA / folder).glob("*.jsonl"))
    assert paths
    for path in paths:
        command = tomllib.loads(path.with_suffix(".toml").read_text())["command"]
        assumed = ["--assume", "no-shutdown"] if "-no-shutdown" in command else []
        options = ["--spec", "auto", "--complete", "--fail-on", "warning", *assumed]
        assert main(["validate", *options, str(path)]) == 0


def test_what_11_1_sends_that_10_0_did_not(capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(map(str, (CORPORA / "gate-11.1.3").glob("*.jsonl")))
    assert main(["validate", "--spec", "10.0", "--complete", "--format", "json", *paths]) == 1
    (found,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert Path(found["stream"]).stem == "migration-failed"
    assert (found["code"], found["event"], found["path"]) == ("QMP205", "MIGRATION", "data.status")
    assert found["message"].endswith('got "failing"')


def test_recordings_that_old_clients_would_still_understand() -> None:
    rules = catalogue.find("2.8:txt").rule_base
    for name in ("stop-cont-killed", "watchdog-pause", "tray-moved"):
        path = CORPORA / "qemu-7.2.22" / f"{name}.jsonl"
        findings = {
            (f.code, f.event, f.path) for f in check(rules, path.read_bytes(), codes=EACH_LINE).listed
        }
        assert {finding for finding in findings if finding[1] != "SHUTDOWN"} == set()
