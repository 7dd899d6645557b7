"""Turn what `validate` found into a `Report`, from which the reports for CI are rendered."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import Severity
from qmpcheck.finding import Finding, severity
from qmpcheck.reports import jsonreport
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.report import NOT_LISTED, Report, Suite, compared
from qmpcheck.wording import first_of, plural


def report(results: Collection[StreamResult], fail_on: Severity, baseline: Baseline | None = None) -> Report:
    """Return the results of streams as a report.

    Args:
        results: the streams.
        fail_on: the severity from which findings fail the run.
        baseline: the accepted findings; None without a baseline.
    """
    known = baseline or frozenset()
    return Report(
        command="validate",
        against=first_of([*dict.fromkeys(each.spec.full for each in results if each.spec)]),
        suites=tuple(_stream(checked, known) for checked in results),
        fail_on=fail_on,
        document=functools.partial(jsonreport.report, results),
        has_baseline=baseline is not None,
        source=results,
    )


def _stream(checked: StreamResult, known: Baseline) -> Suite:
    return Suite(
        name=f"{checked.path} {checked.vm}" if checked.vm else checked.path,
        verdict=checked.verdict,
        findings=tuple(findings(checked, known)),
        unchecked=checked.unchecked,
    )


def findings(checked: StreamResult, known: Baseline) -> Iterator[Finding]:
    """Yield the findings about a stream; at the end, one for each kind of those that are only counted."""
    for finding in checked.listed:
        yield compared(msgspec.structs.replace(finding, file=finding.file or checked.path), known)
    for (code, event, erratum), more in sorted(checked.unlisted.items()):
        yield Finding(
            code=code,
            line=0,
            message=f"{plural(more, 'more finding')} not listed",
            event=event,
            level=severity(code, erratum, checked.severities),
            file=checked.path,
            kind="; ".join(filter(None, (NOT_LISTED, erratum))),
            times=more,
        )
