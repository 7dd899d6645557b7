"""A finding: one thing that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from qmpcheck import keypath
from qmpcheck.codes import CODES, Severity
from qmpcheck.keypath import KeyPath


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
        line: where it stands, from 1: in the stream, or in the document for QMP9xx.
        message: what is wrong, in one line that is safe to print.
        event: the event it concerns, "" where there is none; safe to print.
        path: the keys to the value it concerns, () for the whole line; `shown_path` is safe to print.
        spec_line: the line of the spec's document that states the rule broken.
        drift: since or until when another spec allows it.
        searched: the line up to which a follow-up was looked for.
        erratum: the case in `errata.json` that it is an instance of, "" for none; it is a warning then.
        spec_file: the file of the spec that `spec_line` counts in, "" where the spec is one document.
        level: how bad the user holds it to be; None for what its code and its erratum say.
        got: the value that is not allowed (QMP205), or the JSON type that is wrong (QMP204); safe to print.
        rule: the rule over time that it is about, in words, "" for none; safe to print.
        file: the path of the file that it is in, where several were joined to the stream; else "".
        excerpt: of the line, where the file may not be there any more when a report is made.
    """

    code: str
    line: int
    message: str
    event: str = ""
    path: KeyPath = ()
    spec_line: int | None = None
    drift: str | None = None
    searched: int | None = None
    erratum: str = ""
    spec_file: str = ""
    level: Severity | None = None
    got: str = ""
    rule: str = ""
    file: str = ""
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
        """The whole message."""
        searched = f" (searched to line {self.searched})" if self.searched is not None else ""
        erratum = f" (known erratum {self.erratum})" if self.erratum else ""
        return self.message + searched + erratum

    def down(self, lines: int) -> Finding:
        """The finding, moved down by so many lines."""
        searched = None if self.searched is None else self.searched + lines
        return msgspec.structs.replace(self, line=self.line + lines, searched=searched)


Severities = Mapping[str, Severity]
"""How bad the user holds the findings of some codes to be."""

AS_IT_IS: Severities = {}
"""No code's severity is changed."""


def severity(code: str, erratum: str = "", changed: Severities = AS_IT_IS) -> Severity:
    """How bad a finding is; one that is an instance of a known erratum is a warning in any case."""
    return Severity.WARNING if erratum else changed.get(code, CODES[code].severity)
