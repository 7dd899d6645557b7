"""The page of all releases: which event lived when, and what each release changed of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from qmpcheck import keypath
from qmpcheck.codes import CODES, Impact
from qmpcheck.drift import client_usage_file
from qmpcheck.drift.change import Change
from qmpcheck.drift.client_usage_file import ClientNames
from qmpcheck.drift.history import HistoryEntry
from qmpcheck.drift.lifelines import CAME, WENT, Lifeline, ReleaseDrift, lifelines, releases
from qmpcheck.reports.html import page, timelines
from qmpcheck.reports.report import Report
from qmpcheck.rulebase import NOWHERE


class ChangeView(NamedTuple):
    """A change as a page shows it: its level, the clients that it concerns, and where the spec has it."""

    change: Change
    level: Impact
    clients: Sequence[str]
    place: str


class Mark(msgspec.Struct, frozen=True):
    """What a release changed of an event.

    Attributes:
        id: what links lead to.
        event: the event.
        before: the release before.
        release: the release.
        at: its place among the releases.
        changes: what it changed.
    """

    id: str
    event: str
    before: str
    release: str
    at: int
    changes: tuple[ChangeView, ...]

    @property
    def level(self) -> Impact:
        """The worst of the changes."""
        return max(each.level for each in self.changes)

    @property
    def sign(self) -> str:
        """What the matrix shows: that the event came or went, or else the number of changes."""
        signs = {CAME: "+", WENT: "\N{MINUS SIGN}"}
        return next(
            (signs[each.change.code] for each in self.changes if each.change.code in signs),
            str(len(self.changes)),
        )

    @property
    def keys(self) -> str:
        """What filters look at: the level of each change, and the clients that it concerns."""
        return "|".join(" ".join((str(each.level), *each.clients)) for each in self.changes)


class HistoryRow(NamedTuple):
    """An event: for each release whether it has the event, whether deprecated, and what it changed."""

    event: str
    cells: tuple[tuple[str, Mark | None], ...]

    @property
    def marks(self) -> list[Mark]:
        """What changed, oldest first."""
        return [mark for _, mark in self.cells if mark]


def render(report: Report) -> str:
    """The page of `history`."""
    steps: tuple[HistoryEntry, ...] = report.source
    event = keypath.names(report.against)[0] if report.against else ""
    line = releases()
    clients = ClientNames([release.rule_base for release in line])
    rows = [
        HistoryRow(life.event, tuple(_cells(life, line, clients)))
        for life in lifelines(line)
        if event in {"", life.event}
    ]
    marks = [mark for each in rows for mark in each.marks]
    used = {each.change.code for mark in marks for each in mark.changes}
    return page.render(
        "history.html.j2",
        ("common.js", "changes.js"),
        rows=rows,
        releases=line,
        subject=report.against,
        steps=steps,
        clients=client_usage_file.clients(),
        total=sum(len(mark.changes) for mark in marks),
        codes={code: CODES[code] for code in sorted(used)},
    )


def _cells(
    life: Lifeline, line: Sequence[ReleaseDrift], clients: ClientNames
) -> Iterator[tuple[str, Mark | None]]:
    for at, release in enumerate(line):
        state = "" if not life.first <= at < life.end else "alive old" if at >= life.deprecated else "alive"
        changes = tuple(_change(each, clients) for each in life.changes.get(at, ()))
        # The first release has no changes, so nobody sees what is before it here.
        mark = Mark(f"{life.event}-{release.name}", life.event, line[at - 1].name, release.name, at, changes)
        yield state, mark if changes else None


def _change(change: Change, clients: ClientNames) -> ChangeView:
    place = change.new if change.new != NOWHERE else change.old  # of what was removed, where it was
    return ChangeView(change, change.level(), clients.of(change), timelines.place(place.file, place.line))
