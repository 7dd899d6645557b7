"""Events of consecutive lines written down as a text, a letter a line, which is searched as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import compress
from operator import attrgetter, not_
from typing import Any, NamedTuple

import msgspec

from qmpcheck.checking.occurrence import MICROSECONDS, Occurrence, time

Event = Any
"""A struct made by a decoder; an `Occurrence`, where it refused an event; None for what is no event."""

Reader = Callable[[Event], Any]
"""Reads something of a decoded event."""

_NOTHING, _REFUSED, _FIRST, _NEVER = " ", "?", ord("A"), "\0"
"""The letters of what is no event, of an event that a decoder refused, of the first decoded one, and none."""

SECONDS, _TIMESTAMP = attrgetter("timestamp.seconds"), attrgetter("timestamp")


class Wanted(NamedTuple):
    """Events to be searched for.

    Attributes:
        letters: finds their letters.
        takes: whether a refused event is one of them, by its name; that letter may be any event.
    """

    letters: re.Pattern[str]
    takes: Callable[[str], bool]


class Written(NamedTuple):
    """The events of consecutive lines.

    Attributes:
        events: an entry a line.
        letters: a letter a line.
        names: the event that a decoded struct is, by its class.
    """

    events: Sequence[Event]
    letters: str
    names: dict[type, str]

    @property
    def has_refused(self) -> bool:
        """Whether a decoder refused some of them."""
        return _REFUSED in self.letters

    @property
    def number(self) -> int:
        """How many events there are."""
        return len(self.letters) - self.letters.count(_NOTHING)

    def part(self, begin: int, end: int) -> Written:
        """Some of the lines."""
        return Written(self.events[begin:end], self.letters[begin:end], self.names)

    def places(self, wanted: Wanted, begin: int = 0) -> Iterator[int]:
        """Where such events stand."""
        return self._taken(wanted, map(re.Match.start, wanted.letters.finditer(self.letters, begin)))

    def backwards(self, wanted: Wanted, end: int | None = None) -> Iterator[int]:
        """Where they stand before `end`, the last one first."""
        letters = self.letters[:end][::-1]
        last = len(letters) - 1
        return self._taken(wanted, (last - found.start() for found in wanted.letters.finditer(letters)))

    def _taken(self, wanted: Wanted, places: Iterator[int]) -> Iterator[int]:
        if not self.has_refused:
            return places
        letters, events = self.letters, self.events
        return (at for at in places if letters[at] != _REFUSED or wanted.takes(events[at].event))

    def values(self, read: Reader, places: Iterable[int]) -> Iterator[Any]:
        """What a reader finds at places."""
        return map(read, map(self.events.__getitem__, places))

    def having(self, read: Reader, values: Collection[Any], places: Sequence[int]) -> list[int]:
        """The places where a reader finds one of the values."""
        return [*compress(places, map(values.__contains__, self.values(read, places)))]

    def lacking(self, read: Reader, values: Collection[Any], places: Sequence[int]) -> list[int]:
        """The places where it finds another one."""
        return [*compress(places, map(not_, map(values.__contains__, self.values(read, places))))]

    def with_clock(self, places: Iterable[int]) -> list[int]:
        """The places of events that have a clock."""
        return [at for at in places if time(self.events[at].timestamp) is not None]

    @property
    def runs_forward(self) -> bool:
        """Whether all events have a clock, and none is a second before the one before it."""
        events = self.events if _NOTHING not in self.letters else filter(None, self.events)
        seconds = [*map(SECONDS, events)]
        return not seconds or (seconds[0] >= 0 and seconds == sorted(seconds))

    def times(self, places: Iterable[int]) -> list[int]:
        """Timestamps, in microseconds since the epoch, at places of events that have a clock."""
        timestamps = self.values(_TIMESTAMP, places)
        return [each.seconds * MICROSECONDS + each.microseconds for each in timestamps]

    def bare(self, at: int) -> Occurrence:
        """The event at a place, without what it carries."""
        event = self.events[at]
        name = event.event if isinstance(event, Occurrence) else self.names[type(event)]
        return Occurrence(at + 1, name, event.timestamp, {})

    def occurrence(self, at: int) -> Occurrence:
        """The event at a place."""
        event = self.events[at]
        if isinstance(event, Occurrence):
            return event.down(at)
        data = getattr(event, "data", msgspec.UNSET)
        members = {} if data is msgspec.UNSET else msgspec.to_builtins(data)
        return Occurrence(at + 1, self.names[type(event)], event.timestamp, members)


class Alphabet:
    """The letter of each event.

    Args:
        names: the event that a decoded struct is, by its class.
    """

    def __init__(self, names: dict[type, str]) -> None:
        letters = {kind: chr(_FIRST + at) for at, kind in enumerate(names)}
        every: dict[type, str] = {type(None): _NOTHING, Occurrence: _REFUSED, **letters}
        self._letter = every.__getitem__
        self._letters = {names[kind]: letter for kind, letter in letters.items()}
        self._names = names
        self.kinds = {name: kind for kind, name in names.items()}

    def write(self, events: Sequence[Event]) -> Written:
        """Write events down, an entry a line."""
        return Written(events, "".join(map(self._letter, map(type, events))), self._names)

    def letters(self, events: Iterable[str]) -> str:
        """The letters of some events; one that is always refused has none."""
        return "".join(self._letters.get(event, "") for event in events)

    def any_of(self, events: Collection[str]) -> Wanted:
        """Some events."""
        return Wanted(_any_of(_REFUSED + self.letters(events)), events.__contains__)

    def any_but(self, events: Collection[str]) -> Wanted:
        """All events but these."""
        others = self.letters(self._letters.keys() - events)
        return Wanted(_any_of(_REFUSED + others), lambda event: event not in events)

    def decoded(self, event: str) -> Wanted:
        """An event where it was decoded."""
        return Wanted(_any_of(self.letters([event])), lambda _: False)

    def refused(self, events: Collection[str]) -> Wanted:
        """Events where they were refused."""
        return Wanted(_any_of(_REFUSED), events.__contains__)


def _any_of(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(letters or _NEVER)}]")
