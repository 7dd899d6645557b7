"""The registry of report formats; the module of each is loaded when it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # the command line asks for the names of formats, whether or not there is a report
    from qmpcheck.reports.report import Report


class ReportFormat(msgspec.Struct, frozen=True):
    """A format of reports.

    Attributes:
        module: the module whose `render` makes it.
        is_for_ci: whether programs read it; else it is a page for people.
        is_lines: whether it consists of lines that may be mixed with others; else it is a document.
    """

    module: str
    is_for_ci: bool = True
    is_lines: bool = False


FORMATS = {
    "github": ReportFormat("github", is_lines=True),
    "gitlab": ReportFormat("gitlab"),
    "html": ReportFormat("html", is_for_ci=False),
    "json": ReportFormat("jsonreport"),
    "junit": ReportFormat("junit"),
    "markdown": ReportFormat("markdown"),
    "sarif": ReportFormat("sarif"),
}
"""Each format, by the name that `--report` takes."""

FOR_CI = tuple(name for name, format in FORMATS.items() if format.is_for_ci)
"""The names of formats that programs read."""

PAGES = tuple(name for name, format in FORMATS.items() if not format.is_for_ci)
"""The names of formats that people look at."""

LINES = tuple(name for name, format in FORMATS.items() if format.is_lines)
"""The names of formats that may be mixed with other lines."""


def render(format: str, report: Report) -> str:
    """Render a report in one of the formats."""
    return str(importlib.import_module(f"{__package__}.{FORMATS[format].module}").render(report))
