"""A finding: one thing that is wrong with a stream, a build or a document, or a change that is reported.

This is the only type of findings: checks make them, and all reports print them. The texts in one are safe to
print, as whoever makes it escapes what comes from a stream, except where an attribute says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from qmpcheck import keypath
from qmpcheck.codes import CODES, Severity
from qmpcheck.keypath import KeyPath
from qmpcheck.text import safe


class Excerpt(msgspec.Struct, frozen=True):
    """A part of a line, with a marker under what a finding is about.

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
        line: the line of the stream, document or spec, from 1; 0 if it is about no single line.
        message: what is wrong, in one line.
        event: the event that it is about, "" for none.
        path: the keys to the value that it is about, () for the whole line; not safe to print, but
            `shown_path` is.
        spec_line: the line of the spec that states the broken rule; None if unknown.
        drift: which other releases allow it, in words; None if that was not looked up.
        searched: the last line that was searched for a follow-up; None if it is about none.
        reply: the line of the reply to the command that it is about; None if it is about no command, or about
            one without a reply.
        carries: what the message carries that made a rule apply, in words; "" for nothing.
        erratum: the erratum in `errata.json` that covers it, "" for none; it is a warning then.
        spec_file: the file of the spec that `spec_line` counts in, "" if the spec is one document.
        level: its severity in this run; None for that of its code and its erratum.
        got: the value that is not allowed (QMP205), or the JSON type that is wrong (QMP204).
        rule: the temporal rule that it is about, in words, "" for none.
        file: the stream, document, scenario or spec that it is in, as the user named it; not safe to print.
            The checker sets it only if a stream was joined from several files, and reports set the others.
        kind: what distinguishes it from findings of the same code, event and path, beside the rule and the
            erratum; "" for nothing.
        known: whether the baseline has it.
        times: how many findings it represents: one without a line represents all beyond the limit of a list.
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
        """How bad it is in this run."""
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
    def place(self) -> str:
        """The file and the line, or the file alone: `s.jsonl:3`; not safe to print."""
        return f"{self.file}:{self.line}" if self.line else self.file

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

UNCHANGED: Severities = {}
"""No severity is set by the user."""


def severity(code: str, erratum: str = "", changed: Severities = UNCHANGED) -> Severity:
    """Return how bad a finding is.

    Args:
        code: its code.
        erratum: the erratum that covers it, "" for none.
        changed: the severities that the user sets.
    """
    # An erratum is a warning, whatever the user sets for the code: QEMU is known to do this. `--literal`
    # makes it an error.
    return Severity.WARNING if erratum else changed.get(code, CODES[code].severity)
