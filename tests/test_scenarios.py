"""What belongs to a scenario is there; the scaffold of a new one works, and no part of it can be forgotten."""

import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import scaffold_scenario
from real_qemu import real
from scaffold_scenario import ROOT, SCENARIOS

from qmpcheck.gate.board import Ability
from qmpcheck.gate.boards import BOARDS
from qmpcheck.gate.expectations import QUIT, events_of
from qmpcheck.gate.scenario import Scenario
from qmpcheck.gate.scenarios import ALL
from qmpcheck.specs import catalogue

PAGE = Path("docs/gate.md")
THEMES = sorted(path.stem for path in (ROOT / SCENARIOS).glob("*.py") if path.stem != "__init__")
EVENTS = set(catalogue.find("latest").rule_base.events)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page."""
    section = (ROOT / PAGE).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]


def of_page(scenario: Scenario) -> str:
    """What the page says about where a scenario is played: a row of its table, or its name in a sentence."""
    if not scenario.needs:
        return scenario.name
    needs = {need for need in scenario.needs if isinstance(need, Ability)}
    can = ["yes" if needs <= board.features.keys() else "-" for board in BOARDS]
    return f"| {' | '.join([scenario.name, *can])} |"


def missing(scenario: Scenario) -> Iterator[str]:
    """What a scenario lacks, in words for whoever adds it."""
    expected = [each for steps in scenario.machines.values() for each in events_of(steps)]
    if all(each == QUIT for each in expected):
        yield "an event that it expects, beside the SHUTDOWN of every scenario"
    for event in sorted({each.event for each in expected} - EVENTS):
        yield f"an event that QEMU has in place of {event}"
    if not re.fullmatch(r"[a-z].*[^.]", scenario.purpose):
        yield "a purpose: what happens in it, in one line that goes on after its name and a colon"
    page, line = (ROOT / PAGE).read_text(), of_page(scenario)
    if scenario.needs and line not in page.splitlines():
        yield f'the row "{line}" under "Scenarios and machines" in {PAGE}'
    if not scenario.needs and line not in re.findall(r"[\w-]+", page.split("no machine: ")[1].split(".")[0]):
        yield f'its name after "These need no machine" in {PAGE}'
    if not any(ROOT.glob(f"corpora/gate-*/{scenario.name}.jsonl")):
        yield f"a recording, as `qmpcheck gate --only {scenario.name} --save corpora/gate-VERSION` makes it"


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_nothing_of_a_scenario_is_missing(scenario: Scenario) -> None:
    lacking = [*missing(scenario)]
    assert not lacking, f"the scenario {scenario.name} lacks {'; '.join(lacking)}"


@pytest.mark.parametrize("theme", THEMES)
def test_each_function_of_a_theme_is_a_scenario(theme: str) -> None:
    module = importlib.import_module(f"qmpcheck.gate.scenarios.{theme}")
    functions = [
        each for each in vars(module).values()
        if inspect.isfunction(each) and each.__module__ == module.__name__
        and [*inspect.signature(each).parameters] == ["stage"]
    ]  # fmt: skip
    scenarios = getattr(module, "SCENARIOS", ())
    for each in functions:
        played = any(each is scenario.play for scenario in scenarios)
        assert played or inspect.isgeneratorfunction(inspect.unwrap(each)), (
            f"{SCENARIOS / theme}.py: {each.__name__} lacks a Scenario in SCENARIOS"
        )
    for each in scenarios:
        assert each in ALL, f"{SCENARIOS}/__init__.py: ALL lacks *{theme}.SCENARIOS"


def test_no_two_scenarios_have_the_same_name() -> None:
    assert [name for name, count in Counter(each.name for each in ALL).items() if count > 1] == []


def test_the_page_has_no_row_too_many() -> None:
    table = [f"| {' | '.join(row)} |" for row in rows("Scenarios and machines")]
    assert table == [of_page(each) for each in ALL if each.needs]


def test_the_page_says_which_events_no_scenario_provokes() -> None:
    steps = [steps for each in ALL for steps in each.machines.values()]
    provoked = {event.event for each in steps for event in events_of(each)}
    listed = {event for event, _ in rows("Kinds of event that no scenario provokes")}
    left = EVENTS - provoked
    where = f'under "Kinds of event that no scenario provokes" in {PAGE}'
    assert left <= listed, f"a row is missing {where}: {', '.join(left - listed)}"
    assert listed <= left, f"remove the row {where}: {', '.join(listed - left)}"


NEW = "scaffold-test"
"""No name of the examples in CONTRIBUTING.md: who follows them must be able to run these tests."""
TESTS = ["scaffold_scenario.py", "test_scenarios.py", "real_qemu.py"]


@pytest.fixture(params=["power"])
def checkout(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A checkout with what belongs to scenarios, and one that the scaffold has just begun."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src/qmpcheck", tmp_path / "src/qmpcheck", ignore=ignored)
    for folder in ("docs", "tests", "corpora"):
        (tmp_path / folder).mkdir()
    for path in [PAGE, *(Path("tests") / name for name in TESTS)]:
        shutil.copy(ROOT / path, tmp_path / path)
    for path in [Path("rules"), *(path.relative_to(ROOT) for path in ROOT.glob("corpora/gate-*"))]:
        (tmp_path / path).symlink_to(ROOT / path)
    assert scaffold_scenario.main(request.param, NEW, tmp_path) is None
    return tmp_path


def in_checkout(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    command = (sys.executable, "-m", *command)
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def lacking(checkout: Path) -> list[str]:
    """What the tests of a checkout say about what is lacking in it."""
    chosen = f"nothing_of_a_scenario and {NEW} or each_function and power"
    done = in_checkout(
        checkout, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_scenarios.py", "-k", chosen
    )
    return re.findall(r"^E +AssertionError: (.*? lacks .*)$", done.stdout, re.MULTILINE)


def document(checkout: Path) -> None:
    """Do what the scaffold leaves to people."""
    page = (checkout / PAGE).read_text()
    (checkout / PAGE).write_text(page.replace("no machine: ", f"no machine: {NEW}, "))
    (checkout / "corpora/gate-new").mkdir()
    (checkout / f"corpora/gate-new/{NEW}.jsonl").write_text("")


MACHINE = f'its name after "These need no machine" in {PAGE}'
RECORDING = f"a recording, as `qmpcheck gate --only {NEW} --save corpora/gate-VERSION` makes it"


def test_what_the_scaffold_leaves_to_people_is_named(checkout: Path) -> None:
    assert lacking(checkout) == [f"the scenario {NEW} lacks {MACHINE}; {RECORDING}"]
    document(checkout)
    assert lacking(checkout) == []


POWER, REGISTRY = SCENARIOS / "power.py", SCENARIOS / "__init__.py"


@pytest.mark.parametrize(
    ("path", "old", "new", "part"),
    [
        (POWER, re.escape(f'(expected("STOP"), QUIT),\n        _{NEW.replace("-", "_")}'), f'(QUIT,),\n        _{NEW.replace("-", "_")}',
         f"the scenario {NEW} lacks an event that it expects, beside the SHUTDOWN of every scenario"),
        (POWER, r'(?<="the machine is stopped",\n        \(expected\(")STOP', "BELL_RINGS",
         f"the scenario {NEW} lacks an event that QEMU has in place of BELL_RINGS"),
        (POWER, r'"the machine is stopped"', '"The machine is stopped."',
         f"the scenario {NEW} lacks a purpose: what happens in it, in one line that goes on after its name and a colon"),
        (POWER, rf'    Scenario\(\n        "{NEW}"(?s:.*?)\n    \),\n', "",
         f"{POWER}: _scaffold_test lacks a Scenario in SCENARIOS"),
        (REGISTRY, r"    \*power.SCENARIOS,\n", "", f"{REGISTRY}: ALL lacks *power.SCENARIOS"),
        (POWER, r"(?<=        _scaffold_test,\n)", "        needs=(Ability.RESET,),\n",
         f'the scenario {NEW} lacks the row "| {NEW} | yes | yes | yes | yes | yes | yes | yes | yes | - |" '
         f'under "Scenarios and machines" in {PAGE}'),
        (PAGE, f"{NEW}, ", "", f"the scenario {NEW} lacks {MACHINE}"),
        (Path(f"corpora/gate-new/{NEW}.jsonl"), "", "", f"the scenario {NEW} lacks {RECORDING}"),
    ],
    ids=["event", "known event", "purpose", "entry", "theme", "row", "sentence", "recording"],
)  # fmt: skip
def test_a_part_that_was_forgotten_is_named(
    path: Path, old: str, new: str, part: str, checkout: Path
) -> None:
    document(checkout)
    file = checkout / path
    if old:
        text, count = re.subn(old, new, file.read_text())
        assert count == 1
        file.write_text(text)
    else:
        file.unlink()
    assert part in lacking(checkout)


@pytest.mark.qemu
@pytest.mark.parametrize("checkout", [each for each in THEMES if each != "jobevents"], indirect=True)
def test_the_scaffold_begins_a_scenario_that_works(checkout: Path) -> None:
    saved = "corpora/gate-new"
    command = ["gate", "--qemu", real(), "--only", NEW, "--fail-on", "warning", "--save", saved]
    done = in_checkout(checkout, "qmpcheck", *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout / saved / f"{NEW}.jsonl").exists()


@pytest.mark.parametrize(("theme", "name", "wrong"), [
    ("lamps", "bell", "lamps: expected one of the themes blocks, devices, jobs, migration, network, power"),
    ("power", "Bell", "Bell: expected lower-case words with dashes between them"),
    ("power", "vnc", "vnc: src/qmpcheck/gate/scenarios/network.py has one of that name already"),
    ("power", "panic-off", "panic-off: src/qmpcheck/gate/scenarios/power.py has one of that name already"),
])  # fmt: skip
def test_what_is_no_new_scenario(theme: str, name: str, wrong: str) -> None:
    assert str(scaffold_scenario.main(theme, name)).startswith(wrong)
