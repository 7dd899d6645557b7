"""Reports as HTML pages: one file each, which needs nothing else, for a reader who looks and clicks."""

from __future__ import annotations

import importlib

from qmpcheck.reports.report import Report

PAGES = {"diff": "changes", "fit": "fit", "gate": "gate", "history": "history", "validate": "streams"}
"""The module that makes the page of each command."""


def render(report: Report) -> str:
    """The page of a report; it needs Jinja2, which nothing else does."""
    module = PAGES[report.command]
    return str(importlib.import_module(f"{__package__}.{module}").render(report))
