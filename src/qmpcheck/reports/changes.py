"""Prepare the changes between two specs for all reports about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from qmpcheck.codes import ChangeDirection, ChangeSubject, Impact
from qmpcheck.drift.change import Change
from qmpcheck.drift.client_usage import ClientUsage
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import BranchCondition, Place
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import name, safe
from qmpcheck.wording import plural


class NamedClient(NamedTuple):
    """A client: the file that says what it reads, and what that is."""

    path: str
    uses: ClientUsage


class Changes(NamedTuple):
    """What changed from one spec to another, for a strict or a tolerant client.

    Attributes:
        old, new: the specs.
        changes: the changes; for a known client, only those that concern it.
        strict: whether the client is strict.
        client: the client; None for any.
        unlisted: how many changes are omitted, because every binary differs from every schema like this.
    """

    old: Spec
    new: Spec
    changes: tuple[Change, ...]
    strict: bool
    client: NamedClient | None = None
    unlisted: int = 0

    @property
    def changed_events(self) -> int:
        """The number of events that change on the wire."""
        return len({change.event for change in self.changes if change.level(self.strict) > Impact.DOC})

    @property
    def compared(self) -> int:
        """The number of events that at least one of the specs has."""
        return len(self.old.rule_base.events.keys() | self.new.rule_base.events.keys())


class ChangeRow(NamedTuple):
    """A change, or both halves of a renaming, as texts that are safe to print."""

    event: str
    code: str
    level: Impact
    path: str
    what: str
    old: str
    new: str


def summary(changes: Changes, rows: Sequence[ChangeRow]) -> str:
    """`v4 → 7.2: 3 breaking, 40 safe; 27 differ in the documents alone`."""
    specs = f"{safe(changes.old.name)} → {safe(changes.new.name)}"
    found = Counter(row.level for row in rows)
    levels = [
        f"{found[level]} {level}" for level in (Impact.BREAKING, Impact.RISKY, Impact.SAFE) if found[level]
    ]
    where = " on the wire" if rows else ""
    nothing = f"nothing changes{where} ({plural(changes.compared, 'event')} compared)"
    parts = [", ".join(levels) or ("" if changes.client else nothing)]
    if found[Impact.DOC]:
        differ = "differs" if found[Impact.DOC] == 1 else "differ"
        parts.append(f"{found[Impact.DOC]} {differ} only in the documents")
    if changes.client:
        parts.insert(0, _of_yours(len(changes.client.uses), changes.changed_events))
    return f"{specs}: {'; '.join(filter(None, parts))}"


def notes(changes: Changes) -> list[str]:
    """Return what readers should know about the changes, in sentences."""
    found = ["Behaviour that QEMU does not document is not covered."]
    if changes.unlisted:
        more = plural(changes.unlisted, "difference")
        why = "every binary says less about its types than a schema does"
        found.insert(0, f"{more} not listed (--all lists all): {why}.")
    return found


def _of_yours(events: int, changed: int) -> str:
    verb = "change" if changed > 1 else "changes"
    if events == 1:
        return f"your one event {'changes' if changed else 'does not change'}"
    return f"{changed or 'none'} of your {plural(events, 'event')} {verb}"


def rows(changes: Changes) -> list[ChangeRow]:
    """Return a row for each change, grouped by event; the worst event and the worst change come first."""
    made = [*_rows(changes.changes, changes.strict)]
    worst: dict[str, Impact] = {}
    for row in made:
        worst[row.event] = max(row.level, worst.get(row.event, Impact.DOC))
    first = {event: number for number, event in enumerate(worst)}
    return sorted(made, key=lambda row: (-worst[row.event], first[row.event], -row.level))


def _rows(changes: Iterable[Change], strict: bool) -> Iterator[ChangeRow]:
    added = (each for each in changes if _names(each, ChangeDirection.ADDED))
    came = {(each.event, each.path, each.where): each for each in added}
    # By identity, as two changes may be equal.
    renamed = {id(change): other for change in changes if (other := _other_half(change, came))}
    halves = {id(other) for other in renamed.values()}
    for change in changes:
        if id(change) in renamed:
            yield _renaming(change, renamed[id(change)], strict)
        elif id(change) not in halves:
            places = (_place(change.old), _place(change.new))
            level = change.level(strict)
            yield ChangeRow(name(change.event), change.code, level, change.shown_path, change.text, *places)


_ChangeKey = tuple[str, KeyPath, tuple[BranchCondition, ...]]


def _names(change: Change, direction: ChangeDirection) -> bool:
    """Whether the name of an event or a member was added, or removed."""
    is_name = change.kind.subject in (ChangeSubject.EVENT, ChangeSubject.MEMBER)
    return is_name and change.kind.direction is direction


def _other_half(went: Change, came: dict[_ChangeKey, Change]) -> Change | None:
    """Return the addition that replaces a removed name, if each names the other one."""
    if not went.counterpart or not _names(went, ChangeDirection.REMOVED):
        return None
    if not went.path:
        other = came.get((went.counterpart, (), went.where))
        return other if other and other.counterpart == went.event else None
    holder = went.path[:-1]
    other = came.get((went.event, (*holder, went.counterpart), went.where))
    return other if other and (*holder, other.counterpart) == went.path else None


def _renaming(went: Change, came: Change, strict: bool) -> ChangeRow:
    level = max(went.level(strict), came.level(strict))
    what = f"likely renamed to {name(went.counterpart)} ({came.code})"
    return ChangeRow(
        name(went.event), went.code, level, went.shown_path, what, _place(went.old), _place(came.new)
    )


def _place(place: Place) -> str:
    return safe(str(place))
