"""Turn what `diff` found into a `Report`, and into JSON, by the schema `changes.schema.json` beside this."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import IO, Any

import msgspec

import qmpcheck
from qmpcheck.codes import ChangeSubject, Impact
from qmpcheck.drift.change import Change
from qmpcheck.finding import Finding
from qmpcheck.keypath import as_text
from qmpcheck.reports import changes as shared
from qmpcheck.reports.changes import Changes
from qmpcheck.reports.jsonreport import of_spec
from qmpcheck.reports.report import Report, Suite
from qmpcheck.rulebase import NOWHERE, Place
from qmpcheck.text import safe


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
    return Report(
        "diff", against, (suite,), fail_on.severity, functools.partial(document, changes), source=changes
    )


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


def write_json(changes: Changes, out: IO[str]) -> None:
    """Write one JSON object, in ASCII: nothing in it can steer a terminal."""
    json.dump(document(changes), out, indent=1)
    out.write("\n")


def document(changes: Changes) -> dict[str, Any]:
    """Return the report as a value."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "old": of_spec(changes.old.named),
        "new": of_spec(changes.new.named),
        "profile": "strict" if changes.strict else "tolerant",
        "used_by": _client(changes),
        "compared": changes.compared,
        "unlisted": changes.unlisted,
        "notes": shared.notes(changes),
        "changes": [_change(change, changes.strict) for change in changes.changes],
    }


def _client(changes: Changes) -> dict[str, Any] | None:
    if changes.client is None:
        return None
    return {
        "path": safe(changes.client.path),
        "events": len(changes.client.uses),
        "changed": changes.changed_events,
    }


def _change(change: Change, strict: bool) -> dict[str, Any]:
    return {
        "code": change.code,
        "slug": change.slug,
        "level": str(change.level(strict)),
        "event": change.event,
        "path": change.shown_path,
        "message": change.text,
        "old": _place(change.old),
        "new": _place(change.new),
        "value": change.value or None,
        "where": [{**msgspec.structs.asdict(each), "within": as_text(each.within)} for each in change.where],
        "counterpart": change.counterpart or None,
    }


def _place(place: Place) -> dict[str, Any] | None:
    return None if place == NOWHERE else {"file": place.file or None, "line": place.line}
