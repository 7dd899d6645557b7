"""Show how much of a stream each spec allows, which releases could have written it, and what in it says so.

A log of several VMs holds several streams; each is fitted by itself.

Follow-ups, timestamps and deprecation are not looked at. Exit status: 0 some release fits all events;
1 none does; 2 the stream could not be read to its end, or held no event; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys

from qmpcheck.cli.messages import tell
from qmpcheck.cli.status import CLEAN, FINDINGS, UNUSABLE
from qmpcheck.drift import fit
from qmpcheck.reports import fitreport
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.streams import formats
from qmpcheck.streams.source import Unreadable
from qmpcheck.text import safe
from qmpcheck.version import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stream",
        metavar="STREAM",
        help="a recording or a log, plain or packed, or its URL; - is standard input",
    )
    formats.add_input(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the report")


def run(options: argparse.Namespace) -> int:
    try:
        found = fit.fit(options.stream, catalogue.text_revisions(), options.input)
    except Unreadable as error:
        raise SpecError(f"{safe(options.stream)}: {error}") from None
    for note in dict.fromkeys(_note(version) for each in found for version in each.fit.versions):
        if note:
            tell(note)
    write = fitreport.write_json if options.format == "json" else fitreport.write_text
    write(options.stream, found, sys.stdout)
    if not any(each.fit.events for each in found):
        tell(f"{safe(options.stream)}: no event in it")
        return UNUSABLE
    return CLEAN if all(each.fit.is_whole for each in found) else FINDINGS


def _note(version: Version) -> str:
    """What to tell the user about a version that no release of the catalogue is; "" for nothing."""
    try:
        return catalogue.of_version(version).note
    except SpecError as error:
        return str(error)
