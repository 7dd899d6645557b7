"""The page of what changed from one spec to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from qmpcheck import text
from qmpcheck.codes import CODES, Impact
from qmpcheck.drift import client_usage_file
from qmpcheck.drift.client_usage_file import ClientNames
from qmpcheck.reports import changes as shared
from qmpcheck.reports.changes import ChangeRow, Changes
from qmpcheck.reports.html import page
from qmpcheck.reports.report import Report


class RowView(NamedTuple):
    """A row of the table, and the clients that it concerns."""

    row: ChangeRow
    clients: list[str]

    @property
    def keys(self) -> str:
        """What filters look at."""
        return " ".join((str(self.row.level), *self.clients))


class EventView(NamedTuple):
    """An event, and what changed of it."""

    name: str
    rows: list[RowView]


def render(report: Report) -> str:
    """The page of `diff`."""
    changes: Changes = report.source
    rows = shared.rows(changes)
    levels = Counter(row.level for row in rows)
    return page.render(
        "changes.html.j2",
        ("common.js", "changes.js"),
        changes=changes,
        summary=shared.summary(changes, rows),
        counts=[(level, levels[level]) for level in sorted(Impact, reverse=True) if levels[level]],
        events=[*_events(changes, rows)],
        clients=() if changes.client else client_usage_file.clients(),
        notes=shared.notes(changes),
        codes={code: CODES[code] for code in sorted({row.code for row in rows})},
    )


def _events(changes: Changes, rows: Sequence[ChangeRow]) -> Iterator[EventView]:
    concerned = _concerned(changes)
    for event, group in groupby(rows, key=lambda row: row.event):
        yield EventView(
            event, [RowView(row, concerned.get((event, row.code, row.path), [])) for row in group]
        )


def _concerned(changes: Changes) -> dict[tuple[str, str, str], list[str]]:
    """The clients that changes concern, by event, code and path; none where only one client is looked at."""
    if changes.client:
        return {}
    clients = ClientNames([changes.old.rule_base, changes.new.rule_base])
    # A row is known by these three: changes in several branches of a union share a key, and their clients.
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for each in changes.changes:
        key = (text.name(each.event), each.code, each.shown_path)
        found.setdefault(key, {}).update(dict.fromkeys(clients.of(each)))
    return {key: [*each] for key, each in found.items()}
