"""The findings of one run of a command, from which all reports for CI are rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.fingerprint import Baseline

NOT_LISTED = "not listed"
"""The kind of findings that are only counted. No baseline can have them: nobody knows their paths."""


class Suite(NamedTuple):
    """One thing that was checked: a stream, or a pair of specs.

    Attributes:
        name: its name as the user gave it; not safe to print.
        verdict: the result in a word.
        findings: its findings, in the order of their lines.
        unchecked: why it was not checked, or not to its end; "" if it was.
        skipped: why it was skipped, which is no error; "" if it was not.
        seconds: how long it took, if it is one test; None for a stream or a pair of specs.
        by_hand: how to do it by hand, in lines that are safe to print.
    """

    name: str
    verdict: str
    findings: tuple[Finding, ...]
    unchecked: str = ""
    skipped: str = ""
    seconds: float | None = None
    by_hand: tuple[str, ...] = ()


class Report(NamedTuple):
    """What one run of a command found.

    Attributes:
        command: the name of the command.
        against: what was compared with what, in a few words; not safe to print.
        suites: what was checked.
        fail_on: the severity from which findings fail the run.
        document: returns the command's own report as a value for JSON.
        has_baseline: whether the findings were compared with a baseline.
        source: what the command found in its own form, which its HTML page is made from; None for none.
        counts: how many suites failed, passed or were skipped, in words; "" if they say so themselves.
        tally: the same numbers by status; {} for none.
        kept: the folder in which the recordings are; "" for none.
    """

    command: str
    against: str
    suites: tuple[Suite, ...]
    fail_on: Severity
    document: Callable[[], object]
    has_baseline: bool = False
    source: Any = None
    counts: str = ""
    tally: Mapping[str, int] = {}
    kept: str = ""

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings."""
        return (finding for suite in self.suites for finding in suite.findings)

    @property
    def unchecked(self) -> list[Suite]:
        """The suites that were not checked, or not to their end."""
        return [suite for suite in self.suites if suite.unchecked]

    def fails(self, finding: Finding) -> bool:
        """Whether a finding makes the run fail."""
        return fails([finding], self.fail_on)


def fails(findings: Iterable[Finding], fail_on: Severity) -> bool:
    """Whether one of the findings makes a run fail: it is that bad, and in no baseline."""
    return any(not finding.known and finding.severity >= fail_on for finding in findings)


def compared(finding: Finding, baseline: Baseline) -> Finding:
    """Return the finding, marked as known if a baseline has it."""
    if not baseline or fingerprint.of_finding(finding) not in baseline:
        return finding
    return msgspec.structs.replace(finding, known=True)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: new ones before known ones, worse ones first."""
    # Sorting keeps the order of equals, which is that of their lines.
    return sorted(findings, key=lambda finding: (finding.known, -finding.severity))


def count(findings: Iterable[Finding]) -> int:
    """Return how many findings there are; one entry may count many that are not listed."""
    return sum(finding.times for finding in findings)


def levels(findings: Iterable[Finding]) -> Counter[Severity]:
    """Return how many findings of each severity there are; one entry may count many."""
    counts: Counter[Severity] = Counter()
    for finding in findings:
        counts[finding.severity] += finding.times
    return counts
