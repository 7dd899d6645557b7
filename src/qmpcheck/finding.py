"""A finding: one thing that is wrong with a stream, a build or a document, or a change that is reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from qmpcheck import keypath
from qmpcheck.codes import CODES, Severity
from qmpcheck.keypath import KeyPath
from qmpcheck.text import safe


class Excerpt(NamedTuple):
    """A part of a line, and what in it a finding is about.

    Attributes:
        column: where the marked part begins in the file's line, in characters from 1.
        text: the part of the line, safe to print.
        start: where the marker begins in the text, from 0.
        length: how long the marker is, at least 1.
    """

    column: int
    text: str
    start: int
    length: int

    @property
    def marker(self) -> str:
        """The line to print under the text."""
        return " " * self.start + "^" * self.length


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One finding.

    Attributes:
        code: a key of `CODES`.
        line: the line of the stream, document or spec, from 1; 0 if it concerns no single line.
        message: what is wrong, in one line that is safe to print.
        event: the event that it concerns, "" for none; safe to print.
        path: the keys to the value that it concerns, () for the whole line; `shown_path` is safe to print.
        spec_line: the line of the spec's document that states the broken rule.
        drift: since or until when another spec allows it.
        searched: the last line that was searched for a follow-up.
        reply: the line of the reply to the command that it is about; None where it is about no command, or
            that has no reply.
        carries: what the message that a rule is about carries, in words, "" for nothing; safe to print.
        erratum: the case in `errata.json` that it is an instance of, "" for none; it is a warning then.
        spec_file: the file of the spec that `spec_line` counts in, "" if the spec is one document.
        level: how bad it is in this run; None for what its code and its erratum say.
        got: the value that is not allowed (QMP205), or the JSON type that is wrong (QMP204); safe to print.
        rule: the temporal rule that it is about, in words, "" for none; safe to print.
        file: the stream, document, scenario or spec that it is in, as the user named it; not safe to print.
            The checker sets it only if several files were joined to the stream, and reports set the others.
        kind: what distinguishes it from findings of the same code, event and path, beside the rule and the
            erratum; "" for nothing.
        known: whether the baseline has it.
        times: how many findings it stands for. Those beyond the limit of a list are one without a line.
        excerpt: a part of the line, if the file may be gone when a report is made; None otherwise.
    """

    code: str
    line: int
    message: str
    event: str = ""
    path: KeyPath = ()
    spec_line: int | None = None
    drift: str | None = None
    searched: int | None = None
    reply: int | None = None
    carries: str = ""
    erratum: str = ""
    spec_file: str = ""
    level: Severity | None = None
    got: str = ""
    rule: str = ""
    file: str = ""
    kind: str = ""
    known: bool = False
    times: int = 1
    excerpt: Excerpt | None = None

    @property
    def slug(self) -> str:
        """The code's name in words."""
        return CODES[self.code].slug

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return severity(self.code, self.erratum) if self.level is None else self.level

    @property
    def shown_path(self) -> str:
        """The path as it is printed: `data.nodes[0]`."""
        return keypath.as_text(self.path)

    @property
    def text(self) -> str:
        """The message, with the lines that it names, what the event or command carries, and the erratum."""
        reply = f" (its reply is on line {self.reply})" if self.reply is not None else ""
        carries = f"; {self.carries}" if self.carries else ""
        searched = f" (searched up to line {self.searched})" if self.searched is not None else ""
        erratum = f" (known erratum {self.erratum})" if self.erratum else ""
        return self.message + reply + carries + searched + erratum

    @property
    def subject(self) -> str:
        """The event and the path that it concerns; "" for none."""
        return " ".join(filter(None, (self.event, self.shown_path)))

    @property
    def full_message(self) -> str:
        """What is wrong, which releases allow it, and where the spec says so."""
        drift = f" ({self.drift})" if self.drift else ""
        return self.text + drift + self._spec_reference

    @property
    def full_text(self) -> str:
        """The event and the path, and the full message."""
        return f"{self.subject}: {self.full_message}" if self.subject else self.full_message

    @property
    def _spec_reference(self) -> str:
        """The place in the spec, in parentheses; "" if it has no lines."""
        if not self.spec_line:
            return ""
        if self.spec_file:
            return f" ({safe(self.spec_file)}:{self.spec_line} of the spec)"
        return f" (spec line {self.spec_line})"


Severities = Mapping[str, Severity]
"""Severities that the user sets for some codes."""

AS_IT_IS: Severities = {}
"""The user sets no severity."""


def severity(code: str, erratum: str = "", changed: Severities = AS_IT_IS) -> Severity:
    """Return how bad a finding is: a known erratum is a warning, whatever the user sets."""
    # Even a user who makes all findings of a code errors knows what QEMU does here.
    return Severity.WARNING if erratum else changed.get(code, CODES[code].severity)
