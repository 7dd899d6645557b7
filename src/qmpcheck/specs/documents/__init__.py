"""Compile spec documents to rule bases: the plain-text event documents, and saved web pages of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs.documents import compile, defects, document, entries, pages
from qmpcheck.specs.documents.document import Structure
from qmpcheck.specs.documents.entries import EventEntry, Example

__all__ = ["NEW", "OLD", "ClassifiedLine", "Document", "Example", "NotADocument", "read"]

OLD, NEW = pages.OLD, pages.NEW


class NotADocument(ValueError):
    """The text has no event."""


class ClassifiedLine(NamedTuple):
    """A line; `kind` is one of the names in `qmpcheck.specs.documents.document`."""

    number: int
    kind: str
    text: str


class Document(NamedTuple):
    """A document that was read.

    Attributes:
        rule_base: the rules that it states.
        lines: what each of its lines is.
        examples: its examples, to be checked by its rules.
        defects: what is wrong in its text, by line, apart from the examples.
    """

    rule_base: RuleBase
    lines: tuple[ClassifiedLine, ...]
    examples: tuple[Example, ...]
    defects: tuple[Finding, ...]


def read(text: str, side: str = pages.NEW) -> Document:
    """Read a document, or the saved web page of one.

    Args:
        text: all of it.
        side: `"old"` or `"new"`, for a page that shows a diff.

    Raises:
        NotADocument: there is no event in it.
    """
    structure = document.parse(pages.plain_text(text, side))
    if not structure.entries:
        raise NotADocument("no event in it: expected the name of an event, underlined with dashes")
    read_entries = entries.read(structure)
    classified = tuple(_classified(structure, read_entries))
    not_understood = [line.number for line in classified if line.kind == document.UNKNOWN]
    return Document(
        compile.rule_base(read_entries, not_understood),
        classified,
        tuple(example for entry in read_entries for example in entry.examples),
        tuple(sorted(defects.find(structure, read_entries), key=lambda defect: (defect.line, defect.code))),
    )


def _classified(structure: Structure, described: Sequence[EventEntry]) -> Iterator[ClassifiedLine]:
    """Yield every line of the document, in order."""
    special = dict(_special(described))
    sections = list(structure.preamble)
    for entry in structure.entries:
        sections += [entry.heading, entry.underline, *entry.sections]
    for section in sections:
        for at, text in enumerate(section.lines):
            number = section.line + at
            yield ClassifiedLine(number, special.get(number, section.kind), text.rstrip("\n"))


def _special(described: Sequence[EventEntry]) -> Iterator[tuple[int, str]]:
    """Return the kinds of lines that differ from the kind of their section."""
    for entry in described:
        for text in entry.members:
            yield from ((line, document.PROSE) for line in text.prose_lines)
            # A member's first line stays one, whatever else is on it.
            yield from ((line, document.TYPE_NOTE) for line in text.type_note_lines if line > text.line)
            yield from ((line, document.VALUE) for line in text.value_lines if line > text.line)
            yield from ((line, document.UNKNOWN) for line, _ in text.unknown)
        yield from ((said.line, document.UNKNOWN) for said in entry.data if said.unknown)
        for sentence in entry.sentences:
            yield from ((line, document.UNKNOWN) for line in sentence.lines if sentence.unknown)
