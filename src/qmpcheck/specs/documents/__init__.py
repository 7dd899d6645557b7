"""Compile spec documents to rule bases: the plain-text event documents, and saved web pages of them."""

from __future__ import annotations

from typing import NamedTuple

from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs.documents import compile, defects, document, entries, line_kinds, pages
from qmpcheck.specs.documents.entries import Example
from qmpcheck.specs.documents.line_kinds import ClassifiedLine

__all__ = ["NEW", "OLD", "ClassifiedLine", "Document", "Example", "NotADocument", "read"]

OLD, NEW = pages.OLD, pages.NEW


class NotADocument(ValueError):
    """The text has no event."""


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
        raise NotADocument("no event in it: no line holds an event's name with a line of dashes below")
    read_entries = entries.read(structure)
    classified = tuple(line_kinds.classify(structure, read_entries))
    not_understood = [line.number for line in classified if line.kind == document.UNKNOWN]
    return Document(
        compile.rule_base(read_entries, not_understood),
        classified,
        tuple(example for entry in read_entries for example in entry.examples),
        tuple(sorted(defects.find(structure, read_entries), key=lambda defect: (defect.line, defect.code))),
    )
