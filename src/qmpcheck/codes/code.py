"""What one code means."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Severity(enum.IntEnum):
    """How bad a finding is; greater is worse. Notes are of reports alone."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()


class Impact(enum.IntEnum):
    """What a change between specs means for a client; greater is worse."""

    DOC = 0
    SAFE = 1
    RISKY = 2
    BREAKING = 3

    def __str__(self) -> str:
        return self.name.lower()

    @property
    def severity(self) -> Severity:
        """How bad a finding is that such a change is reported as."""
        return {Impact.BREAKING: Severity.ERROR, Impact.RISKY: Severity.WARNING}.get(self, Severity.NOTE)


class Code(NamedTuple):
    """One code. The examples are run by the tests: the bad one gives the code, the good one none.

    Attributes:
        slug: its name in words.
        severity: how bad its findings are, if the user does not change that.
        means: what a finding says.
        why: why it matters.
        bad: text that gives the finding; "" where only a build can.
        good: text that gives none.
        against: what the examples are: a stream and how it is checked, a document, or a new spec.
        rules: the user's own rules that they are checked by.
        spec: the compiled rule base that they are checked by, where it is none of the catalogue.
        old: the spec that a new spec comes after.
        tolerant, strict: of a change, what it means for a client that ignores what it does not know, and for
            one that rejects it; None otherwise.
    """

    slug: str
    severity: Severity
    means: str
    why: str
    bad: str = ""
    good: str = ""
    against: str = "a stream, --spec v2"
    rules: str = ""
    spec: str = ""
    old: str = ""
    tolerant: Impact | None = None
    strict: Impact | None = None
