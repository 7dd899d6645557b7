"""What a client reads of events, and which changes concern it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from qmpcheck.drift.change import Change
from qmpcheck.keypath import ITEMS, KeyPath


class EventUsage(NamedTuple):
    """What a client reads of one event.

    Attributes:
        values: the path of each member, with the strings that it had; always with `data`.
        whole: paths at which it reads everything, and all that is inside.
        parts: paths of objects of which it reads only the members that have paths of their own.
        handled: paths, each with a value there that the client is known to handle.
    """

    values: Mapping[KeyPath, frozenset[str]]
    whole: frozenset[KeyPath] = frozenset()
    parts: frozenset[KeyPath] = frozenset()
    handled: frozenset[tuple[KeyPath, str]] = frozenset()

    def has(self, path: KeyPath) -> bool:
        """Whether the client reads something at a path."""
        return path in self.values or self._anything(path)

    def takes_all_of(self, path: KeyPath) -> bool:
        """Whether the client reads all members of the object at a path."""
        return (path in self.values and path not in self.parts) or self._anything(path)

    def takes(self, path: KeyPath, value: str) -> bool:
        """Whether the client receives this string at a path."""
        return value in self.values.get(path, ()) or self._anything(path)

    def _anything(self, path: KeyPath) -> bool:
        return any(path[: len(each)] == each for each in self.whole)


ClientUsage = Mapping[str, EventUsage]
"""What a client reads, by event."""


def of_client(changes: Iterable[Change], uses: ClientUsage, strict: bool = False) -> tuple[Change, ...]:
    """Return the changes that concern a client; a new value that it handles is safe.

    Args:
        changes: between two specs.
        uses: what the client reads.
        strict: whether the client rejects members that it does not know, so that new ones concern it.
    """
    return tuple(_for_client(change, uses) for change in changes if touches(change, uses, strict))


def _for_client(change: Change, uses: ClientUsage) -> Change:
    if not change.kind.adds_value or (change.path, change.value) not in uses[change.event].handled:
        return change
    return msgspec.structs.replace(change, is_handled=True, text=f"{change.text}, which the client handles")


def touches(change: Change, uses: ClientUsage, strict: bool = False) -> bool:
    """Whether a change concerns anything that a client reads.

    Args:
        change: between two specs.
        uses: what the client reads.
        strict: whether the client rejects members that it does not know, so that new ones concern it.
    """
    seen = uses.get(change.event)
    # A client cannot read an event that is only now added.
    if seen is None or change.kind.adds_event:
        return False
    # A change in a branch concerns only clients that receive the value that selects the branch.
    if not all(seen.takes((*each.within, each.tag), each.value) for each in change.where):
        return False
    if not change.path:
        return True
    # Removed or deprecated, a value matters to those who receive it; a new one to all that read the member.
    if change.value and not change.kind.adds_value:
        return seen.takes(change.path, change.value)
    meets = seen.has if strict else seen.takes_all_of
    if change.kind.concerns_object and meets(change.path[:-1]):
        return True
    # A client that reads a member under its new name is concerned by the removal of the old one, too.
    other_name = (*change.path[:-1], change.counterpart) if change.counterpart else change.path
    return seen.has(change.path) or seen.has(other_name)


_MOST_VALUES, _MOST_PATHS, _DEEPEST = 256, 4096, 32
"""Limits for the values of a path, the paths of an event, and levels: beyond, everything counts as read."""


class UsageBuilder:
    """Collects what a client reads of one event."""

    def __init__(self) -> None:
        self.values: dict[KeyPath, set[str]] = {("data",): set()}
        self.whole: set[KeyPath] = set()
        self.parts: set[KeyPath] = set()
        self.handled: set[tuple[KeyPath, str]] = set()

    def add(self, value: Any, path: KeyPath, depth: int) -> None:
        """Add a value at a path, and everything inside; `depth` is its level."""
        # Beyond the limits all counts as read: better one change too many than one that is missed.
        if len(self.values) > _MOST_PATHS:
            self.whole.add(("data",))
            return
        strings = self.values.setdefault(path, set())
        if depth > _DEEPEST or len(strings) > _MOST_VALUES:
            self.whole.add(path)
        elif isinstance(value, dict):
            for key, each in value.items():
                self.add(each, (*path, key), depth + 1)
        elif isinstance(value, list):
            for each in value:
                self.add(each, (*path, ITEMS), depth + 1)
        elif isinstance(value, str):
            strings.add(value)

    def result(self) -> EventUsage:
        """Return what was collected so far."""
        values = {path: frozenset(each) for path, each in self.values.items()}
        return EventUsage(values, frozenset(self.whole), frozenset(self.parts), frozenset(self.handled))
