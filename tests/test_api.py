"""The public Python API does what the command does."""

import doctest
import json
import pydoc
from pathlib import Path

import pytest

import qmpcheck
from qmpcheck.cli import main

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "corpora" / "qemu-7.2.22" / "no-shutdown-quit.jsonl"


def test_the_examples_are_true() -> None:
    assert doctest.testmod(qmpcheck) == (0, 6)


def test_every_public_name_is_there() -> None:
    assert all(getattr(qmpcheck, name) for name in qmpcheck.__all__)
    assert not hasattr(qmpcheck, "no_such_name")


@pytest.mark.parametrize("spec", ["auto", "2.8:txt", "1.1"])
def test_it_finds_what_the_command_finds(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Follow-ups and errata are on."""
    options = ["--assume", "no-shutdown", "--complete"] if spec != "1.1" else ["--complete"]
    main(["validate", str(RECORDING), "--spec", spec, "--format", "json", *options])
    said = [(each["line"], each["code"]) for each in json.loads(capsys.readouterr().out)["diagnostics"]]
    recipe = qmpcheck.Recipe(assume=("no-shutdown",) if spec != "1.1" else (), complete=True)
    lines = RECORDING.read_text().splitlines()
    for recording in (RECORDING, lines):
        [result] = qmpcheck.check(recording, spec, recipe)
        assert [(finding.line, finding.code) for finding in result.listed] == said
        assert result.spec
        assert result.spec.name == ("7.2" if spec == "auto" else spec)
    assert said


def test_lines_without_a_greeting_are_fitted() -> None:
    event = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "SHUTDOWN", "data": {"guest": true}}'
    [result] = qmpcheck.check([event])
    assert result.spec
    assert (result.spec.name, result.why) == (
        "3.1",
        "no greeting: checked against 3.1, the newest of 2.10 to 3.1 that fit",
    )


def test_pydoc_documents_the_public_names() -> None:
    documented = pydoc.plain(pydoc.render_doc(qmpcheck))
    assert "check(" in documented
    assert all(f"class {name}" in documented for name in ("Checker", "Recipe", "StreamResult"))
