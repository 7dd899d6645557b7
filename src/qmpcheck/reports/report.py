"""What a command found, as the reports for CI take it: the same value for streams and for specs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from qmpcheck.codes import CODES, Severity
from qmpcheck.reports import fingerprint
from qmpcheck.reports.fingerprint import Identity


class Reported(NamedTuple):
    """One finding, as reports show it.

    Attributes:
        code: its code.
        level: how bad it is.
        message: what is wrong, in one line, without the event and the path.
        file: where it stands, as the user named it; it may hold anything.
        line: the line there; None for none.
        identity: what it is known by.
        path: the dotted path of what it concerns, with indices.
        known: whether the baseline has it.
        times: how many findings it stands for.
        listed: whether it is one finding; else it stands for some that are only counted.
    """

    code: str
    level: Severity
    message: str
    file: str
    line: int | None
    identity: Identity
    path: str = ""
    known: bool = False
    times: int = 1
    listed: bool = True

    @property
    def slug(self) -> str:
        """The code's name in words."""
        return CODES[self.code].slug

    @property
    def fingerprint(self) -> str:
        """A text that is the same for findings that differ only in where they are."""
        return fingerprint.fingerprint(self.identity)

    @property
    def subject(self) -> str:
        """The event and the path that it concerns; "" for none."""
        return " ".join(filter(None, (self.identity.event, self.path)))

    @property
    def text(self) -> str:
        """What it concerns, and what is wrong."""
        return f"{self.subject}: {self.message}" if self.subject else self.message


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
    findings: tuple[Reported, ...]
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
    def findings(self) -> Iterator[Reported]:
        """All of them."""
        return (finding for suite in self.suites for finding in suite.findings)

    @property
    def unchecked(self) -> list[Suite]:
        """What was not checked, or not to its end."""
        return [suite for suite in self.suites if suite.unchecked]

    def fails(self, finding: Reported) -> bool:
        """Whether one finding alone makes the run fail."""
        return not finding.known and finding.level >= self.fail_on


def groups(findings: Iterable[Reported]) -> list[list[Reported]]:
    """The findings that are the same but for their places together, in the order of the first ones."""
    found: dict[tuple[Identity, bool], list[Reported]] = {}
    for finding in findings:
        found.setdefault((finding.identity, finding.known), []).append(finding)
    return [*found.values()]


def worst_first(findings: Iterable[Reported]) -> list[Reported]:
    """New ones before known ones, then the worse ones first, then as they were."""
    return sorted(findings, key=lambda finding: (finding.known, -finding.level))


def count(findings: Iterable[Reported]) -> int:
    """How many findings these stand for."""
    return sum(finding.times for finding in findings)


def levels(findings: Iterable[Reported]) -> Counter[Severity]:
    """How many findings of each level these stand for."""
    counts: Counter[Severity] = Counter()
    for finding in findings:
        counts[finding.level] += finding.times
    return counts
