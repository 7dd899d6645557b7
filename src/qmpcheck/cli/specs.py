"""List the specs that --spec accepts: the releases, newest first, then the revisions of qmp-events.txt.

Example: qmpcheck specs
"""

from __future__ import annotations

import argparse
import sys

from qmpcheck.reports.terminal import table
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import SpecEntry

_OTHER_NAMES = """\
Other names: `latest` is the newest release. A path names a QEMU source tree or a tarball of one, a QAPI
schema's root file, an event document or a saved web page of it, a reply to query-qmp-schema, or a compiled
rule base. git:REV and git:REPO@REV name a revision of QEMU's source, and qemu:PATH what that binary says
about itself. For `validate`, auto is the release that a stream's greeting names, or the newest one that fits.
`qmpcheck compile --install` adds a release; the list marks it as local."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_: argparse.Namespace) -> int:
    entries = catalogue.entries()
    releases = [entry for entry in reversed(entries) if entry.releases]
    print(table(map(_release, releases), _RELEASE_HEADERS, sys.stdout))
    print("\nThe revisions of qmp-events.txt, by the first digits of their commits, oldest first:\n")
    revisions = [entry for entry in entries if entry.source == "qmp-events.txt"]
    print(table(map(_revision, revisions), _REVISION_HEADERS, sys.stdout))
    print(f"\n{_OTHER_NAMES}")
    return 0


_RELEASE_HEADERS = ("releases", "edition", "date", "events", "follow-ups", "source")
_REVISION_HEADERS = ("revision", "edition", "shipped as", "date", "events", "follow-ups")


def _release(entry: SpecEntry) -> tuple[object, ...]:
    releases = ", ".join(entry.releases)
    return releases, entry.edition, entry.date, entry.events, entry.follow_ups, entry.source


def _revision(entry: SpecEntry) -> tuple[object, ...]:
    releases = ", ".join(entry.releases)
    return entry.id, entry.edition, releases, entry.date, entry.events, entry.follow_ups
