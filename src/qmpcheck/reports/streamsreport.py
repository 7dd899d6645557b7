"""What `validate` found, as the value that the reports for CI are made from."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import Severity
from qmpcheck.finding import Finding, severity
from qmpcheck.reports import fingerprint, jsonreport, stream_status
from qmpcheck.reports.fingerprint import Baseline, Identity
from qmpcheck.reports.report import Report, Reported, Suite
from qmpcheck.reports.streamstext import spec_reference
from qmpcheck.specs.catalogue import SpecName
from qmpcheck.wording import first_of, plural


def report(results: Collection[StreamResult], fail_on: Severity, baseline: Baseline | None = None) -> Report:
    """The results of streams as a report.

    Args:
        results: the streams.
        fail_on: the severity from which findings fail the run.
        baseline: the findings that are known; None where none was asked for.
    """
    known = baseline or frozenset()
    return Report(
        command="validate",
        against=first_of([*dict.fromkeys(_named(each.spec) for each in results if each.spec)]),
        suites=tuple(_stream(checked, known) for checked in results),
        fail_on=fail_on,
        document=functools.partial(jsonreport.report, results),
        has_baseline=baseline is not None,
        source=results,
    )


def _named(spec: SpecName) -> str:
    return spec.name if spec.name == spec.id else f"{spec.name} ({spec.id})"


def _stream(checked: StreamResult, known: Baseline) -> Suite:
    listed = [of_finding(checked.path, finding, known) for finding in checked.listed]
    return Suite(
        name=f"{checked.path} {checked.vm}" if checked.vm else checked.path,
        verdict=stream_status.status(checked),
        findings=(*listed, *unlisted(checked)),
        unchecked=stream_status.unchecked(checked),
    )


def of_finding(path: str, finding: Finding, known: Baseline) -> Reported:
    """A finding about a stream, which has that path."""
    identity = fingerprint.of_finding(finding)
    return Reported(
        code=finding.code,
        level=finding.severity,
        message=finding.text + (f" ({finding.drift})" if finding.drift else "") + spec_reference(finding),
        file=finding.file or path,
        line=finding.line,
        identity=identity,
        path=finding.shown_path,
        known=identity in known,
    )


def unlisted(checked: StreamResult) -> Iterator[Reported]:
    """The findings that are counted only, one for each kind. No baseline knows them: they have no path."""
    for (code, event, erratum), more in sorted(checked.unlisted.items()):
        yield Reported(
            code=code,
            level=severity(code, erratum, checked.severities),
            message=f"{plural(more, 'finding')} more, not listed",
            file=checked.path,
            line=None,
            identity=Identity(code, event, "", "; ".join(filter(None, ("not listed", erratum)))),
            times=more,
            listed=False,
        )
