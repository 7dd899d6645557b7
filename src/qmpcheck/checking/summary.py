"""What checking a part of a stream gives, and how the parts add up."""

from __future__ import annotations

from collections import Counter

import msgspec

from qmpcheck.diagnostic import CODES, Diagnostic, Severity


class Summary(msgspec.Struct, frozen=True):
    """A part of a stream, checked. Adding the summaries of adjoining parts gives that of both.

    Attributes:
        lines: how many lines it has.
        events: how many of them are events.
        findings: how many findings there are, by code and event.
        listed: the first of them, lines counted from the part's start.
        most: how many are listed at most.
    """

    most: int
    lines: int = 0
    events: int = 0
    findings: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    listed: tuple[Diagnostic, ...] = ()

    def __add__(self, later: Summary) -> Summary:
        room = self.most - len(self.listed)
        return Summary(
            most=self.most,
            lines=self.lines + later.lines,
            events=self.events + later.events,
            findings=self.findings + later.findings,
            listed=(*self.listed, *(down(finding, self.lines) for finding in later.listed[:room])),
        )

    def count(self, at_least: Severity) -> int:
        """How many findings are of that severity or worse."""
        return sum(n for (code, _), n in self.findings.items() if CODES[code].severity >= at_least)


def down(finding: Diagnostic, lines: int) -> Diagnostic:
    """The finding, so many lines further down."""
    return msgspec.structs.replace(finding, line=finding.line + lines)
