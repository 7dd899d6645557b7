"""What a command prints for small inputs, in `tests/cases/CODE/NAME/`: the inputs and the output side by side.

    QMP1xx to QMP3xx    spec, stream.jsonl    qmpcheck validate stream.jsonl --spec spec
    QMP5xx              old, new              qmpcheck diff old new
    QMP9xx              spec                  qmpcheck lint spec

`spec`, `old` and `new` each hold a spec (a text document, a QAPI schema or a compiled rule base), or just the name of
one, such as `7.2`. `options`, if there is one, holds more options of the command; files that it names are in the folder,
too. `expected` is what the command prints, and its exit status. `pytest tests/test_cases.py --update` writes it.

A case named `good`, or `good-...`, does not give the code; every other case gives it.
"""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from qmpcheck.cli import main
from qmpcheck.codes import BUILD_CODES, CODES

CASES = Path(__file__).parent / "cases"
OTHER_KINDS = {"formats"}
"""Folders of cases that another test reads."""

INPUTS: dict[str, tuple[str, ...]] = dict.fromkeys(("QMP1", "QMP2", "QMP3"), ("spec", "stream.jsonl"))
INPUTS |= {"QMP5": ("old", "new"), "QMP9": ("spec",)}
FOLDERS = sorted(path for path in CASES.glob("*/*") if path.parent.name not in OTHER_KINDS)


def name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def inputs(folder: Path) -> tuple[str, ...]:
    return INPUTS.get(folder.parent.name[:4], ())


def options(folder: Path) -> list[str]:
    path = folder / "options"
    return shlex.split(path.read_text()) if path.exists() else []


def spec(path: Path) -> str:
    """The name that a file consists of, or else the file's own name."""
    text = path.read_text().strip()
    return text if re.fullmatch(r"[\w.:]+", text) else path.name


def command(folder: Path) -> list[str]:
    if folder.parent.name.startswith("QMP5"):
        return ["diff", spec(folder / "old"), spec(folder / "new"), *options(folder)]
    if folder.parent.name.startswith("QMP9"):
        return ["lint", "spec", *options(folder)]
    return ["validate", "stream.jsonl", "--spec", spec(folder / "spec"), *options(folder)]


def printed(arguments: list[str], folder: Path) -> str:
    """What a command prints, to standard output or standard error, if it is run in a folder."""
    out = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        patch.chdir(folder)
        status = main(arguments)
    return f"{out.getvalue()}exit status {status}\n"


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_case(folder: Path, request: pytest.FixtureRequest) -> None:
    output, expected = printed(command(folder), folder), folder / "expected"
    if request.config.getoption("--update"):
        expected.write_text(output, newline="")
    assert expected.exists(), (
        "no `expected`: run pytest tests/test_cases.py --update, and read what it writes"
    )
    assert output == expected.read_text()


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_good_case_does_not_give_the_code_and_any_other_case_does(folder: Path) -> None:
    code, expected = folder.parent.name, folder / "expected"
    output = expected.read_text() if expected.exists() else ""
    assert output, "no `expected`: run pytest tests/test_cases.py --update, and read what it writes"
    if re.search(rf"\b{code}\b", output):
        assert not is_good(folder), f"the output has {code}, but the name of the case says that it is good"
    else:
        assert is_good(folder), (
            f"the output lacks {code}: the input does not break the rule, no code yields the finding, or, for "
            "QMP1xx and QMP2xx, checking/decoder.py accepts the line, so that it is never explained"
        )
    assert not output.endswith("exit status 2\n"), "the inputs cannot be read, or hold nothing to check"


def is_good(folder: Path) -> bool:
    return re.fullmatch(r"good(-.*)?", folder.name) is not None


@pytest.mark.parametrize("code", sorted({*CODES} - BUILD_CODES))
def test_each_code_has_a_good_case_and_another(code: str) -> None:
    cases = [is_good(folder) for folder in FOLDERS if folder.parent.name == code]
    assert set(cases) == {True, False}, f"see tests/scaffold.py {code}"


def test_each_folder_is_for_a_code_and_holds_only_what_is_read() -> None:
    unknown = {path.name for path in CASES.iterdir()} - ({*CODES} - BUILD_CODES) - OTHER_KINDS
    assert not unknown, "src/qmpcheck/codes/ has no entry for these folders of tests/cases"
    for folder in FOLDERS:
        read = {*inputs(folder), "expected"}
        assert folder.is_dir(), f"{name(folder)}: no test reads it"
        found = {path.name for path in folder.iterdir()}
        assert read <= found, name(folder)
        assert found - read <= {"options", *options(folder)}, f"{name(folder)}: no test reads one of these"


@pytest.mark.parametrize(
    "folder", [each for each in FOLDERS if each.parent.name.startswith("QMP5")], ids=name
)
def test_a_spec_does_not_differ_from_itself(folder: Path) -> None:
    for side in ("old", "new"):
        itself = spec(folder / side)
        assert re.search(r"QMP5\d\d", printed(["diff", itself, itself], folder)) is None
