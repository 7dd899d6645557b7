"""What belongs to a report format is there; the scaffold of a new one works, and nothing of it can be forgotten."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import scaffold_report
from scaffold_report import REGISTRY, REPORTS, ROOT, TESTS

_RENDER = re.compile(r"^def render\(\w+: Report\) -> str:", re.MULTILINE)
_ROW = re.compile(r'^    "(\w+)": ReportFormat\("(\w+)"', re.MULTILINE)


def registered(root: Path) -> dict[str, str]:
    """The module of each format in a checkout."""
    return dict(_ROW.findall((root / REGISTRY).read_text()))


def modules(root: Path) -> set[str]:
    """The modules of a checkout that render a format."""
    found = [*(root / REPORTS).glob("*.py"), *(root / REPORTS).glob("*/__init__.py")]
    rendering = [path for path in found if _RENDER.search(path.read_text())]
    return {path.parent.name if path.stem == "__init__" else path.stem for path in rendering}


def missing(name: str, root: Path) -> Iterator[str]:
    """What a format lacks in a checkout, in words for whoever adds it."""
    module = registered(root).get(name, name)
    if module not in modules(root):
        yield f"{REPORTS / module}.py with `render(report: Report) -> str`"
    if name not in registered(root):
        yield f"a row in FORMATS of {REGISTRY}"
    if not any(f'render("{name}"' in path.read_text() for path in (root / TESTS).glob("test_*.py")):
        yield f"a test that renders it, such as {TESTS}/test_report_{name}.py"
    if f"| `{name}` |" not in (root / "docs/reports.md").read_text():
        yield "a row in the table of docs/reports.md"
    if not re.search(rf"\b{name}\b", (root / "CHANGELOG.md").read_text(), re.IGNORECASE):
        yield "an entry in CHANGELOG.md"


@pytest.mark.parametrize("name", sorted({*registered(ROOT), *modules(ROOT) - {*registered(ROOT).values()}}))
def test_nothing_of_a_format_is_missing(name: str) -> None:
    lacking = [*missing(name, ROOT)]
    assert not lacking, f"the report format {name} lacks {'; '.join(lacking)}"


NEW = "semaphore"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with what the scaffold writes to, what its test needs, and a format that it has just begun."""
    shutil.copytree(
        ROOT / "src/qmpcheck", tmp_path / "src/qmpcheck", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "tests").mkdir()
    for path in [*(ROOT / TESTS).glob("*.py"), *(ROOT / TESTS).glob("*.xsd")]:
        shutil.copy(path, tmp_path / TESTS)
    (tmp_path / "docs").mkdir()
    for name in ("docs/reports.md", "CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert scaffold_report.main(NEW, tmp_path) is None
    return tmp_path


def document(checkout: Path) -> None:
    """Do what the scaffold leaves to people."""
    for name, text in (("docs/reports.md", f"| `{NEW}` | a railway |\n"), ("CHANGELOG.md", f"- `{NEW}`.\n")):
        with open(checkout / name, "a") as file:
            file.write(text)


def test_the_scaffold_begins_a_format_that_works(checkout: Path) -> None:
    assert (
        f'    "sarif": ReportFormat("sarif"),\n    "{NEW}": ReportFormat("{NEW}"),\n'
        in (checkout / REGISTRY).read_text()
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/test_report_{NEW}.py"]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_what_the_scaffold_leaves_to_people_is_named(checkout: Path) -> None:
    assert [*missing(NEW, checkout)] == ["a row in the table of docs/reports.md", "an entry in CHANGELOG.md"]
    document(checkout)
    assert [*missing(NEW, checkout)] == []


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (
            f"src/qmpcheck/reports/{NEW}.py",
            f"src/qmpcheck/reports/{NEW}.py with `render(report: Report) -> str`",
        ),
        ("src/qmpcheck/reports/formats.py", "a row in FORMATS of src/qmpcheck/reports/formats.py"),
        (f"tests/test_report_{NEW}.py", f"a test that renders it, such as tests/test_report_{NEW}.py"),
        ("docs/reports.md", "a row in the table of docs/reports.md"),
        ("CHANGELOG.md", "an entry in CHANGELOG.md"),
    ],
)
def test_a_part_that_was_forgotten_is_named(path: str, part: str, checkout: Path) -> None:
    document(checkout)
    lines = (checkout / path).read_text().splitlines(keepends=True)
    (checkout / path).write_text(
        "".join(line for line in lines if NEW not in line and "def render" not in line)
    )
    assert [*missing(NEW, checkout)] == [part]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("sarif", "src/qmpcheck/reports/sarif.py: exists already"),
        ("html", "src/qmpcheck/reports/html: exists already"),
        ("changes", "src/qmpcheck/reports/changes.py: exists already"),
        ("../evil", "../evil: expected a name for --report"),
        ("import", "import: expected a name for --report"),
        ("", ": expected a name for --report"),
    ],
)
def test_the_scaffold_refuses_names_that_do_not_do(name: str, wrong: str) -> None:
    assert str(scaffold_report.main(name)).startswith(wrong)
