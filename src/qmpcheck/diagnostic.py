"""Findings, and the table of their codes."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

import msgspec


class Severity(enum.IntEnum):
    """How bad a finding is; greater is worse."""

    WARNING = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()


class Code(NamedTuple):
    """What one code stands for."""

    slug: str
    severity: Severity


_E, _W = Severity.ERROR, Severity.WARNING

CODES: dict[str, Code] = {
    # A line of a stream.
    "QMP101": Code("malformed-json", _E),
    "QMP102": Code("not-an-object", _E),
    "QMP103": Code("not-a-message", _E),
    "QMP104": Code("bad-timestamp", _E),
    "QMP105": Code("unknown-envelope-key", _E),
    "QMP106": Code("truncated-line", _W),
    # An event's payload.
    "QMP201": Code("unknown-event", _E),
    "QMP202": Code("missing-member", _E),
    "QMP203": Code("unknown-member", _E),
    "QMP204": Code("wrong-type", _E),
    "QMP205": Code("value-not-allowed", _E),
    "QMP206": Code("deprecated", _W),
    # Events in time.
    "QMP301": Code("follow-up-missing", _E),
    "QMP302": Code("follow-up-pending", _W),
    "QMP303": Code("follow-up-late", _E),
    "QMP304": Code("rate-limit-exceeded", _W),
    "QMP305": Code("time-backwards", _W),
    "QMP306": Code("precedence-missing", _E),
    "QMP307": Code("absence-broken", _E),
    # A spec document.
    "QMP901": Code("unknown-line", _E),
    "QMP902": Code("example-not-json", _E),
    "QMP903": Code("example-breaks-rules", _E),
    "QMP904": Code("example-of-another-event", _E),
    "QMP905": Code("none-with-members", _W),
    "QMP906": Code("duplicate-heading-number", _W),
    "QMP907": Code("underline-length", _W),
    "QMP908": Code("member-without-type", _W),
    "QMP909": Code("note-about-missing-member", _E),
    "QMP910": Code("note-about-another-event", _E),
    "QMP911": Code("note-about-unknown-event", _W),
    "QMP912": Code("duplicate-event", _E),
    "QMP913": Code("duplicate-member", _E),
    "QMP914": Code("unknown-type", _E),
    "QMP915": Code("example-without-label", _W),
    "QMP916": Code("data-not-described", _W),
    "QMP917": Code("note-about-missing-value", _E),
    "QMP918": Code("heading-without-underline", _E),
}
"""Every code, with its slug and its severity. A code is never used again for something else."""

STREAM_CODES = frozenset(code for code in CODES if code < "QMP4")
"""The codes of findings about streams."""

TIME_CODES = frozenset(code for code in STREAM_CODES if code > "QMP3")
"""Those of them about events in time."""


class Diagnostic(msgspec.Struct, frozen=True, gc=False):
    """One finding.

    Attributes:
        code: a key of `CODES`.
        line: where it stands, from 1: in the stream, or in the document for QMP9xx.
        message: what is wrong, in one line that is safe to print.
        event: the event it concerns, "" where there is none; safe to print.
        path: the dotted path of the value it concerns, "" for the whole line; safe to print.
        spec_line: the line of the spec's document that states the rule broken.
        drift: since or until when another spec allows it.
        searched: the line up to which a follow-up was looked for.
        erratum: the case in `errata.json` that it is an instance of, "" for none; it is a warning then.
        spec_file: the file of the spec that `spec_line` counts in, "" where the spec is one document.
        level: how bad the user holds it to be; None for what its code and its erratum say.
        got: the value that is not allowed (QMP205), or the JSON type that is wrong (QMP204); safe to print.
        rule: the rule over time that it is about, in words, "" for none; safe to print.
    """

    code: str
    line: int
    message: str
    event: str = ""
    path: str = ""
    spec_line: int | None = None
    drift: str | None = None
    searched: int | None = None
    erratum: str = ""
    spec_file: str = ""
    level: Severity | None = None
    got: str = ""
    rule: str = ""

    @property
    def slug(self) -> str:
        """The code's name in words."""
        return CODES[self.code].slug

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return severity(self.code, self.erratum) if self.level is None else self.level

    @property
    def text(self) -> str:
        """The whole message."""
        searched = f" (searched to line {self.searched})" if self.searched is not None else ""
        erratum = f" (known erratum {self.erratum})" if self.erratum else ""
        return self.message + searched + erratum

    def down(self, lines: int) -> Diagnostic:
        """The same, so many lines further down."""
        searched = None if self.searched is None else self.searched + lines
        return msgspec.structs.replace(self, line=self.line + lines, searched=searched)


Severities = Mapping[str, Severity]
"""How bad the user holds the findings of some codes to be."""

AS_IT_IS: Severities = {}
"""No code's severity is changed."""


def severity(code: str, erratum: str = "", changed: Severities = AS_IT_IS) -> Severity:
    """How bad a finding is; one that is an instance of a known erratum is a warning in any case."""
    return Severity.WARNING if erratum else changed.get(code, CODES[code].severity)
