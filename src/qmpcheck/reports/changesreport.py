"""What `diff` found, as the value that the reports for CI are made from."""

from __future__ import annotations

import functools

from qmpcheck.codes import Impact
from qmpcheck.drift.change import NOWHERE, Change
from qmpcheck.reports import changesjson, fingerprint
from qmpcheck.reports.changes import Changes
from qmpcheck.reports.report import Report, Reported, Suite


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


def of_change(each: Change, spec: str, strict: bool = False) -> Reported:
    """A change. Its place is in the new spec, or in the old one for what was removed.

    Args:
        each: the change.
        spec: names the spec, where that has no files.
        strict: whether the client is.
    """
    place = each.new if each.new != NOWHERE else each.old
    return Reported(
        code=each.code,
        level=each.level(strict).severity,
        message=each.text,
        file=place.file or spec,
        line=place.line,
        identity=fingerprint.of_change(each),
        path=each.shown_path,
    )
