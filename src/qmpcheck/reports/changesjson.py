"""Write the changes between two specs as JSON; `changes.schema.json` beside this file is its schema."""

from __future__ import annotations

import json
from typing import IO, Any

import msgspec

import qmpcheck
from qmpcheck import keypath
from qmpcheck.drift.change import Change
from qmpcheck.reports import changes as shared
from qmpcheck.reports.changes import Changes
from qmpcheck.rulebase import NOWHERE, Place
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import safe


def write(changes: Changes, out: IO[str]) -> None:
    """Write one JSON object, in ASCII: nothing in it can steer a terminal."""
    json.dump(report(changes), out, indent=1)
    out.write("\n")


def report(changes: Changes) -> dict[str, Any]:
    """Return the report as a value."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "old": _spec(changes.old),
        "new": _spec(changes.new),
        "profile": "strict" if changes.strict else "tolerant",
        "used_by": _client(changes),
        "compared": changes.compared,
        "unlisted": changes.unlisted,
        "notes": shared.notes(changes),
        "changes": [_change(change, changes.strict) for change in changes.changes],
    }


def _spec(spec: Spec) -> dict[str, Any]:
    return {
        "name": safe(spec.name),
        "id": spec.id,
        "not_understood": spec.rule_base.not_understood,
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
        "where": [
            {**msgspec.structs.asdict(each), "within": keypath.as_text(each.within)} for each in change.where
        ],
        "counterpart": change.counterpart or None,
    }


def _place(place: Place) -> dict[str, Any] | None:
    return None if place == NOWHERE else {"file": place.file or None, "line": place.line}
