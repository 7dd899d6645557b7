"""What `gate` found, as the value that the reports for CI are made from.

`gate.schema.json` beside this file is the schema of the JSON report.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import qmpcheck
from qmpcheck.codes import Severity
from qmpcheck.drift.change import Change
from qmpcheck.gate.fault import Fault
from qmpcheck.gate.judge import Judged, Verdict
from qmpcheck.reports import changesreport, streamsreport
from qmpcheck.reports.fingerprint import Baseline, Identity
from qmpcheck.reports.report import Report, Reported, Suite
from qmpcheck.text import safe

INTROSPECTION = "introspection"
"""The suite of how the build's own description differs from the spec."""


def report(verdict: Verdict, fail_on: Severity = Severity.ERROR, baseline: Baseline | None = None) -> Report:
    """A verdict as a report: a suite for each scenario, and one for the build's introspection.

    Where no event at all was checked, no scenario was.

    Args:
        verdict: on the build.
        fail_on: the severity from which findings fail the run.
        baseline: the findings that are known; None where none was asked for.
    """
    known = baseline or frozenset()
    changes = tuple(_change(each, verdict, known) for each in verdict.changes)
    suites = (
        *(_scenario(judged, known, has_events=verdict.events > 0) for judged in verdict.judged),
        Suite(INTROSPECTION, "differs" if changes else "same", changes),
    )
    return Report(
        command="gate",
        against=f"{verdict.spec.name} (QEMU {verdict.build.version})",
        suites=suites,
        fail_on=fail_on,
        document=functools.partial(_document, verdict, suites),
        has_baseline=baseline is not None,
        source=verdict,
    )


def unplayed(path: str, spec: str, reason: str) -> Report:
    """The report of a gate that could not be played, in which nothing is green.

    Args:
        path: of the binary, as the user named it.
        spec: what it should have been checked against, as the user named it.
        reason: why not.
    """
    suite = Suite("gate", "unchecked", (), reason)
    document: dict[str, Any] = {
        "qmpcheck": qmpcheck.__version__,
        "qemu": {"path": safe(path), "version": None},
        "spec": None,
        "unchecked": safe(reason),
        "scenarios": [],
        "findings": [],
    }
    return Report("gate", f"{spec} ({path})", (suite,), Severity.ERROR, lambda: document)


def of_fault(scenario: str, fault: Fault) -> Identity:
    """What a fault is known by: the event it is about, or the scenario that was not played to its end."""
    return Identity(fault.code, fault.event, "", f"{scenario}: {fault.text}" if fault.event else scenario)


def _scenario(judged: Judged, known: Baseline, has_events: bool) -> Suite:
    name, failure = judged.outcome.scenario.name, judged.outcome.failure
    if failure and judged.outcome.skipped:
        lacks = f"lacks {failure.text}"
        verdict = f"skipped: {lacks}"
        return Suite(name, verdict, (), skipped=lacks) if has_events else Suite(name, verdict, (), verdict)
    findings = (*_diagnostics(judged, known), *(_fault(name, fault, known) for fault in judged.faults))
    unchecked = "" if has_events else "no event in it"
    return Suite(name, "played" if judged.is_well else "failed", findings, unchecked)


def _diagnostics(judged: Judged, known: Baseline) -> Iterator[Reported]:
    for checked in judged.checked:
        for finding in checked.listed:
            yield streamsreport.of_finding(checked.path, finding, known)
        yield from streamsreport.unlisted(checked)


def _fault(scenario: str, fault: Fault, known: Baseline) -> Reported:
    message = f"{fault.what}: {fault.full_text}" if fault.event else fault.full_text
    identity = of_fault(scenario, fault)
    return Reported(fault.code, fault.severity, message, scenario, None, identity, known=identity in known)


def _change(each: Change, verdict: Verdict, known: Baseline) -> Reported:
    """A change since an older release is no fault."""
    finding = changesreport.of_change(each, (verdict.since or verdict.spec).name)
    if verdict.since:
        finding = finding._replace(
            level=Severity.NOTE, message=f"since {verdict.since.name}: {finding.message}"
        )
    else:
        finding = finding._replace(level=verdict.recipe.severities.get(each.code, finding.level))
    return finding._replace(known=finding.identity in known)


def _document(verdict: Verdict, suites: tuple[Suite, ...]) -> dict[str, Any]:
    """The report for JSON."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "qemu": {"path": safe(verdict.build.path), "version": str(verdict.build.version)},
        "spec": {
            "name": safe(verdict.spec.name),
            "id": verdict.spec.id,
            "not_understood": verdict.spec.rule_base.not_understood,
        },
        "unchecked": None if verdict.events else "no event in any scenario",
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
                "code": finding.code,
                "slug": finding.slug,
                "level": str(finding.level),
                "event": finding.identity.event or None,
                "path": finding.path,
                "file": safe(finding.file),
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
