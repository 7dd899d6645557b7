"""The README's examples are what qmpcheck says."""

import re
from pathlib import Path

import pytest

from qmpcheck.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLES = re.findall(r"```console\n\$ qmpcheck (.*)\n((?:.*\n)*?)```", (ROOT / "README.md").read_text())


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_is_true(
    command: str, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    main(command.split())
    assert capsys.readouterr().out == output
