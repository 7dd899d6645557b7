"""What a command found, as the reports for CI take it: the same value for streams and for specs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.fingerprint import Baseline, Identity

NOT_LISTED = "not listed"
"""The kind of findings that are only counted. No baseline can have them: nobody knows their paths."""


class Suite(NamedTuple):
    """One thing that was checked: a stream, or a pair of specs.

    Attributes:
        name: as the user named it; it may hold anything.
        verdict: in a word, what is known of it.
        findings: in the order of their lines.
        unchecked: why it was not checked, or not to its end; "" where it was.
        skipped: why it was left out, which is no fault; "" where it was not.
    """

    name: str
    verdict: str
    findings: tuple[Finding, ...]
    unchecked: str = ""
    skipped: str = ""


class Report(NamedTuple):
    """What one run of a command found.

    Attributes:
        command: which one it was.
        against: what was held to what, in a few words; it may hold anything.
        suites: what was checked.
        fail_on: the level from which findings fail the run.
        document: gives the command's own report as a value for JSON.
        has_baseline: whether the findings were compared with a baseline.
        source: what the command found in its own form, which its HTML page is made from; None for none.
    """

    command: str
    against: str
    suites: tuple[Suite, ...]
    fail_on: Severity
    document: Callable[[], object]
    has_baseline: bool = False
    source: Any = None

    @property
    def findings(self) -> Iterator[Finding]:
        """All of them."""
        return (finding for suite in self.suites for finding in suite.findings)

    @property
    def unchecked(self) -> list[Suite]:
        """What was not checked, or not to its end."""
        return [suite for suite in self.suites if suite.unchecked]

    def fails(self, finding: Finding) -> bool:
        """Whether one finding alone makes the run fail."""
        return not finding.known and finding.severity >= self.fail_on


def compared(finding: Finding, baseline: Baseline) -> Finding:
    """The finding, marked as known if a baseline has it."""
    if not baseline or fingerprint.of_finding(finding) not in baseline:
        return finding
    return msgspec.structs.replace(finding, known=True)


def groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings that are the same but for their places together, in the order of the first ones."""
    found: dict[tuple[Identity, bool], list[Finding]] = {}
    for finding in findings:
        found.setdefault((fingerprint.of_finding(finding), finding.known), []).append(finding)
    return [*found.values()]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """New ones before known ones, then the worse ones first, then as they were."""
    return sorted(findings, key=lambda finding: (finding.known, -finding.severity))


def count(findings: Iterable[Finding]) -> int:
    """How many findings these stand for."""
    return sum(finding.times for finding in findings)


def levels(findings: Iterable[Finding]) -> Counter[Severity]:
    """How many findings of each level these stand for."""
    counts: Counter[Severity] = Counter()
    for finding in findings:
        counts[finding.severity] += finding.times
    return counts
