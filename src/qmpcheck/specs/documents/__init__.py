"""Spec documents to rule bases: the plain-text event documents and the saved web pages of them."""

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
    """The text holds no event at all."""


class Document(NamedTuple):
    """A document as read.

    Attributes:
        rule_base: the rules it states.
        lines: what each of its lines is.
        examples: its examples, for holding them against the rules.
        defects: what its text alone shows to be wrong, by line.
    """

    rule_base: RuleBase
    lines: tuple[ClassifiedLine, ...]
    examples: tuple[Example, ...]
    defects: tuple[Finding, ...]


def read(text: str, side: str = pages.NEW) -> Document:
    """Read a document, or the saved web page of one.

    Args:
        text: all of it.
        side: for a page that shows a diff, `"old"` or `"new"`.

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
