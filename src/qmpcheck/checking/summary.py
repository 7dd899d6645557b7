"""What checking a part of a stream gives, and how the parts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence

import msgspec

from qmpcheck.checking import session
from qmpcheck.checking.session import Found, Part, Timing
from qmpcheck.diagnostic import CODES, Diagnostic, Severities, Severity, severity

Kind = tuple[str, str, str]
"""What findings are counted by: code, event, and the erratum that covers them."""


class Terms(msgspec.Struct, frozen=True):
    """What a check is held to.

    Attributes:
        codes: the codes of the findings that are wanted.
        most: how many findings are listed at most; all are counted.
        timing: the rules over time.
        events: the events that the spec knows; findings about others are counted together.
        severities: how bad the user holds the findings of some codes to be.
    """

    codes: frozenset[str] = frozenset(CODES)
    most: int = 10_000
    timing: Timing = Timing()
    events: frozenset[str] = frozenset()
    severities: Severities = {}

    def wanted(self, found: Found) -> Found:
        """The findings that are wanted, each as bad as the user holds it to be."""
        told = [self._judged(finding) for finding in found.told if finding.code in self.codes]
        return Found(told, Counter({kind: n for kind, n in found.untold.items() if kind[0] in self.codes}))

    def _judged(self, finding: Diagnostic) -> Diagnostic:
        if finding.code not in self.severities:
            return finding
        return msgspec.structs.replace(finding, level=self.severity(finding.code, finding.erratum))

    def severity(self, code: str, erratum: str) -> Severity:
        """How bad findings of a kind are."""
        return severity(code, erratum, self.severities)

    def kind(self, finding: Diagnostic) -> Kind:
        """What a finding is counted as. However many names a stream makes up, there are few kinds."""
        known = not finding.event or finding.event in self.events
        return finding.code, finding.event if known else OTHER_EVENTS, finding.erratum


OTHER_EVENTS = "(others)"
"""Stands for all events that the spec does not know."""


class Summary(msgspec.Struct, frozen=True):
    """A part of a stream, checked. Adding the summaries of adjoining parts gives that of both.

    Attributes:
        terms: what it was held to.
        head: the session that it begins in.
        tail: the session that it ends in, where that is another one.
        lines: how many lines it has.
        events: how many of them are events.
        findings: how many findings there are of each kind.
        listed: the first of them by line, lines counted from the part's start.
        told: how many were listed and taken from the list.
    """

    terms: Terms
    head: Part
    tail: Part | None = None
    lines: int = 0
    events: int = 0
    findings: Counter[Kind] = msgspec.field(default_factory=Counter)
    listed: tuple[Diagnostic, ...] = ()
    told: int = 0

    @property
    def unlisted(self) -> int:
        """How many findings are counted only."""
        return self.findings.total() - len(self.listed) - self.told

    def __add__(self, later: Summary) -> Summary:
        joined, found = session.join(self.terms.timing, self.tail or self.head, later.head.down(self.lines))
        head = self.head if self.tail else joined
        tail = joined if self.tail else None
        if later.tail:
            tail = later.tail.down(self.lines)
        both = Summary(
            terms=self.terms,
            head=head,
            tail=tail,
            lines=self.lines + later.lines,
            events=self.events + later.events,
            findings=self.findings + later.findings,
            told=self.told + later.told,
            listed=(*self.listed, *(finding.down(self.lines) for finding in later.listed)),
        )
        return both.with_found(found)

    def with_found(self, found: Found) -> Summary:
        """The same with more findings, those that are wanted of them."""
        wanted = self.terms.wanted(found)
        listed = self.listed
        if wanted.told:
            listed = tuple(sorted((*listed, *wanted.told), key=_place))
        findings = self.findings + wanted.untold + Counter(map(self.terms.kind, wanted.told))
        return msgspec.structs.replace(self, findings=findings, listed=listed[: self.terms.most])

    def without_list(self) -> Summary:
        """The same with nothing listed, all counted."""
        return msgspec.structs.replace(self, listed=(), told=self.told + len(self.listed))

    def with_told(self, told: Sequence[Diagnostic]) -> Summary:
        """The same with findings listed again that were told; none more than are to be listed."""
        listed = tuple(sorted((*told, *self.listed), key=_place))[: self.terms.most]
        return msgspec.structs.replace(self, listed=listed, told=0)

    def overdue(self, told: Container[tuple[int, str]]) -> list[Diagnostic]:
        """The pending follow-ups, beyond those told, that can only be late; of a stream from its begin on."""
        found = session.overdue(self.terms.timing, self.tail or self.head, told)
        return self.terms.wanted(Found([*found])).told

    def ended(self, complete: bool) -> Summary:
        """The same at the stream's end, with what it leaves open.

        Args:
            complete: whether the last session is known to be over.
        """
        whole = begin(self.terms) + self
        found = session.close(self.terms.timing, whole.tail or whole.head, self.lines, complete)
        nothing = session.empty(self.terms.timing, whole_before=True)
        return msgspec.structs.replace(whole, head=nothing, tail=None).with_found(found)

    def count(self, at_least: Severity) -> int:
        """How many findings are of that severity or worse."""
        return sum(
            n
            for (code, _, erratum), n in self.findings.items()
            if self.terms.severity(code, erratum) >= at_least
        )


def begin(terms: Terms) -> Summary:
    """The start of a stream: added before its parts, it says that nothing stood before them."""
    return Summary(terms, session.empty(terms.timing, whole_before=True))


def _place(finding: Diagnostic) -> tuple[int, str, str]:
    """By line and code; what time tells of one line comes at any time, so its text decides."""
    return finding.line, finding.code, finding.message if finding.code > "QMP3" else ""
