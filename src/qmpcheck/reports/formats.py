"""The reports that CI systems read, by name; each is made by a module that is loaded when it is asked for."""

from __future__ import annotations

import importlib

from qmpcheck.reports.report import Report

FORMATS = {
    "github": "github",
    "gitlab": "gitlab",
    "html": "html",
    "json": "jsonreport",
    "junit": "junit",
    "markdown": "markdown",
    "sarif": "sarif",
}
"""Each format, and the module whose `render` makes it."""


def render(format: str, report: Report) -> str:
    """The report in one of the formats."""
    return str(importlib.import_module(f"{__package__}.{FORMATS[format]}").render(report))
