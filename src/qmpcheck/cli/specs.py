"""List the specs that --spec takes, oldest first."""

from __future__ import annotations

import argparse

from tabulate import tabulate

from qmpcheck.specs import catalogue

_HEADERS = ("edition", "releases", "revision", "date", "events", "follow-ups", "source")

_OTHER_NAMES = """\
`latest` is the newest release. A path means a QEMU source tree or a tarball of one, a QAPI schema's root
file, an event document or a saved web page of one, a reply to query-qmp-schema, or a compiled rule base;
git:REV and git:REPO@REV a revision of QEMU's source; qemu:PATH what that binary says about itself; and
auto, for `validate`, the release that the streams name, or else the newest that fits them. `qmpcheck
compile --install` adds a release, and this list marks it as local."""


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
