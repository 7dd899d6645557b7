"""The types of the registry: a code, its severity, and what is known about its findings."""

from __future__ import annotations

import enum

import msgspec


class Severity(enum.IntEnum):
    """How bad a finding is; greater is worse. Only reports have notes."""

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
        """The severity of the finding that such a change is reported as."""
        return {Impact.BREAKING: Severity.ERROR, Impact.RISKY: Severity.WARNING}.get(self, Severity.NOTE)


class ChangeSubject(enum.Enum):
    """The part of a spec that a change is about."""

    EVENT = enum.auto()
    MEMBER = enum.auto()
    TYPE = enum.auto()
    VALUE = enum.auto()
    FOLLOW_UP = enum.auto()
    RATE_LIMIT = enum.auto()
    DEPRECATION = enum.auto()
    WORDING = enum.auto()


class ChangeDirection(enum.Enum):
    """Whether the subject of a change was added, removed, or became another."""

    ADDED = enum.auto()
    REMOVED = enum.auto()
    CHANGED = enum.auto()


class ChangeKind(msgspec.Struct, frozen=True):
    """What a change between specs is, and what it means for clients.

    Attributes:
        subject: what it is about.
        direction: whether that was added, removed, or became another.
        tolerant: what it means for a client that ignores what it does not know.
        strict: what it means for a client that rejects what it does not know.
        concerns_object: whether it matters to every reader of the object that the member is in, as the object
            lacked the member before, or may have done.
    """

    subject: ChangeSubject
    direction: ChangeDirection
    tolerant: Impact
    strict: Impact
    concerns_object: bool = False

    @property
    def adds_or_removes(self) -> bool:
        """Whether an event, a member or a value was added or removed."""
        is_thing = self.subject in (ChangeSubject.EVENT, ChangeSubject.MEMBER, ChangeSubject.VALUE)
        return is_thing and self.direction is not ChangeDirection.CHANGED

    @property
    def adds_value(self) -> bool:
        """Whether a closed set has a new value."""
        return (self.subject, self.direction) == (ChangeSubject.VALUE, ChangeDirection.ADDED)

    @property
    def adds_event(self) -> bool:
        """Whether there is a new event."""
        return (self.subject, self.direction) == (ChangeSubject.EVENT, ChangeDirection.ADDED)


class Allowance(enum.Enum):
    """What the spec of another release must have, so that an error in a payload is no error there."""

    EVENT = enum.auto()
    """The event."""
    ABSENCE = enum.auto()
    """The member, as an optional one."""
    MEMBER = enum.auto()
    """The member."""
    TYPE = enum.auto()
    """The member, with that type."""
    VALUE = enum.auto()
    """The member, with that value."""


class Evidence(msgspec.Struct, frozen=True):
    """What an error in a payload shows: the event was sent by a release whose spec allows it.

    Attributes:
        allowed_by: what such a spec has.
        strength: how much the error excludes other releases; 1 is the most.
        phrase: what the event does, in words; `{event}`, `{member}` and `{got}` are replaced.
        may_be_new: whether a release newer than the spec may have added it.
    """

    allowed_by: Allowance
    strength: int
    phrase: str
    may_be_new: bool = False


class Code(msgspec.Struct, frozen=True):
    """One code. Tests run the examples: the bad one gives the code, and the good one none.

    Attributes:
        slug: its name in words.
        severity: the severity of its findings, unless the user changes that.
        means: what a finding means.
        why: why it matters.
        bad: an example that gives the finding; "" if only a build can.
        good: a similar example that gives none.
        against: the kind of the examples, in words: a stream and how it is checked, a document, a new spec.
        rules: user rules that the examples are checked by, in TOML.
        spec: the compiled rule base that the examples are checked by, unless it is in the catalogue.
        old: for a new spec, the spec that it is compared with.
        change: what a change between specs with this code is; None for other codes.
        evidence: what an error in a payload shows about the release; None for other codes.
        marks_key: whether an excerpt marks the key, too, as the member should not be there at all.
        outcome: the outcome of a temporal rule that it reports, an `Outcome` of `checking.monitors`; "" for
            codes that are about no such rule.
        remedy: what to do about a finding; "" if the good example shows it.
        in_brief: the meaning of a finding of the gate in a word or two; "" for other codes.
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
    change: ChangeKind | None = None
    evidence: Evidence | None = None
    marks_key: bool = False
    outcome: str = ""
    remedy: str = ""
    in_brief: str = ""

    @property
    def paragraphs(self) -> list[str]:
        """The explanation: what it means, why it matters, and what to do."""
        return [text for text in (self.means, self.why, self.remedy) if text]

    @property
    def examples(self) -> list[tuple[str, str]]:
        """The examples, each text with its title: what they are checked by, the bad one, the good one."""
        titles = {
            "own.toml": self.rules,
            "own.json": self.spec,
            "The old spec": self.old,
            f"Bad ({self.against})": self.bad,
            "Good": self.good,
        }
        return [(title, text) for title, text in titles.items() if text]
