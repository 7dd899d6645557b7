"""List the specs that --spec takes, oldest first."""

from __future__ import annotations

import argparse

from tabulate import tabulate

from qmpcheck import catalogue

_HEADERS = ("edition", "releases", "revision", "date", "events", "follow-ups", "source")


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
    print("\nA path means a document, a saved web page of one, or a compiled rule base.")
    return 0
