"""What `validate` found, as the value that the reports for CI are made from."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from qmpcheck.catalogue import Spec
from qmpcheck.checking.result import StreamResult
from qmpcheck.diagnostic import CODES, Diagnostic, Severity, severity
from qmpcheck.reports import fingerprint, jsonreport, verdict
from qmpcheck.reports.explanations import EXPLANATIONS
from qmpcheck.reports.fingerprint import Baseline, Identity
from qmpcheck.reports.report import Finding, Level, Report, Rule, Suite
from qmpcheck.reports.text import source
from qmpcheck.wording import first_of, plural


def report(results: Sequence[StreamResult], fail_on: Severity, baseline: Baseline | None = None) -> Report:
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
        fail_on=_LEVELS[fail_on],
        document=functools.partial(jsonreport.report, results),
        has_baseline=baseline is not None,
    )


def _named(spec: Spec) -> str:
    return spec.name if spec.name == spec.id else f"{spec.name} ({spec.id})"


_LEVELS = {Severity.WARNING: Level.WARNING, Severity.ERROR: Level.ERROR}


def _stream(checked: StreamResult, known: Baseline) -> Suite:
    listed = [of_diagnostic(checked.path, finding, known) for finding in checked.listed]
    return Suite(
        name=f"{checked.path} {checked.vm}" if checked.vm else checked.path,
        verdict=verdict.of(checked),
        findings=(*listed, *unlisted(checked)),
        unchecked=verdict.unchecked(checked),
    )


def of_diagnostic(path: str, finding: Diagnostic, known: Baseline) -> Finding:
    """A finding about a stream, which has that path."""
    identity = fingerprint.of_diagnostic(finding)
    return Finding(
        rule=_rule(finding.code),
        level=_LEVELS[finding.severity],
        message=finding.text + (f" ({finding.drift})" if finding.drift else "") + source(finding),
        file=path,
        line=finding.line,
        identity=identity,
        path=finding.path,
        known=identity in known,
    )


def unlisted(checked: StreamResult) -> Iterator[Finding]:
    """The findings that are counted only, one for each kind. No baseline knows them: they have no path."""
    for (code, event, erratum), more in sorted(checked.unlisted.items()):
        yield Finding(
            rule=_rule(code),
            level=_LEVELS[severity(code, erratum, checked.severities)],
            message=f"{plural(more, 'finding')} more, not listed",
            file=checked.path,
            line=None,
            identity=Identity(code, event, "", "; ".join(filter(None, ("not listed", erratum)))),
            times=more,
            listed=False,
        )


@functools.cache
def _rule(code: str) -> Rule:
    explained = EXPLANATIONS[code]
    slug, usual = CODES[code]
    return Rule(code, slug, _LEVELS[usual], explained.means, explained.why)
