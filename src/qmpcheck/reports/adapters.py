"""What each command found, as the one value that the reports for CI are made from."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qmpcheck.catalogue import Spec
from qmpcheck.checking.fold import Checked
from qmpcheck.checking.summary import Kind
from qmpcheck.diagnostic import CODES, Diagnostic, Severity, severity
from qmpcheck.drift import change
from qmpcheck.drift.change import KINDS, NOWHERE, Change
from qmpcheck.reports import fingerprint, jsonreport, verdict
from qmpcheck.reports.explanations import EXPLANATIONS
from qmpcheck.reports.fingerprint import Baseline, Identity
from qmpcheck.reports.report import Finding, Level, Report, Rule, Suite
from qmpcheck.reports.text import source
from qmpcheck.wording import plural


def of_streams(
    results: Sequence[Checked], spec: Spec, fail_on: Severity, baseline: Baseline | None = None
) -> Report:
    """What `validate` found.

    Args:
        results: the streams.
        spec: what they were held to.
        fail_on: the severity from which findings fail the run.
        baseline: the findings that are known; None where none was asked for.
    """
    known = baseline or frozenset()
    return Report(
        command="validate",
        against=spec.name if spec.name == spec.id else f"{spec.name} ({spec.id})",
        suites=tuple(_stream(checked, known) for checked in results),
        fail_on=_LEVELS[fail_on],
        document=functools.partial(jsonreport.report, results, spec),
        has_baseline=baseline is not None,
    )


_LEVELS = {Severity.WARNING: Level.WARNING, Severity.ERROR: Level.ERROR}


def _stream(checked: Checked, known: Baseline) -> Suite:
    listed = [_diagnostic(checked.path, finding, known) for finding in checked.summary.listed]
    return Suite(
        name=checked.path,
        verdict=verdict.of(checked),
        findings=(*listed, *_unlisted(checked)),
        unchecked=verdict.unchecked(checked),
    )


def _diagnostic(path: str, finding: Diagnostic, known: Baseline) -> Finding:
    identity = fingerprint.of_diagnostic(finding)
    return Finding(
        rule=_rule(finding.code),
        level=_LEVELS[finding.severity],
        message=finding.text + source(finding),
        file=path,
        line=finding.line,
        identity=identity,
        path=finding.path,
        known=identity in known,
    )


def _unlisted(checked: Checked) -> Iterator[Finding]:
    """The findings that are counted only, one for each kind. No baseline knows them: they have no path."""
    summary = checked.summary
    listed: Counter[Kind] = Counter(map(summary.terms.kind, summary.listed))
    for (code, event, erratum), more in sorted((summary.findings - listed).items()):
        yield Finding(
            rule=_rule(code),
            level=_LEVELS[severity(code, erratum)],
            message=f"{plural(more, 'finding')} more, not listed",
            file=checked.path,
            line=None,
            identity=Identity(code, event, "", "; ".join(filter(None, ("not listed", erratum)))),
            times=more,
        )


@functools.cache
def _rule(code: str) -> Rule:
    explained = EXPLANATIONS[code]
    slug, usual = CODES[code]
    return Rule(code, slug, _LEVELS[usual], explained.means, explained.why)


class Sides(NamedTuple):
    """Two specs compared."""

    old: Spec
    new: Spec


def of_changes(
    changes: Sequence[Change],
    sides: Sides,
    document: Callable[[], object],
    fail_on: change.Level = change.Level.BREAKING,
    strict: bool = False,
) -> Report:
    """What `diff` found.

    Args:
        changes: from the old spec to the new one.
        sides: the two.
        document: gives the command's own report as a value for JSON.
        fail_on: the level from which changes fail the run.
        strict: whether the client that they are judged for rejects what it does not know.
    """
    title = f"{sides.old.name} to {sides.new.name}"
    findings = tuple(_change(each, sides, strict) for each in changes)
    result = "differs" if findings else "same"
    return Report("diff", title, (Suite(title, result, findings),), _CHANGES[fail_on], document)


_CHANGES = {
    change.Level.DOC: Level.NOTE,
    change.Level.SAFE: Level.NOTE,
    change.Level.RISKY: Level.WARNING,
    change.Level.BREAKING: Level.ERROR,
}


def _change(each: Change, sides: Sides, strict: bool) -> Finding:
    """It stands where the new spec states it, or where the old one did."""
    spec, place = (sides.new, each.new) if each.new != NOWHERE else (sides.old, each.old)
    return Finding(
        rule=_rule_of_change(each.code, strict),
        level=_CHANGES[each.level(strict)],
        message=each.text,
        file=place.file or spec.name,
        line=place.line,
        identity=fingerprint.of_change(each),
        path=each.path,
    )


def _rule_of_change(code: str, strict: bool) -> Rule:
    kind, explained = KINDS[code], EXPLANATIONS.get(code)
    level = _CHANGES[kind.strict if strict else kind.tolerant]
    return Rule(code, kind.slug, level, *(explained[:2] if explained else ()))
