"""What `diff` found, as the value that the reports for CI are made from."""

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
    """The changes from one spec to another as a report.

    Args:
        changes: those, and whose they are.
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
    """A change as a finding. Its place is in the new spec, or in the old one if it was removed.

    Args:
        each: the change.
        spec: names the spec, if that has no files.
        strict: whether the client is.
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
        kind="; ".join(_kinds(each)),
    )


def _kinds(each: Change) -> Iterator[str]:
    """What distinguishes it from other changes of the same code, event and path."""
    if each.value:
        yield each.value
    for branch in each.where:
        yield f"in {as_text(branch.within)} {branch}"
    if each.kind.subject is ChangeSubject.FOLLOW_UP:
        yield each.text
