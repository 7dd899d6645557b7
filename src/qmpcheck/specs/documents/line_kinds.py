"""Say what each line of a document is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qmpcheck.specs.documents import document
from qmpcheck.specs.documents.document import Structure
from qmpcheck.specs.documents.entries import EventEntry


class ClassifiedLine(NamedTuple):
    """A line; `kind` is one of the names in `qmpcheck.specs.documents.document`."""

    number: int
    kind: str
    text: str


def classify(structure: Structure, entries: Sequence[EventEntry]) -> Iterator[ClassifiedLine]:
    """Yield every line of the document, in order."""
    special = dict(_special(entries))
    sections = list(structure.preamble)
    for entry in structure.entries:
        sections += [entry.heading, entry.underline, *entry.sections]
    for section in sections:
        for at, text in enumerate(section.lines):
            number = section.line + at
            yield ClassifiedLine(number, special.get(number, section.kind), text.rstrip("\n"))


def _special(entries: Sequence[EventEntry]) -> Iterator[tuple[int, str]]:
    """Return the kinds of lines that differ from the kind of their section."""
    for entry in entries:
        for text in entry.members:
            yield from ((line, document.PROSE) for line in text.prose_lines)
            yield from ((line, document.TYPE_NOTE) for line in text.type_note_lines if line > text.line)
            yield from ((line, document.VALUE) for line in text.value_lines if line > text.line)
            yield from ((line, document.UNKNOWN) for line, _ in text.unknown)
        yield from ((said.line, document.UNKNOWN) for said in entry.data if said.unknown)
        for sentence in entry.sentences:
            yield from ((line, document.UNKNOWN) for line in sentence.lines if sentence.unknown)
