"""Find the defects of spec documents: qmp-events.txt, a saved web page of it, a QAPI schema's root file.

Of a page that shows a diff, PATH@old and PATH@new name the two documents. Lines are those of the document,
also where the page around it has others.

Exit status: 0 none; 1 defects at least as bad as --fail-on; 2 a file that is no document.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter

from qmpcheck import documents, specfile
from qmpcheck.checking import examples
from qmpcheck.cli import arguments
from qmpcheck.cli.messages import tell
from qmpcheck.cli.status import CLEAN, FINDINGS, UNUSABLE
from qmpcheck.codes import Severity
from qmpcheck.documents import Document
from qmpcheck.finding import Finding
from qmpcheck.printable import safe
from qmpcheck.reports import style, text
from qmpcheck.rulebase import SpecError
from qmpcheck.wording import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", nargs="+", metavar="DOCUMENT")
    parser.add_argument("--lines", action="store_true", help="show what each line of the document is")
    arguments.add_fail_on(parser)


def run(options: argparse.Namespace) -> int:
    statuses = [_lint(path, options.lines, options.fail_on) for path in options.documents]
    return max(statuses)


def _lint(path: str, show_lines: bool, fail_on: Severity) -> int:
    try:
        content, side = specfile.read_text(path)
        if specfile.kind(content) == "schema":
            return _lint_schema(path, fail_on)
        document = read(path, content, side)
    except SpecError as error:
        tell(str(error))
        return UNUSABLE
    found = findings(document)
    if show_lines:
        for line in document.lines:
            print(f"{line.number:5} {line.kind:9} {safe(line.text)}".rstrip())
    sys.stdout.writelines(text.finding_lines(path, found, style.painter(sys.stdout)))
    print(f"{safe(path)}: {_counts(document)}, {plural(len(found), 'defect')}")
    return FINDINGS if any(finding.severity >= fail_on for finding in found) else CLEAN


def _lint_schema(path: str, fail_on: Severity) -> int:
    from qmpcheck.documents import qapi

    try:
        rule_base, found = qapi.lint(path)
    except qapi.SchemaError as error:
        raise SpecError(safe(os.path.normpath(os.path.join(qapi.folder(path), str(error))))) from None
    for file, defect in found:
        at = os.path.normpath(os.path.join(qapi.folder(path), file))
        sys.stdout.writelines(text.finding_lines(at, [defect], style.painter(sys.stdout)))
    print(f"{safe(path)}: {plural(len(rule_base.events), 'event')}, {plural(len(found), 'defect')}")
    return FINDINGS if any(defect.severity >= fail_on for _, defect in found) else CLEAN


def read(path: str, content: str, side: str) -> Document:
    """The document that a text holds.

    Args:
        path: where it is from.
        content: the text.
        side: of a page that shows a diff, which one.

    Raises:
        SpecError: it holds none.
    """
    try:
        return documents.read(content, side)
    except documents.NotADocument as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def findings(document: Document) -> list[Finding]:
    """All defects of a document, by line."""
    found = [*document.defects, *examples.defects(document)]
    return sorted(found, key=lambda defect: (defect.line, defect.code))


def _counts(document: Document) -> str:
    kinds = Counter(line.kind for line in document.lines)
    events, lines, unknown = len(document.rule_base.events), len(document.lines), kinds["unknown"]
    return f"{plural(events, 'event')}, {plural(lines, 'line')}, {unknown} of them unknown"
