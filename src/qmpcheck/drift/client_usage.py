"""What a client receives of events, and which changes it meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from qmpcheck.drift.change import Change
from qmpcheck.keypath import ITEMS, KeyPath


class EventUsage(NamedTuple):
    """What is received of one event.

    Attributes:
        values: the path of each member, and the strings that it is; `data` is one whether it came or not.
        whole: paths where anything is received, there and inside.
        parts: paths of objects that are received in part: those members that have paths of their own.
        handled: paths, and the values there that the client is known to handle.
    """

    values: Mapping[KeyPath, frozenset[str]]
    whole: frozenset[KeyPath] = frozenset()
    parts: frozenset[KeyPath] = frozenset()
    handled: frozenset[tuple[KeyPath, str]] = frozenset()

    def has(self, path: KeyPath) -> bool:
        """Whether something is received at a path."""
        return path in self.values or self._anything(path)

    def takes_all_of(self, path: KeyPath) -> bool:
        """Whether the object at a path is received with any member that it has."""
        return (path in self.values and path not in self.parts) or self._anything(path)

    def takes(self, path: KeyPath, value: str) -> bool:
        """Whether that string is received at a path."""
        return value in self.values.get(path, ()) or self._anything(path)

    def _anything(self, path: KeyPath) -> bool:
        return any(path[: len(each)] == each for each in self.whole)


ClientUsage = Mapping[str, EventUsage]
"""What is received of each event."""


def of_client(changes: Iterable[Change], uses: ClientUsage, strict: bool = False) -> tuple[Change, ...]:
    """The changes that concern what a client receives; that a value comes which it handles is safe.

    Args:
        changes: between two specs.
        uses: what is received.
        strict: whether the client rejects members that it does not know, and so meets those it does not name.
    """
    return tuple(_for_client(change, uses) for change in changes if touches(change, uses, strict))


def _for_client(change: Change, uses: ClientUsage) -> Change:
    if not change.kind.adds_value or (change.path, change.value) not in uses[change.event].handled:
        return change
    return msgspec.structs.replace(change, is_handled=True, text=f"{change.text}, which the client handles")


def touches(change: Change, uses: ClientUsage, strict: bool = False) -> bool:
    """Whether a change concerns anything that is received.

    Args:
        change: between two specs.
        uses: what is received.
        strict: whether the client rejects members that it does not know, and so meets those it does not name.
    """
    seen = uses.get(change.event)
    if seen is None or change.kind.adds_event:
        return False
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
    other_name = (*change.path[:-1], change.counterpart) if change.counterpart else change.path
    return seen.has(change.path) or seen.has(other_name)


_MOST_VALUES, _MOST_PATHS, _DEEPEST = 256, 4096, 32
"""Of one path, of one event, and levels: beyond these, anything is taken for received."""


class UsageBuilder:
    """Collects what is received of one event, and makes an `EventUsage` of it."""

    def __init__(self) -> None:
        self.values: dict[KeyPath, set[str]] = {("data",): set()}
        self.whole: set[KeyPath] = set()
        self.parts: set[KeyPath] = set()
        self.handled: set[tuple[KeyPath, str]] = set()

    def look(self, value: Any, path: KeyPath, depth: int) -> None:
        """Add a value at a path, so many levels deep, and all that is in it."""
        if len(self.values) > _MOST_PATHS:
            self.whole.add(("data",))
            return
        strings = self.values.setdefault(path, set())
        if depth > _DEEPEST or len(strings) > _MOST_VALUES:
            self.whole.add(path)
        elif isinstance(value, dict):
            for key, each in value.items():
                self.look(each, (*path, key), depth + 1)
        elif isinstance(value, list):
            for each in value:
                self.look(each, (*path, ITEMS), depth + 1)
        elif isinstance(value, str):
            strings.add(value)

    def seen(self) -> EventUsage:
        """The usage that was collected so far."""
        values = {path: frozenset(each) for path, each in self.values.items()}
        return EventUsage(values, frozenset(self.whole), frozenset(self.parts), frozenset(self.handled))
