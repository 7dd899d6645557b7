"""Turn what `gate` found into a `Report`, from which the reports for CI are rendered.

`gate.schema.json` beside this file is the schema of the JSON report.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

import qmpcheck
from qmpcheck.codes import Severity
from qmpcheck.drift.change import Change
from qmpcheck.finding import Finding
from qmpcheck.gate import saving
from qmpcheck.gate.judge import Judged, Verdict
from qmpcheck.reports import changesreport, fingerprint, streamsreport
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.jsonreport import of_spec
from qmpcheck.reports.report import Report, Suite, compared, fails
from qmpcheck.text import safe
from qmpcheck.wording import first_of, plural

FAILED, NOT_PLAYED, PASSED, SKIPPED = "failed", "not played", "passed", "skipped"
"""The statuses of what a gate checks, in the order of counts."""

INTROSPECTION = "introspection"
"""The suite of how the build's own description differs from the spec."""


def report(
    verdict: Verdict, fail_on: Severity = Severity.ERROR, baseline: Baseline | None = None, folder: str = ""
) -> Report:
    """A verdict as a report: a suite for each scenario, and one for the build's introspection.

    If no event at all was checked, no scenario was.

    Args:
        verdict: on the build.
        fail_on: the severity from which findings fail the run.
        baseline: the findings that are known; None where none was asked for.
        folder: where recordings are kept; "" for nowhere.
    """
    known = baseline or frozenset()
    changes = tuple(_change(each, verdict, known) for each in verdict.changes)
    suites = (
        *(_scenario(judged, known, verdict.events > 0, fail_on, folder) for judged in verdict.judged),
        Suite(INTROSPECTION, "differs" if changes else "same", changes, seconds=0.0),
    )
    statuses = {suite.name: status(suite, fail_on) for suite in suites}
    numbers = Counter(statuses.values())
    tally = {each: numbers[each] for each in (FAILED, NOT_PLAYED, PASSED, SKIPPED) if numbers[each]}
    return Report(
        command="gate",
        against=f"{verdict.spec.name} (QEMU {verdict.build.version})",
        suites=suites,
        fail_on=fail_on,
        document=functools.partial(_document, verdict, suites, tally, folder),
        has_baseline=baseline is not None,
        source=verdict,
        counts=_in_words(tally, statuses),
        tally=tally,
        kept=folder,
    )


def status(suite: Suite, fail_on: Severity) -> str:
    """The status of a scenario, or of the introspection: what every report counts.

    A skip that was demanded not to be is a finding, and so has failed; what a baseline accepts has not.
    """
    if fails(suite.findings, fail_on):
        return FAILED
    if suite.unchecked:
        return NOT_PLAYED
    return SKIPPED if suite.skipped else PASSED


def failed(report: Report) -> list[str]:
    """The names of what failed, in the order of the report."""
    return [suite.name for suite in report.suites if status(suite, report.fail_on) == FAILED]


def _in_words(tally: Mapping[str, int], statuses: Mapping[str, str]) -> str:
    """`1 failed (vnc), 50 passed, 8 skipped; 58 scenarios and the introspection`."""
    names = first_of([name for name, each in statuses.items() if each == FAILED])
    counts = (
        f"{number} {each} ({names})" if each == FAILED else f"{number} {each}"
        for each, number in tally.items()
    )
    return f"{', '.join(counts)}; {plural(len(statuses) - 1, 'scenario')} and the introspection"


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
        "counts": {},
        "recordings": None,
        "scenarios": [],
        "introspection": None,
        "findings": [],
    }
    return Report("gate", f"{spec} ({path})", (suite,), Severity.ERROR, lambda: document)


def _scenario(judged: Judged, known: Baseline, has_events: bool, fail_on: Severity, folder: str) -> Suite:
    """One scenario. If no scenario sent an event, none is checked; nor is one that the user stopped."""
    outcome = judged.outcome
    findings = (*_diagnostics(judged, known), *(compared(fault, known) for fault in judged.faults))
    has_failed = fails(findings, fail_on)
    lacks = f"lacks {outcome.failure.text}" if outcome.failure and outcome.skipped else ""
    # A scenario without events is green only if others show that events arrive at all.
    if outcome.was_stopped:
        unchecked = "not played: interrupted"
    elif has_events or has_failed:
        unchecked = ""
    else:
        unchecked = f"skipped: {lacks}" if lacks else "no event in it"
    if lacks:
        verdict = f"skipped: {lacks}"
    else:
        verdict = FAILED if has_failed else NOT_PLAYED if outcome.was_stopped else "played"
    return Suite(
        outcome.scenario.name,
        verdict,
        findings,
        unchecked,
        skipped="" if unchecked else lacks,
        seconds=outcome.seconds,
        by_hand=tuple(saving.by_hand(outcome, folder)) if has_failed else (),
    )


def _diagnostics(judged: Judged, known: Baseline) -> Iterator[Finding]:
    for checked in judged.checked:
        yield from streamsreport.findings(checked, known)


def _change(each: Change, verdict: Verdict, known: Baseline) -> Finding:
    """A difference of the build as a finding; a change since an older release is only a note."""
    finding = changesreport.of_change(each, (verdict.since or verdict.spec).name)
    if verdict.since:
        message = f"since {verdict.since.name}: {finding.message}"
        finding = msgspec.structs.replace(finding, level=Severity.NOTE, message=message)
    else:
        level = verdict.recipe.severities.get(each.code, finding.severity)
        finding = msgspec.structs.replace(finding, level=level)
    return compared(finding, known)


def _document(
    verdict: Verdict, suites: tuple[Suite, ...], tally: Mapping[str, int], folder: str
) -> dict[str, Any]:
    """The report for JSON."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "qemu": {"path": safe(verdict.build.path), "version": str(verdict.build.version)},
        "spec": of_spec(verdict.spec.named),
        "unchecked": None if verdict.events else "no event in any scenario",
        "counts": dict(tally),
        "recordings": safe(folder) or None,
        "scenarios": [
            {
                "name": judged.outcome.scenario.name,
                "verdict": suite.verdict,
                "seconds": round(judged.outcome.seconds, 3),
                "events": dict(judged.seen),
                "by_hand": list(suite.by_hand),
            }
            for judged, suite in zip(verdict.judged, suites[:-1], strict=True)
        ],
        "introspection": {"verdict": suites[-1].verdict},
        "findings": [
            {
                "scenario": suite.name,
                "code": finding.code,
                "slug": finding.slug,
                "level": str(finding.severity),
                "event": finding.event or None,
                "path": finding.shown_path,
                "file": safe(finding.file),
                "line": finding.line or None,
                "message": finding.full_message,
                "fingerprint": fingerprint.fingerprint(fingerprint.of_finding(finding)),
                "known": finding.known,
                "times": finding.times,
            }
            for suite in suites
            for finding in suite.findings
        ],
    }
