"""Find the defects of a spec document: an event document, a saved page of one, or a schema."""

from __future__ import annotations

import os
from typing import NamedTuple

import msgspec

from qmpcheck.checking import examples
from qmpcheck.checking.explain import Explainer
from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.specs import documents, load, source_tree
from qmpcheck.specs.documents import ClassifiedLine, Document
from qmpcheck.text import safe


class Linted(NamedTuple):
    """A document that was read, and what is wrong with it.

    Attributes:
        path: the document, as the user named it; of a source tree, the file that states its rules.
        rule_base: the rules that it states in spite of its defects.
        lines: the kind of each line; () for a schema.
        defects: what is wrong, sorted by line.
    """

    path: str
    rule_base: RuleBase
    lines: tuple[ClassifiedLine, ...]
    defects: tuple[Finding, ...]


def lint(path: str) -> Linted:
    """Read a document, and return its defects.

    Args:
        path: the document, or a QEMU source tree or its `qapi` folder; `PATH@old` or `PATH@new` for a saved
            page that shows a diff.

    Raises:
        SpecError: it cannot be read, or is no document.
    """
    if os.path.isdir(path):
        return _tree(path)
    content, side = load.read_text(path)
    match load.kind(content, path):
        case "schema":
            load.refuse_part(path)  # a file that others include does not describe all events
            return _schema(path)
        case "rules":
            raise SpecError(
                f"{safe(path)}: a compiled rule base; lint the document that it was compiled from"
            )
        case "introspection":
            raise SpecError(f"{safe(path)}: JSON; lint takes an event document, or a schema's root file")
    try:
        document = documents.read(content, side)
    except documents.NotADocument as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    found = (msgspec.structs.replace(finding, file=path) for finding in findings(document))
    return Linted(path, document.rule_base, document.lines, tuple(found))


def _tree(folder: str) -> Linted:
    # The schema comes first. That of an old release may have no events; then the event document counts.
    roots = source_tree.of_folder(folder).roots()
    linted = next((each for each in map(lint, map(os.path.normpath, roots)) if each.rule_base.events), None)
    if linted is None:
        raise load.no_tree(folder)
    return linted


def findings(document: Document) -> list[Finding]:
    """Return all defects of an event document, by line."""
    found = [*document.defects, *examples.of_document(document)]
    return sorted(found, key=lambda defect: (defect.line, defect.code))


def _schema(root: str) -> Linted:
    from qmpcheck.specs import qapi

    folder = qapi.folder(root)
    try:
        linted = qapi.lint(root)
    except qapi.SchemaError as error:
        raise SpecError(safe(os.path.normpath(os.path.join(folder, str(error))))) from None
    explainer = Explainer(linted.rule_base)
    found = [
        *linted.defects,
        *(
            msgspec.structs.replace(defect, file=file)
            for file, example in linted.examples
            for defect in examples.defects(example, explainer)
        ),
    ]
    placed = (
        msgspec.structs.replace(each, file=os.path.normpath(os.path.join(folder, each.file)))
        for each in sorted(found, key=lambda each: (each.file, each.line, each.code))
    )
    return Linted(root, linted.rule_base, (), tuple(placed))
