"""Write the rule base of a spec document as JSON.

Exit status: 0, or 2 where the file is no document.
"""

from __future__ import annotations

import argparse

from qmpcheck import catalogue, rulebase
from qmpcheck.cli import output, strictness


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "document",
        metavar="DOCUMENT",
        help="qmp-events.txt, a saved page of it (PATH@old, PATH@new), or a schema's root file",
    )
    output.add_output(parser)
    strictness.add_strict_spec(parser)


def run(options: argparse.Namespace) -> int:
    spec = catalogue.find(options.document)
    strictness.check(options, spec)
    with output.opened(options.output) as out:
        out.write(rulebase.dump(spec.rule_base).decode())
    return 0
