"""Report lines of a spec that were not understood: as a notice, or with `--strict-spec` as an error."""

from __future__ import annotations

import argparse

from qmpcheck.cli.messages import notify
from qmpcheck.rulebase import SpecError
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import safe
from qmpcheck.wording import plural


def add_strict_spec(parser: argparse.ArgumentParser) -> None:
    """Add `--strict-spec`."""
    parser.add_argument(
        "--strict-spec",
        action="store_true",
        help="exit 2 if qmpcheck does not understand a line of the spec that may state a rule",
    )


def notice(spec: Spec) -> str:
    """Return the notice about a spec's lines that were not understood; "" if there are none."""
    number = spec.rule_base.not_understood
    if not number:
        return ""
    were = "was" if number == 1 else "were"
    return (
        f"{plural(number, 'line')} of the spec {were} not understood; see `qmpcheck lint {safe(spec.name)}`"
    )


def check(options: argparse.Namespace, *specs: Spec) -> None:
    """Print a notice for each spec with lines that were not understood.

    Raises:
        SpecError: there are such lines, and the user gave `--strict-spec`.
    """
    # A rule that was not understood is not checked: a green result says less than it seems to.
    notices = [text for text in map(notice, specs) if text]
    if notices and options.strict_spec:
        raise SpecError("; ".join(notices))
    for text in notices:
        notify(text)
