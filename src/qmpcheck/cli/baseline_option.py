"""`--baseline FILE` and `--update-baseline`: findings that are accepted for now."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from qmpcheck.checking.result import StreamResult
from qmpcheck.cli import output
from qmpcheck.cli.messages import CLEAN, UNUSABLE, notify
from qmpcheck.codes import Severity
from qmpcheck.rulebase import SpecError
from qmpcheck.text import safe
from qmpcheck.wording import plural

if TYPE_CHECKING:
    from qmpcheck.reports.fingerprint import Baseline
    from qmpcheck.reports.report import Report


def add_baseline(parser: argparse.ArgumentParser) -> None:
    """Add `--baseline` and `--update-baseline`."""
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        help="accept the findings that this file lists: count them, but do not fail",
    )
    parser.add_argument(
        "--update-baseline",
        action="store_true",
        help="write the findings of this run to the --baseline file, and accept them",
    )


def load(options: argparse.Namespace) -> Baseline | None:
    """Return the findings that the baseline accepts; None without a baseline.

    Raises:
        SpecError: the file cannot be read, or `--update-baseline` has none to write or cannot write it.
    """
    if options.baseline is None:
        if options.update_baseline:
            raise SpecError("--update-baseline needs --baseline FILE")
        return None
    if options.baseline == "-":
        raise SpecError("--baseline needs a file, not -: it is read and written")
    from qmpcheck.reports import baseline

    if options.update_baseline:
        output.expect_writable(options.baseline, "--baseline ")
    if options.update_baseline and not os.path.exists(options.baseline):
        return frozenset()
    if not os.path.lexists(options.baseline):
        raise SpecError(f"{safe(options.baseline)}: no such file; --update-baseline creates it")
    return baseline.load(options.baseline)


def accepted(
    options: argparse.Namespace, results: Collection[StreamResult], before: Baseline | None
) -> Baseline | None:
    """Return the findings that this run accepts.

    Args:
        options: the command's options.
        results: the results of the streams.
        before: the baseline as it was read; None without one.

    Returns:
        The baseline; with `--update-baseline`, all findings, if all are listed; None without a baseline.
    """
    if before is None or not options.update_baseline or _lacking(results):
        return before
    from qmpcheck.reports import baseline

    return baseline.found(results)


def close(
    options: argparse.Namespace,
    results: Collection[StreamResult],
    before: Baseline | None,
    codes: Collection[str],
) -> int:
    """Write the baseline, or say which of its entries no longer occur; return the exit status.

    Args:
        options: the command's options.
        results: the results of the streams.
        before: the baseline as it was read.
        codes: the codes that were checked.
    """
    if before is None:
        return CLEAN
    from qmpcheck.reports import baseline

    lacking = _lacking(results)
    if not options.update_baseline:
        if not lacking:  # otherwise an entry may only be missing because its finding was not listed
            notify_of_gone(before, baseline.found(results), codes)
        return CLEAN
    if lacking:
        notify(f"{safe(options.baseline)} was not changed: {lacking}")
        return UNUSABLE
    _write(options.baseline, before, baseline.found(results))
    return CLEAN


def of_report(report: Report) -> Baseline:
    """Return the findings of a report that belong in a baseline."""
    from qmpcheck.reports import fingerprint

    accepted = (finding for finding in report.findings if finding.severity > Severity.NOTE)
    return frozenset(map(fingerprint.of_finding, accepted))


def update(options: argparse.Namespace, report: Report, before: Baseline) -> None:
    """Write the findings of a report to the baseline.

    Args:
        options: the command's options.
        report: what was found.
        before: the baseline as it was read.

    Raises:
        SpecError: it cannot be written, or some findings are not listed.
    """
    from qmpcheck.reports.report import NOT_LISTED

    more = sum(finding.times for finding in report.findings if finding.kind.startswith(NOT_LISTED))
    if more:
        raise SpecError(f"{safe(options.baseline)} was not changed: {plural(more, 'finding')} not listed")
    _write(options.baseline, before, of_report(report))


def _write(path: str, before: Baseline, now: Baseline) -> None:
    """Write a baseline, and say how it differs from the previous one."""
    from qmpcheck.reports import baseline

    with output.opened(path) as out:
        out.write(baseline.dump(now))
    counts = f"{len(now - before)} new, {len(before - now)} gone"
    notify(f"{safe(path)}: {_entries(len(now))}, {counts}")


def _lacking(results: Collection[StreamResult]) -> str:
    """Say why not all findings are listed; "" if they are."""
    for checked in results:
        reason = checked.unchecked
        more = checked.unlisted.total()
        if more:
            reason = f"{plural(more, 'finding')} not listed; --max-findings N lists more"
        if reason:
            return f"{safe(checked.path)}: {reason}"
    return ""


def notify_of_gone(before: Baseline, now: Baseline, codes: Collection[str]) -> None:
    """Say how many entries of a baseline no longer occur, among the codes that were checked."""
    gone = {entry for entry in before - now if entry.code in codes}
    if gone:
        verb = "occurs" if len(gone) == 1 else "occur"
        notify(f"{_entries(len(gone))} of the baseline no longer {verb}")


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
