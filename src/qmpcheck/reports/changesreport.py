"""Turn what `diff` found into a `Report`, from which the reports for CI are rendered."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from qmpcheck.codes import ChangeSubject, Impact
from qmpcheck.drift.change import Change
from qmpcheck.finding import Finding
from qmpcheck.keypath import as_text
from qmpcheck.reports import changesjson
from qmpcheck.reports.changes import Changes
from qmpcheck.reports.report import Report, Suite
from qmpcheck.rulebase import NOWHERE


def report(changes: Changes, fail_on: Impact = Impact.BREAKING) -> Report:
    """Return the changes from one spec to another as a report.

    Args:
        changes: the changes, and the client that they concern.
        fail_on: the level from which changes fail the run.
    """
    against = f"{changes.old.name} to {changes.new.name}"
    findings = tuple(
        of_change(each, (changes.new if each.new != NOWHERE else changes.old).name, changes.strict)
        for each in changes.changes
    )
    suite = Suite(against, "differs" if findings else "same", findings)
    document = functools.partial(changesjson.report, changes)
    return Report("diff", against, (suite,), fail_on.severity, document, source=changes)


def of_change(each: Change, spec: str, strict: bool = False) -> Finding:
    """Return a change as a finding, with its place in the new spec, or in the old one for a removal.

    Args:
        each: the change.
        spec: the name of the spec, for one without files.
        strict: whether the client is strict.
    """
    place = each.new if each.new != NOWHERE else each.old
    return Finding(
        code=each.code,
        line=place.line or 0,
        message=each.text,
        event=each.event,
        path=each.path,
        level=each.level(strict).severity,
        file=place.file or spec,
        kind="; ".join(filter(None, _kinds(each))),
    )


def _kinds(each: Change) -> Iterator[str]:
    """Yield what distinguishes it from other changes of the same code, event and path."""
    if each.value:
        yield each.value
    for branch in each.where:
        yield f"in {as_text(branch.within)} {branch}"
    if each.kind.subject in (ChangeSubject.FOLLOW_UP, ChangeSubject.WORDING):
        yield each.text.partition(": ")[2]  # the rule itself: the words before it may name a line
