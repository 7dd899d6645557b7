"""Find the defects of spec documents: qmp-events.txt, a saved web page of it, or a QAPI schema.

Name a schema by its root file, its folder or its source tree. A saved page may show a diff of two documents:
PATH@old and PATH@new choose one. Line numbers are those of the document, not of the page around it. Known
defects of QEMU's own documents are counted, not listed, so that a changed document shows only new ones.

Exit status: 0 no new defect; 1 new defects at least as bad as --fail-on; 2 a file is not a spec document.

Example: qmpcheck lint qapi/qapi-schema.json
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from qmpcheck.checking import lint
from qmpcheck.checking.lint import Linted
from qmpcheck.cli import arguments, baseline_option, output, report_option
from qmpcheck.cli.messages import CLEAN, FINDINGS, UNUSABLE, notify
from qmpcheck.codes import CODES, DOCUMENT_CODES, Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import baseline, fingerprint, lintreport, streamstext, terminal
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.formats import FOR_CI
from qmpcheck.reports.report import Report
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue, source_tree
from qmpcheck.text import safe
from qmpcheck.wording import plural

KNOWN = "lint-baseline.json"
"""The file beside the rules with the defects of QEMU's own documents."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", nargs="+", metavar="DOCUMENT", help="a file, or a QEMU source tree")
    parser.add_argument(
        "--lines", action="store_true", help="show how each line of the document is understood"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the report (default: text)"
    )
    arguments.add_select(parser, DOCUMENT_CODES, of_streams=False)
    arguments.add_fail_on(parser)
    output.add_output(parser)
    report_option.add_report(parser, FOR_CI)
    baseline_option.add_baseline(parser)


def run(options: argparse.Namespace) -> int:
    codes = arguments.selected(options, DOCUMENT_CODES)
    before = baseline_option.load(options)
    outputs = [*filter(None, [options.baseline])]
    report_option.prepare(options.reports, options.documents, outputs, options.format, options.output)
    results, unreadable = _lint(options.documents, codes)
    # QEMU's own documents have many defects. Only those that are new in the user's document are reported.
    known = baseline.read(KNOWN, catalogue.rules_file(KNOWN))
    new = lintreport.report(_without(results, known), unreadable, options.fail_on, known)
    updates = options.update_baseline and not unreadable
    accepted = known | (baseline_option.of_report(new) if updates else before or frozenset())
    report = lintreport.report(results, unreadable, options.fail_on, accepted)
    with report_option.opened(options.output, options.reports) as out:
        _report(options, results, report, accepted, out)
    status = report_option.write(options.reports, report) if options.reports else CLEAN
    _close(options, new, before, updates, codes)
    if unreadable:
        return UNUSABLE
    return max(status, FINDINGS if any(map(report.fails, report.findings)) else CLEAN)


def _lint(paths: Sequence[str], codes: frozenset[str]) -> tuple[list[Linted], dict[str, str]]:
    """Return the findings of these codes in each document, and why others cannot be read."""
    results, unreadable = list[Linted](), dict[str, str]()
    for path in paths:
        try:
            linted = lint.lint(path)
        except SpecError as error:  # noqa: PERF203 -- once a document
            unreadable[path] = _hint(path) or str(error)
            notify(unreadable[path])
        else:
            chosen = tuple(defect for defect in linted.defects if defect.code in codes)
            results.append(linted._replace(defects=chosen))
    return results, unreadable


def _hint(path: str) -> str:
    """Return what to do if other commands take the name, but lint does not; "" if they do not."""
    if path.startswith("git:"):
        return f"{safe(path)}: a revision; check it out, and lint that source tree"
    if source_tree.TARBALL.search(path):
        return f"{safe(path)}: a tarball; unpack it, and lint that source tree"
    known = {name for entry in catalogue.entries() for name in catalogue.names(entry)}
    if not os.path.exists(path) and path in known | {"latest"}:
        return f"{safe(path)}: a compiled rule base; lint the document that it was compiled from"
    return ""


def _without(results: Sequence[Linted], known: Baseline) -> list[Linted]:
    """Return the results without known defects."""
    return [linted._replace(defects=tuple(_new(linted.defects, known))) for linted in results]


def _new(defects: Iterable[Finding], known: Baseline) -> Iterator[Finding]:
    return (each for each in defects if fingerprint.of_finding(each) not in known)


def _report(
    options: argparse.Namespace, results: Sequence[Linted], report: Report, accepted: Baseline, out: IO[str]
) -> None:
    if options.format == "json":
        out.write(json.dumps(report.document(), indent=1) + "\n")
        return
    paint = terminal.painter(out)
    for linted, shown in zip(results, _without(results, accepted), strict=True):
        if options.lines:
            out.writelines(
                f"{line.number:5} {line.kind:9} {safe(line.text)}".rstrip() + "\n" for line in linted.lines
            )
        for defect in shown.defects:
            out.write(streamstext.finding_line(defect.file, defect, paint))
        out.write(f"{safe(linted.path)}: {', '.join(_counts(linted, shown.defects))}\n")


def _counts(linted: Linted, new: Sequence[Finding]) -> list[str]:
    counts = [plural(len(linted.rule_base.events), "event")]
    not_understood = linted.rule_base.not_understood
    if linted.lines:
        counts += [plural(len(linted.lines), "line"), f"{not_understood} not understood"]
    else:
        counts.append(f"{plural(not_understood, 'line')} not understood")
    known = len(linted.defects) - len(new)
    defects = plural(len(new), "new defect" if known else "defect")
    errors = sum(CODES[defect.code].severity is Severity.ERROR for defect in new)
    if new:
        defects += f" ({plural(errors, 'error')}, {plural(len(new) - errors, 'warning')})"
    return [*counts, defects, *([f"{known} known"] if known else [])]


def _close(
    options: argparse.Namespace, new: Report, before: Baseline | None, updates: bool, codes: frozenset[str]
) -> None:
    """Write the baseline if the user asked for that, or say which of its entries no longer occur."""
    if before is None:
        return
    if updates:
        baseline_option.update(options, new, before)
    elif options.update_baseline:
        notify(f"{safe(options.baseline)} was not changed: not every document could be read")
    elif not new.unchecked:
        baseline_option.notify_of_gone(before, baseline_option.of_report(new), codes)
