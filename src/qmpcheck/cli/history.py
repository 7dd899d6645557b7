"""Show what happened to an event, a member or a value, from the first release with QMP to the newest.

Up to 2.0 each revision of qmp-events.txt counts, from 2.1 on the QAPI schema of each release. The level
is what a step means for a client that ignores what it does not know; `doc` marks a step in which only the
documents differ, and no event needs to.
"""

from __future__ import annotations

import argparse

from tabulate import tabulate

from qmpcheck.drift.history import HistoryEntry, history

_WIDTHS = (None, None, None, None, 80)
"""Where cells are wrapped: what happened can be long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "subject", metavar="EVENT[.MEMBER[.VALUE]]", help="such as SHUTDOWN, or VNC_CONNECTED.server.family"
    )


def run(options: argparse.Namespace) -> int:
    steps = history(options.subject)
    print(
        tabulate(
            steps, headers=HistoryEntry._fields, disable_numparse=True, missingval="", maxcolwidths=_WIDTHS
        )
    )
    return 0
