"""`--report FORMAT=FILE`: write reports for CI, in addition to the command's own."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import IO, TYPE_CHECKING

import msgspec

from qmpcheck.cli import output
from qmpcheck.cli.messages import CLEAN, UNUSABLE, notify
from qmpcheck.reports.formats import FOR_CI, LINES, PAGES
from qmpcheck.rulebase import SpecError
from qmpcheck.streams.stored_file import scheme
from qmpcheck.text import quoted, safe
from qmpcheck.wording import alternatives, did_you_mean

if TYPE_CHECKING:
    from qmpcheck.reports.report import Report

_DOCUMENTS = ("json", "markdown")
"""The formats of a command's own report that make a document, to which nothing may be added."""


class ReportRequest(msgspec.Struct, frozen=True):
    """A requested report: its format, and its file; None for standard output."""

    format: str
    path: str | None


TABLES = "parquet"
"""The format that is a folder of tables, which only `validate` writes."""


def add_report(parser: argparse.ArgumentParser, formats: Sequence[str] = (*FOR_CI, *PAGES)) -> None:
    """Add `--report FORMAT=FILE`, which may be given any number of times."""
    more = f"; {TABLES}=FOLDER writes tables to a folder or a URL" if TABLES in formats else ""
    texts = ", ".join(each for each in formats if each != TABLES)
    parser.set_defaults(report_formats=formats)
    parser.add_argument(
        "--report",
        dest="reports",
        type=functools.partial(_request, formats),
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help=f"also write a report to a file (- is standard output): {texts}{more}",
    )


def _request(formats: Sequence[str], text: str) -> ReportRequest:
    format, _, path = text.partition("=")
    if format not in formats:
        hint = did_you_mean(format, formats)
        raise argparse.ArgumentTypeError(
            f"unknown format {quoted(format)}{hint}; expected {alternatives([*formats])}"
        )
    if not path:
        raise argparse.ArgumentTypeError(
            f"{format} names no file: write {format}=FILE, where - is standard output"
        )
    if format == TABLES and path == "-":
        raise argparse.ArgumentTypeError(f"{TABLES} needs a folder for its tables, not standard output")
    return ReportRequest(format, output.output_path(path))


def prepare(
    requests: Sequence[ReportRequest],
    inputs: Sequence[str],
    outputs: Sequence[str] = (),
    own: str = "text",
    path: str | None = None,
) -> None:
    """Check that the reports can be written beside everything else, without changing a file.

    Args:
        requests: the requested reports.
        inputs: the files that are read.
        outputs: other files that are written.
        own: the format of the report that the command writes without `--report`.
        path: the file of that report; None for standard output.

    Raises:
        SpecError: a report would overwrite an input or an output, or cannot be written where it should go, or
            two documents go to standard output.
    """
    output.prepare([*inputs, *outputs], path)
    _refuse_overwrite(requests, inputs, [*outputs, *filter(None, [path])])
    _keep_apart(requests, own, path)
    for each in requests:
        option = f"--report {each.format}="
        if each.format != TABLES:
            output.expect_writable(each.path, option)
        elif each.path and not scheme(each.path):
            output.expect_folder(each.path, option)


def _refuse_overwrite(
    requests: Sequence[ReportRequest], inputs: Sequence[str], outputs: Sequence[str]
) -> None:
    """Refuse to overwrite an input or another output with a report."""
    # By paths: the files may not exist yet. `refuse_overwrite` compares existing files, whatever their names.
    taken = {*map(os.path.abspath, outputs)}
    for each in requests:
        output.refuse_overwrite([*inputs, *outputs], each.path, "--report")
        if each.path is not None:
            path = os.path.abspath(each.path)
            if path in taken:
                raise SpecError(f"--report: {safe(each.path)} is named twice")
            taken.add(path)


def _keep_apart(requests: Sequence[ReportRequest], own: str, path: str | None) -> None:
    """Refuse to write a document to standard output if another report goes there, too."""
    there = [own] if own in _DOCUMENTS and path is None else []
    there += [each.format for each in requests if each.path is None]
    if len(there) > 1 and not {*LINES}.issuperset(there):
        raise SpecError(
            f"{' and '.join(there)} cannot both go to standard output: name a file for one of them"
        )


def run(options: argparse.Namespace) -> int:
    """Run a command that has `--report`; return its exit status.

    If it fails, older report files stay as they were, and a message names them, so that nobody takes them for
    new ones.
    """
    before = _existing(options)
    status = UNUSABLE
    try:
        status = int(options.run(options))
    except SpecError as error:
        notify(str(error))
    finally:
        if status == UNUSABLE:
            for path, state in before.items():
                if _state(path) == state:
                    notify(f"{safe(path)} was not changed: it is not of this run")
    return status


def _existing(options: argparse.Namespace) -> dict[str, tuple[int, int]]:
    """Return the existing files among those for reports, with their states."""
    paths = [*(each.path for each in options.reports), getattr(options, "output", None)]
    states = {path: _state(path) for path in paths if path is not None}
    return {path: state for path, state in states.items() if state}


def _state(path: str) -> tuple[int, int] | None:
    """Return values that change when a file is written or replaced; None if it is no regular file."""
    if not os.path.isfile(path):
        return None
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns


def sparing_existing(options: argparse.Namespace) -> argparse.Namespace:
    """Return the options without existing report files, for a run that could read none of its inputs.

    A new file may say that nothing could be read; an older one keeps its content.
    """
    there = _existing(options)
    reports = [each for each in options.reports if each.path not in there]
    output = None if options.output in there else options.output
    return argparse.Namespace(**{**vars(options), "reports": reports, "output": output})


def opened(
    path: str | None, requests: Sequence[ReportRequest], at_once: bool = False
) -> AbstractContextManager[IO[str]]:
    """Open the file for the command's own report.

    If a document goes to standard output, a program will read that, so the report goes to standard error.

    Args:
        path: the file that the user named; None for standard output.
        requests: the other reports.
        at_once: whether others read the report while it is written.

    Raises:
        SpecError: the file cannot be written.
    """
    # For example, `--report sarif=- | upload`: the text report must not get into the document.
    if path is None and any(each.path is None and each.format not in LINES for each in requests):
        return nullcontext(sys.stderr) if sys.stderr is not None else output.opened(os.devnull)
    return output.opened(path, at_once)


def write(requests: Sequence[ReportRequest], report: Report) -> int:
    """Write each report, even if another cannot be written; return the exit status."""
    from qmpcheck.reports import formats

    status = CLEAN
    for each in (each for each in requests if each.format != TABLES):
        text = formats.render(each.format, report)
        status = max(status, _write(text, each.path))
    return status


def _write(text: str, path: str | None) -> int:
    try:
        with output.opened(path) as out:
            out.write(text)
    except SpecError as error:
        notify(str(error))
        return UNUSABLE
    return CLEAN
