"""Configuration files: what they set, what wins, and what is said of wrong ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from qmpcheck import toml_positions
from qmpcheck.cli import config, gate, main, validate

ROOT = Path(__file__).parents[1]
STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}\n'
BAD = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP", "data": {"why": 1}}\n'
IO_ERROR = BAD.replace("STOP", "BLOCK_IO_ERROR").replace(
    '"why": 1', '"device": "d", "operation": "read", "action": "stop"'
)
PANIC = BAD.replace("STOP", "GUEST_PANICKED").replace('"why": 1', '"action": "run"')
OWN_RULE = '[[rule]]\nevent = "STOP"\nthen = "RESET"\n'
DOCUMENT = "STOP\n----\nData: None.\n"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with recordings in a folder of their own; the commands run there."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "own.toml").write_text(OWN_RULE)
    (tmp_path / "doc.txt").write_text(DOCUMENT)
    folder = tmp_path / "recordings"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, stream in (("good", STOP), ("bad", BAD), ("open", IO_ERROR), ("panic", PANIC)):
        Path(f"{name}.jsonl").write_text(stream)


def run(capsys: pytest.CaptureFixture[str], command: str) -> tuple[int, str, str]:
    try:
        status = main(f"validate {command}".split())
    except SystemExit as exit:
        status = int(exit.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize(
    ("settings", "command", "status"),
    [
        ("", "good.jsonl", 0),
        ('spec = "v2"', "good.jsonl", 0),
        ('spec = "v2"', "bad.jsonl", 1),
        ('spec = "v77"', "good.jsonl", 2),
        ('spec = "v77"', "good.jsonl --spec v2", 0),
        ('spec = "doc.txt"', "good.jsonl", 0),
        ('spec = "./doc.txt"', "open.jsonl", 1),
        ('spec = "v2"\nselect = ["QMP1"]', "bad.jsonl", 0),
        ('spec = "v2"\nselect = ["QMP1"]', "bad.jsonl --select QMP2", 1),
        ('spec = "v2"\nselect = ["QMP2"]', "bad.jsonl --select QMP1", 0),
        ('spec = "v2"\nignore = ["QMP1", "QMP203"]', "bad.jsonl", 0),
        ('spec = "v2"\nignore = ["QMP203"]', "bad.jsonl --ignore QMP1 --ignore QMP3", 1),
        ('spec = "v2"\nignore = []', "bad.jsonl", 1),
        ('spec = "v2"\nignore = ["QMP401", "QMP5"]', "bad.jsonl", 1),
        ('spec = "v2"\nignore = ["QMP401", "QMP203"]', "bad.jsonl", 0),
        ('spec = "v2"\nignore = ["QMP"]', "good.jsonl", 2),
        ('spec = "v2"\nselect = ["QMP4", "QMP203"]', "bad.jsonl", 1),
        ('spec = "v2"\nselect = ["QMP4"]', "good.jsonl", 2),
        ('spec = "v2"\nselect = ["QMP4"]', "good.jsonl --select QMP2", 0),
        ('spec = "v2"', "good.jsonl --select QMP1 --ignore QMP10", 2),
        ('spec = "v2"\nseverities = { QMP401 = "warning", QMP501 = "error" }', "bad.jsonl", 1),
        ('spec = "v2"\nseverities = { QMP203 = "warning" }', "bad.jsonl", 0),
        ('spec = "v2"\nseverities = { QMP203 = "warning" }', "bad.jsonl --fail-on warning", 1),
        ('spec = "v2"\nfail-on = "warning"', "open.jsonl", 1),
        ('spec = "v2"\nfail-on = "warning"', "open.jsonl --fail-on error", 0),
        ('spec = "v2"\nseverities.QMP302 = "error"', "open.jsonl", 1),
        ('spec = "v2"\nseverities = { QMP302 = "error", QMP3 = "warning" }', "open.jsonl", 1),
        ('spec = "v2"\nseverities = { QMP302 = "warning", QMP3 = "error" }', "open.jsonl", 0),
        ('spec = "2.8:txt"\nseverities = { QMP205 = "error" }', "panic.jsonl", 0),
        ('spec = "2.8:txt"\nseverities = { QMP205 = "error" }', "panic.jsonl --literal", 1),
        ('spec = "v2"\nassume = ["no-shutdown"]', "good.jsonl", 0),
        ('spec = "v2"\nassume = ["sun"]', "good.jsonl", 2),
        ('spec = "v2"\nassume = ["sun"]', "good.jsonl --assume no-shutdown", 0),
        ('spec = "v2"\nrules = ["own.toml"]', "good.jsonl --complete", 1),
        ('spec = "v2"\nrules = ["own.toml"]', "good.jsonl --complete --rules ../own.toml", 1),
        ('spec = "v2"\nrules = ["none.toml"]', "good.jsonl", 2),
        ('spec = "v2"\nwithin = 0.5', "open.jsonl", 0),
    ],
)
@pytest.mark.parametrize(("file", "table"), [("qmpcheck.toml", ""), ("pyproject.toml", "[tool.qmpcheck]\n")])
def test_what_a_file_sets_and_a_flag_overrides(
    settings: str, command: str, status: int, file: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("..", file).write_text(table + settings)
    assert run(capsys, command)[0] == status


def test_a_severity_stands_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    Path("qmpcheck.toml").write_text('spec = "v2"\nseverities = { QMP2 = "warning", QMP302 = "error" }\n')
    assert run(capsys, "bad.jsonl open.jsonl")[:2] == (1, """\
bad.jsonl: conforms to v2 (d74c7dfd1b): 1 line, 1 event, 0 errors, 1 warning
bad.jsonl:1:76: QMP203 STOP data.why: unknown member; the spec has none here (spec line 56)
    …econds": 5}, "event": "STOP", "data": {"why": 1}}
                                            ^^^^^^^^
open.jsonl: violations of v2 (d74c7dfd1b): 1 line, 1 event, 1 error, 0 warnings
open.jsonl:1:59: QMP302 BLOCK_IO_ERROR: if action is "stop", STOP follows, but none has come yet; the event carries {"device": "d", "operation": "read", "action": "stop"} (searched up to line 1) (spec line 26)
    …onds": 1, "microseconds": 5}, "event": "BLOCK_IO_ERROR", "data": {"device": "d", "operatio…
                                            ^^^^^^^^^^^^^^^^

code    finding            severity    event           count
------  -----------------  ----------  --------------  -------
QMP203  unknown-member     warning     STOP            1
QMP302  follow-up-pending  error       BLOCK_IO_ERROR  1
""")  # fmt: skip
    assert '"severity": "warning"' in run(capsys, "bad.jsonl --format json")[1]


def test_the_nearest_file_counts_and_none_above_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spec() -> str | None:
        value: str | None = config.defaults(config.KEYS).get("spec")
        return value

    project = tmp_path / "a" / "b"
    (project / "c").mkdir(parents=True)
    monkeypatch.chdir(project / "c")
    (tmp_path / "qmpcheck.toml").write_text('spec = "v1"')
    assert spec() == "v1"
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.qmpcheck]\nspec = "v2"')
    assert spec() == "v2"
    (tmp_path / "a" / "qmpcheck.toml").write_text('spec = "v3"')
    assert spec() == "v3"
    (project / "pyproject.toml").write_text('[project]\nname = "qmpcheck-user"')
    assert spec() == "v3"
    (project / ".git").write_text("gitdir: elsewhere")
    assert spec() is None


def test_a_command_gets_the_keys_it_asks_for() -> None:
    Path("qmpcheck.toml").write_text('spec = "v2"\nfail-on = "error"\nrules = ["a/b.toml"]\n')
    assert config.defaults(["spec", "rules"]) == {"spec": "v2", "rules": ["a/b.toml"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '\nspek = "v2"\n',
            '2: unknown key "spek" (did you mean spec?)',
        ),
        ('"\\u001b[2J" = 1\n', '1: unknown key "\\x1b[2J"; known keys: spec'),
        ("spec = 2.1\n", '1: spec: expected the name of a spec in quotes, such as "10.0"'),
        ('spec = ""\n', '1: spec: expected the name of a spec in quotes, such as "10.0"'),
        ('spec = "qemu:./evil"\n', "1: spec: a configuration file cannot name a program to run; give it with --spec"),
        ('select = "QMP1"\n', "1: select: expected a list of strings"),
        ("select = []\n", "1: select: an empty list, which would report nothing"),
        ('select = ["QMP2:STOP"]\n', "1: select: CODE:EVENT is for ignore only"),
        ("ignore = [\n  1,\n]\n", "1: ignore: expected a list of strings"),
        ('# why\n\nignore = ["QMP1", "QMP7"]\n', '3: ignore: no code that validate or gate report begins with "QMP7"'),
        ('ignore = [""]\n', '1: ignore: no code that validate or gate report begins with ""'),
        ('ignore = ["QMP901"]\n', '1: ignore: no code that validate or gate report begins with "QMP901"'),
        ('ignore = ["QMP512"]\n', '1: ignore: no code that validate or gate report begins with "QMP512"'),
        ("severities = 1\n", "1: severities: expected a table of codes, each"),
        ('[severities]\nQMP304 = "error"\nQMP8 = "error"\n', '3: severities: no code that validate or gate report begins with "QMP8"'),
        ('[severities]\nQMP304 = "error"\nQMP3 = "off"\n', '3: severities: expected a table of codes, each "error" or "warning"'),
        ("severities.QMP304 = []\n", '1: severities: expected a table of codes, each "error" or "warning"'),
        ('assume = "no-shutdown"\n', "1: assume: expected a list of strings"),
        ("rules = [[]]\n", "1: rules: expected a list of strings"),
        ("within = -1\n", "1: within: expected a number of seconds"),
        ("within = nan\n", "1: within: expected a number of seconds"),
        ("within = true\n", "1: within: expected a number of seconds"),
        ('spec = "v2"\nfail-on = "never"\n', '2: fail-on: expected "error" or "warning"'),
        ('assume = """\nspek = 1\n"""\nspek = 2\n', "1: assume: expected a list"),
        ("spec = \n", "1:8: "),
        ("spec = '\x1b'\n", "1:9: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("qmpcheck.toml").write_text(text)
    status, out, err = run(capsys, "good.jsonl --spec v2")
    assert (status, out) == (2, "")
    assert err.startswith(f"qmpcheck: qmpcheck.toml:{said}")
    assert err.removesuffix("\n").isprintable()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tool.qmpcheck]\nspek = 1\n", 2),
        ("[tool.other]\nspek = 1\n[tool . 'qmpcheck']\nspek = 1\n", 4),
        ("[tool]\nqmpcheck.spek = 1\n", 2),
        ('x = """\n[tool.qmpcheck]\nspek = 1\n"""\r\n[tool.qmpcheck]\r\n\r\nspek = 1\r\n', 7),
        ("[tool]\nqmpcheck = [1]\n", 2),
        ("[[tool.qmpcheck]]\nspec = 'v2'\n", 1),
    ],
)
def test_a_line_of_a_project_file(text: str, line: int, capsys: pytest.CaptureFixture[str]) -> None:
    Path("..", "pyproject.toml").write_bytes(text.encode())
    status, _, err = run(capsys, "good.jsonl --spec v2")
    assert status == 2
    assert err.startswith(f"qmpcheck: ../pyproject.toml:{line}: ")


@pytest.mark.parametrize("text", ["[tool]\nother = 'qmpcheck'\n", "tool = 'qmpcheck'\n", "no TOML at all"])
def test_a_project_file_that_says_nothing_to_us(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(text)
    assert run(capsys, "good.jsonl --spec v2")[0] == 0


@pytest.mark.parametrize("content", [b"\xff", b"a = " + b"[" * 100_000, b"qmpcheck = \x00"])
def test_hostile_files(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("qmpcheck.toml").write_bytes(content)
    status, _, err = run(capsys, "good.jsonl --spec v2")
    assert status == 2
    assert err.startswith("qmpcheck: qmpcheck.toml")


def test_help_can_be_had_with_a_broken_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("qmpcheck.toml").write_text("nonsense")
    assert run(capsys, "--help")[0] == 0
    assert main(["specs"]) == 0


def test_a_file_that_is_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").mkdir()
    assert run(capsys, "good.jsonl --spec v2")[0] == 0
    Path("qmpcheck.toml").mkdir()
    assert run(capsys, "good.jsonl --spec v2") == (2, "", "qmpcheck: qmpcheck.toml: Is a directory\n")


def test_the_example_in_the_docs() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "configuration.md").read_text(), re.DOTALL)
    Path("qmpcheck.toml").write_text(example)
    assert config.defaults(config.KEYS).keys() == {
        "spec", "fail_on", "ignore", "severities", "assume", "rules"
    }  # fmt: skip


def test_lines_of_all_kinds_of_statements() -> None:
    text = "a.b = 1\n[c]\nd = { e = 1,  f = 2 }\ng = [\n 1\n]\n[[h]]\ni = 1\n[[h]]\nj = 1\n"
    places = {"a": 1, "a.b": 1, "c": 2, "c.d": 3, "c.d.f": 3, "c.g": 4, "h": 7, "h.i": 8, "h.j": 10, "k": 1}
    assert {path: toml_positions.line(text, tuple(path.split("."))) for path in places} == places


def test_without_a_file_nothing_more_is_loaded() -> None:
    program = (
        "import sys; from qmpcheck.cli import main; main(['validate', 'good.jsonl', '--spec', 'v2']);"
        "print('tomllib' in sys.modules, 'tomli' in sys.modules, 'qmpcheck.toml_positions' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["False False False"]


def test_validate_takes_every_key_and_gate_all_that_it_does_not_know_itself() -> None:
    assert validate.CONFIGURED == config.KEYS
    assert {*gate.CONFIGURED} == {*config.KEYS} - {"assume"}
