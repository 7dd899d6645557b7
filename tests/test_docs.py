"""The examples in README.md and docs/ are what qmpcheck prints, and what the pages point to is there."""

import re
import shlex
from pathlib import Path

import pytest

from qmpcheck.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(*found, id=f"{page.name}: {found[0]}")
    for page in PAGES
    for found in re.findall(r"```console\n\$ qmpcheck (.*)\n((?:.*\n)*?)```", page.read_text())
]


@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_an_example_is_true(
    command: str, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    main(shlex.split(command))
    printed = capsys.readouterr()
    assert printed.err + printed.out == output  # notes come first


LINK = re.compile(r"\]\(([^)#:\s]+)(?:#([\w-]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        path = page.parent / target
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w-]", "", each.lower().replace(" ", "-")) for each in headings]


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_modules_that_a_page_names_exist(page: str) -> None:
    named = re.findall(r"`([a-z_]+/[a-z_/]+(?:\.\w+)?)`", (ROOT / page).read_text())
    source = ROOT / "src" / "qmpcheck"
    there = [ROOT, source, source / "checking"]
    missing = [
        each
        for each in named
        if not any((base / f"{each}{end}").exists() for base in there for end in ("", ".py"))
    ]
    assert named
    assert missing == []
