"""List the specs that --spec takes, oldest first."""

from __future__ import annotations

import argparse

from tabulate import tabulate

from qmpcheck import catalogue

_HEADERS = ("edition", "releases", "revision", "date", "events", "follow-ups", "source")

_OTHER_NAMES = """\
`latest` is the newest release. A path means a document, a saved web page of one, a QAPI schema's root file,
a reply to query-qmp-schema, or a compiled rule base; qemu:PATH what that binary says of itself; and auto, for
`validate`, the release that the streams name, or else the newest that fits them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> int:
    rows = [
        (
            entry.edition,
            ", ".join(entry.releases),
            entry.id,
            entry.date,
            entry.events,
            entry.follow_ups,
            entry.source,
        )
        for entry in catalogue.entries()
    ]
    print(tabulate(rows, headers=_HEADERS, disable_numparse=True))
    print(f"\n{_OTHER_NAMES}")
    return 0
