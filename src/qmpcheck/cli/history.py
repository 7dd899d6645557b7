"""Show how an event, a member or a value changed, from the first release with QMP to the newest.

Without a name: how many events each release has, and how many changes it brought.

Up to 2.0, each revision of qmp-events.txt is compared with the one before; from 2.1 on, the QAPI schema of
each release. The level says what a change means for a client that ignores what it does not know; at the level
doc, only the documents differ.

Example: qmpcheck history SHUTDOWN.reason
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from qmpcheck.cli import report_option
from qmpcheck.codes import Impact, Severity
from qmpcheck.drift.history import HistoryEntry, history
from qmpcheck.reports.formats import PAGES
from qmpcheck.reports.terminal import is_narrow, table

if TYPE_CHECKING:
    from qmpcheck.reports.report import Report

_WIDEST = 80
"""The width at which cells are wrapped: what happened can be long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "subject",
        nargs="?",
        default="",
        metavar="EVENT[.MEMBER[.VALUE]]",
        help="such as SHUTDOWN, or VNC_CONNECTED.server.family",
    )
    report_option.add_report(parser, PAGES)


def run(options: argparse.Namespace) -> int:
    report_option.prepare(options.reports, ())
    steps = history(options.subject) if options.subject else ()
    with report_option.opened(None, options.reports) as out:
        out.write((_steps(steps, out) if steps else _releases(out)) + "\n")
    if not options.reports:
        return 0
    return report_option.write(options.reports, _report(options.subject, steps))


def _steps(steps: tuple[HistoryEntry, ...], out: IO[str]) -> str:
    if is_narrow(out):
        cells = [(*step[:-2], f"{step.what} ({step.place})" if step.place else step.what) for step in steps]
        return table(cells, HistoryEntry._fields[:-1], out)
    return table(steps, HistoryEntry._fields, out, widest=_WIDEST)


def _releases(out: IO[str]) -> str:
    heads = ("release", "year", "events", "came", "went", "breaking", "risky", "safe")
    return table(_rows(), heads, out, align=["right"] * len(heads))


def _rows() -> Iterator[tuple[object, ...]]:
    from qmpcheck.drift.lifelines import CAME, WENT, releases

    for each in releases():
        levels = each.levels()
        counts = (each.number(CAME), each.number(WENT), *(levels[level] for level in _LEVELS))
        yield each.name, each.year, len(each.rule_base.events), *(number or None for number in counts)


_LEVELS = (Impact.BREAKING, Impact.RISKY, Impact.SAFE)


def _report(subject: str, steps: tuple[HistoryEntry, ...]) -> Report:
    from qmpcheck.reports.report import Report

    return Report("history", subject, (), Severity.NOTE, dict, source=steps)
