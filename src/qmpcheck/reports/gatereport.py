"""What `gate` found, as the value that the reports for CI are made from."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import qmpcheck
from qmpcheck.drift import change
from qmpcheck.gate.codes import KINDS, NOT_SEEN, OF_TROUBLE
from qmpcheck.gate.judge import Judged, Verdict
from qmpcheck.gate.scenario import Expected
from qmpcheck.reports import changesreport, fingerprint, streamsreport
from qmpcheck.reports.fingerprint import Baseline, Identity
from qmpcheck.reports.report import Finding, Level, Report, Rule, Suite

INTROSPECTION = "introspection"
"""The suite of how the build's own description differs from the spec."""


def report(verdict: Verdict, baseline: Baseline | None = None) -> Report:
    """A verdict as a report: a suite for each scenario, and one for the build's introspection.

    Args:
        verdict: on the build.
        baseline: the findings that are known; None where none was asked for.
    """
    known = baseline or frozenset()
    changes = tuple(_change(each, verdict, known) for each in verdict.changes)
    suites = (
        *(_scenario(judged, known) for judged in verdict.judged),
        Suite(INTROSPECTION, "differs" if changes else "same", changes),
    )
    return Report(
        command="gate",
        against=f"{verdict.spec.name} (QEMU {verdict.build.version})",
        suites=suites,
        fail_on=Level.ERROR,
        document=functools.partial(_document, verdict, suites),
        has_baseline=baseline is not None,
    )


def of_missing(scenario: str, expected: Expected) -> Identity:
    """What an event that did not come is known by."""
    return Identity(NOT_SEEN, expected.event, "", f"{scenario}: {expected}")


def of_trouble(scenario: str, kind: str) -> Identity:
    """What a scenario that was not played to its end is known by."""
    return Identity(OF_TROUBLE[kind], "", "", scenario)


def _scenario(judged: Judged, known: Baseline) -> Suite:
    name, trouble = judged.outcome.scenario.name, judged.outcome.trouble
    if trouble and judged.skipped:
        return Suite(name, f"skipped: lacks {trouble.text}", ())
    findings = [*_diagnostics(judged, known)]
    if trouble:
        findings.append(_finding(of_trouble(name, trouble.kind), trouble.text, name, known))
    for expected in judged.missing:
        identity = of_missing(name, expected)
        findings.append(_finding(identity, f"expected, and not seen: {expected}", name, known))
    return Suite(name, "played" if judged.is_well else "failed", tuple(findings))


def _diagnostics(judged: Judged, known: Baseline) -> Iterator[Finding]:
    for checked in judged.checked:
        for finding in checked.summary.listed:
            yield streamsreport.of_diagnostic(checked.path, finding, known)
        yield from streamsreport.unlisted(checked)


def _finding(identity: Identity, message: str, scenario: str, known: Baseline) -> Finding:
    kind = KINDS[identity.code]
    rule = Rule(identity.code, kind.slug, Level.ERROR, kind.means, kind.why)
    return Finding(rule, Level.ERROR, message, scenario, None, identity, known=identity in known)


def _change(each: change.Change, verdict: Verdict, known: Baseline) -> Finding:
    """A change since an older release is no fault."""
    known_as = fingerprint.of_change(each)
    if verdict.since:
        finding = changesreport.of_change(each, verdict.since.name)
        message = f"since {verdict.since.name}: {finding.message}"
        return finding._replace(level=Level.NOTE, message=message, known=known_as in known)
    return changesreport.of_change(each, verdict.spec.name)._replace(known=known_as in known)


def _document(verdict: Verdict, suites: tuple[Suite, ...]) -> dict[str, Any]:
    """The report for JSON."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "qemu": {"path": verdict.build.path, "version": str(verdict.build.version)},
        "spec": {"name": verdict.spec.name, "id": verdict.spec.id},
        "scenarios": [
            {
                "name": judged.outcome.scenario.name,
                "verdict": suite.verdict,
                "seconds": round(judged.outcome.seconds, 3),
                "events": dict(judged.seen),
            }
            for judged, suite in zip(verdict.judged, suites, strict=False)
        ],
        "findings": [
            {
                "scenario": suite.name,
                "code": finding.rule.code,
                "slug": finding.rule.slug,
                "level": str(finding.level),
                "event": finding.identity.event,
                "path": finding.path,
                "line": finding.line,
                "message": finding.message,
                "fingerprint": finding.fingerprint,
                "known": finding.known,
                "times": finding.times,
            }
            for suite in suites
            for finding in suite.findings
        ],
    }
