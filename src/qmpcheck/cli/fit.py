"""Show which releases could have written a stream, and which events say so.

A log of several VMs has several streams; each is compared by itself. For several files, the report says how
many streams each release wrote: by the greeting, or without one by the events. Names, types and values
count; follow-ups, timestamps and deprecation do not.

Exit status: 0 some release allows all events; 1 none does; 2 the stream could not be read to its end, or has
no event; 130 interrupted.

Example: qmpcheck fit stream.jsonl
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence

from qmpcheck.cli import inputs, report_option
from qmpcheck.cli.messages import CLEAN, FINDINGS, UNUSABLE, notify
from qmpcheck.codes import Severity
from qmpcheck.drift import fit
from qmpcheck.reports import fitreport
from qmpcheck.reports.formats import PAGES
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.streams import formats
from qmpcheck.streams.source import Unreadable
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.text import safe
from qmpcheck.version import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "streams",
        nargs="+",
        metavar="STREAM",
        help="a recording or a log (compressed by gzip or Zstandard, or not), a folder of them, a URL, or "
        "- for standard input",
    )
    formats.add_input(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the report (default: text)"
    )
    report_option.add_report(parser, PAGES)


def run(options: argparse.Namespace) -> int:
    report_option.prepare(options.reports, options.streams, (), options.format)
    # A folder can have millions of files: two are enough to know whether there are several.
    listed = itertools.chain.from_iterable(map(inputs.files, options.streams))
    first, second = next(listed), next(listed, None)
    if second is None:
        return _fit_one(first.path, options)
    if options.reports:
        raise SpecError("--report html takes one recording")
    return _fit_many(itertools.chain([first, second], listed), options)


def _fit_one(path: str, options: argparse.Namespace) -> int:
    try:
        found = fit.fit(path, catalogue.text_revisions(), options.input)
    except Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    _notify_of_versions(dict.fromkeys(version for each in found for version in each.fit.versions))
    write = fitreport.write_json if options.format == "json" else fitreport.write_text
    with report_option.opened(None, options.reports) as out:
        write(path, found, out)
    status = _page(path, found, options) if options.reports else CLEAN
    return max(status, _status(path, found))


def _fit_many(files: Iterable[StoredFile], options: argparse.Namespace) -> int:
    """Fit the streams of several files: text sums them up, JSON has each. Return the exit status."""
    is_json = options.format == "json"
    texts = catalogue.text_revisions() if is_json else ()
    sums = fitreport.Sums()
    status = CLEAN
    for file in files:
        try:
            found = fit.fit(file.path, texts, options.input, file.size)
        except Unreadable as error:
            notify(f"{safe(file.path)}: {error}")
            status = UNUSABLE
            continue
        status = max(status, _status(file.path, found))
        sums.add(file.path, found)
        if is_json:
            fitreport.write_json(file.path, found, sys.stdout)
    _notify_of_versions(sums.versions)
    if not is_json:
        sys.stdout.write(sums.text())
    return status


def _status(path: str, found: Sequence[fit.StreamFit]) -> int:
    if not any(each.fit.events for each in found):
        notify(f"{safe(path)}: no event in it")
        return UNUSABLE
    return CLEAN if all(each.fit.is_whole for each in found) else FINDINGS


def _page(path: str, found: Sequence[fit.StreamFit], options: argparse.Namespace) -> int:
    """Write the page, and return the exit status."""
    from qmpcheck.reports.html.fit import FitSource
    from qmpcheck.reports.report import Report

    source = FitSource(path, options.input, found)
    report = Report("fit", path, (), Severity.NOTE, dict, source=source)
    return report_option.write(options.reports, report)


def _notify_of_versions(versions: Iterable[Version]) -> None:
    for note in dict.fromkeys(map(_note, versions)):
        if note:
            notify(note)


def _note(version: Version) -> str:
    """Return what the user should know about a version that is not in the catalogue; "" for nothing."""
    try:
        return catalogue.of_version(version).note
    except SpecError as error:
        return str(error)
