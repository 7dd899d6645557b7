"""Begin a report format: python tests/scaffold_report.py NAME

It writes a module that works, the module's row in the registry of formats, and a test, and prints what is left to do.
"""

import keyword
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPORTS, TESTS = Path("src/qmpcheck/reports"), Path("tests")
REGISTRY = REPORTS / "formats.py"

MODULE = '''"""Render the findings for NAME: one on each line."""

from __future__ import annotations

from collections.abc import Iterator

from qmpcheck.reports.report import Report, worst_first
from qmpcheck.text import safe


def render(report: Report) -> str:
    """Render what was not checked, then the findings, the worst first."""
    return "".join(f"{line}\\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    for suite in report.unchecked:
        yield safe(f"{suite.name}: not checked: {suite.unchecked}")
    for finding in worst_first(report.findings):
        known = " (in the baseline)" if finding.known else ""
        place = f"{finding.file}:{finding.line}"
        # names and messages come from guests: `safe` keeps them on one line, and harmless
        yield safe(f"{place}: {finding.severity} {finding.code}: {finding.full_text}{known}")
'''

TEST = '''"""The report for NAME: what reads it accepts it, whatever is in names and values."""

from hypothesis import given
from test_reports import REPORTS

from qmpcheck.reports import formats
from qmpcheck.reports.report import Report


@given(REPORTS)
def test_NAME(found: Report) -> None:
    text = formats.render("NAME", found)
    # Put here what reads the format: its published schema, or the library of the tool that takes it.
    lines = text.splitlines()
    assert len(lines) == len(found.unchecked) + len([*found.findings])
    assert all(line.isprintable() for line in lines)
'''

NEXT = """
Next ("A report format" in CONTRIBUTING.md says more):

1. Write the format in {module}, and let {test} check it by what reads it.
2. Say in the row of {registry} whether programs read it, and whether it is lines that may be mixed with others.
3. Add a row to the table in docs/reports.md, and an entry to CHANGELOG.md.
4. .venv/bin/python reports/docs.py: the pages about commands name the formats.
5. .venv/bin/pytest tests/test_report_formats.py tests/test_reports.py {test}
"""


def main(name: str, root: Path = ROOT) -> str | None:
    """Create the files in a checkout; return what is wrong, or None."""
    module, test = REPORTS / f"{name}.py", TESTS / f"test_report_{name}.py"
    if not re.fullmatch(r"[a-z][a-z0-9]*", name) or keyword.iskeyword(name):
        return f"{name}: expected a name for --report and for a module: lower-case letters and digits"
    for path in (module, module.with_suffix(""), test):
        if (root / path).exists():
            return f"{path}: exists already"
    for path, text in ((module, MODULE), (test, TEST)):
        (root / path).write_text(text.replace("NAME", name))
        print(f"created {path}")
    registry = root / REGISTRY
    registry.write_text(_with_row(registry.read_text(), name))
    print(f"added a row to {REGISTRY}")
    print(NEXT.format(module=module, test=test, registry=REGISTRY), end="")
    return None


def _with_row(text: str, name: str) -> str:
    """The registry with a row for a format; the rows are in the order of their names."""
    begin = text.index("FORMATS = {\n") + len("FORMATS = {\n")
    end = text.index("}\n", begin)
    rows = [*text[begin:end].splitlines(keepends=True), f'    "{name}": ReportFormat("{name}"),\n']
    return text[:begin] + "".join(sorted(rows)) + text[end:]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
