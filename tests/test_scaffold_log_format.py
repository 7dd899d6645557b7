"""The scaffold of a log format begins one that works, and the tests name what it leaves to people."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import scaffold_log_format

ROOT = Path(__file__).parents[1]
NEW = "lamp-log"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with what the tests of formats need, and a format that the scaffold has just begun."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src/qmpcheck", "tests/cases/formats"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for path in (ROOT / "tests").glob("*.py"):
        shutil.copy(path, tmp_path / "tests")
    (tmp_path / "docs").mkdir()
    for name in ("docs/logs.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert scaffold_log_format.main(NEW, tmp_path) is None
    return tmp_path


def outcome(checkout: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_formats.py"]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


def test_the_scaffold_begins_a_format_that_works(checkout: Path) -> None:
    assert f"AssertionError: {NEW} is not in docs/logs.md" in outcome(checkout)
    with open(checkout / "docs/logs.md", "a") as page:
        page.write(f"| `{NEW}` | a lamp | nothing |\n")
    told = outcome(checkout)
    assert " passed" in told
    assert "failed" not in told


@pytest.mark.parametrize(("name", "wrong"), [
    ("Lamp", "Lamp: expected lower-case words with dashes between them"),
    ("incus", "src/qmpcheck/streams/formats/incus.py: exists already"),
])  # fmt: skip
def test_what_is_no_new_format(name: str, wrong: str) -> None:
    assert scaffold_log_format.main(name) == wrong
