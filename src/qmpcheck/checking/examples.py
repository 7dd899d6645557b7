"""Check a document's own examples by its own rules."""

from __future__ import annotations

from collections.abc import Iterator

from qmpcheck.checking.explain import Explainer
from qmpcheck.codes import CODES
from qmpcheck.codes.code import Severity
from qmpcheck.finding import Finding
from qmpcheck.specs.documents import Document, Example
from qmpcheck.streams import jsontext
from qmpcheck.text import name, quoted


def of_document(document: Document) -> Iterator[Finding]:
    """Yield findings about a document's examples, with lines of the document."""
    explainer = Explainer(document.rule_base)
    for example in document.examples:
        yield from defects(example, explainer)


def defects(example: Example, explainer: Explainer) -> Iterator[Finding]:
    """Yield findings about one example, by the rules of its document."""
    event = name(", ".join(example.events))
    try:
        value = jsontext.parse(example.text.encode())
    except jsontext.Malformed as error:
        line, column = _place(example, error.column)
        broken = example.text.splitlines()[line - example.line].strip()
        message = f"example is not JSON: {error.reason} at column {column}"
        yield Finding("QMP902", line, message, event, kind=broken)
        return
    shown = value.get("event")
    if not isinstance(shown, str):
        yield Finding("QMP904", example.line, "example of something that is no event", event)
        return
    if shown not in example.events:
        yield Finding("QMP904", example.line, f"example of another event, {quoted(shown)}", event, kind=shown)
        return
    for finding in explainer.explain(example.text.encode()).findings:
        if CODES[finding.code].severity < Severity.ERROR:
            continue  # an example may show what is deprecated
        message = f"example breaks the document's own rules: {finding.message}"
        yield Finding(
            "QMP903",
            example.line,
            message,
            event,
            finding.path,
            finding.spec_line,
            spec_file=finding.spec_file,
            kind=f"{finding.code} {finding.got}".rstrip(),
        )


def _place(example: Example, column: int) -> tuple[int, int]:
    """Return the line and the column in the document of a character in an example."""
    before = example.text.rstrip()[: column - 1]
    return example.line + before.count("\n"), column - 1 - before.rfind("\n")
