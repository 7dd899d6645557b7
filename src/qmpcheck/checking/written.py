"""Events of consecutive lines written down as a text, a letter each, which is searched as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from operator import attrgetter
from sys import maxsize
from typing import Any, NamedTuple

import msgspec

from qmpcheck.checking.occurrence import MICROSECONDS, Moment, Occurrence, Refused, Timestamp, time

Event = Any
"""A struct made by a decoder; or a `Refused`, where it refused an event; or `GREETING`."""


class Greeting(NamedTuple):
    """Stands among events where a session begins."""

    timestamp: Timestamp = Timestamp()


GREETING = Greeting()

Reader = Callable[[Event], Any]
"""Reads something of a decoded event."""

BEGIN, REFUSED = "!", "?"
"""The letters of a greeting, and of an event that a decoder refused; each decoded event has its own."""

_BEGINS = re.compile(BEGIN)

_SECONDS, _TIMESTAMP = attrgetter("timestamp.seconds"), attrgetter("timestamp")


class Wanted(NamedTuple):
    """Events to be searched for.

    Attributes:
        letters: finds their letters.
        takes: whether a refused event is one of them, by its name; that letter may be any event.
    """

    letters: re.Pattern[str]
    takes: Callable[[str], bool]


class Written:
    """The events of consecutive lines, and the greetings between them.

    Rules are often about the same events, so what was once looked up is kept.

    Attributes:
        events: an entry each.
        lines: the line of each, from 1.
        letters: a letter each.
        end: the last line, whatever stands there.
    """

    def __init__(
        self, events: Sequence[Event], lines: Sequence[int], letters: str, end: int, names: dict[type, str]
    ) -> None:
        self.events = events
        self.lines = lines
        self.letters = letters
        self.end = end
        self._names = names
        self._places: dict[str, Sequence[int]] = {}
        self._values: dict[tuple[str, Reader], Sequence[Any]] = {}
        self._occurrences: dict[int, Occurrence] = {}

    @cached_property
    def has_refused(self) -> bool:
        """Whether a decoder refused some of them."""
        return REFUSED in self.letters

    @property
    def number(self) -> int:
        """How many events there are."""
        return len(self.letters) - self.letters.count(BEGIN)

    @cached_property
    def begins(self) -> Sequence[int]:
        """Where sessions begin."""
        return [*map(re.Match.start, _BEGINS.finditer(self.letters))]

    def begins_between(self, at: int, later: int) -> bool:
        """Whether a session begins between two places."""
        return self.letters.find(BEGIN, at, later) >= 0

    @cached_property
    def seconds(self) -> Sequence[int]:
        """The seconds of all timestamps; -1 where there is no clock."""
        return [*map(_SECONDS, self.events)]

    @cached_property
    def runs_forward(self) -> bool:
        """Whether all events have a clock, and none is a second before the one before it."""
        seconds = self.seconds
        return not seconds or (seconds[0] >= 0 and seconds == sorted(seconds))

    def part(self, begin: int, end: int) -> Written:
        """What stands from one place to another."""
        events, lines, letters = self.events[begin:end], self.lines[begin:end], self.letters[begin:end]
        last = self.lines[end] - 1 if end < len(self.lines) else self.end
        return Written(events, lines, letters, last, self._names)

    def sessions(self, places: Iterable[int]) -> Iterator[Written]:
        """The whole sessions that hold some places, without their greetings."""
        for begin in sorted({self.letters.rfind(BEGIN, 0, at + 1) for at in places}):
            end = self.letters.find(BEGIN, begin + 1)
            yield self.part(begin + 1, end if end > 0 else len(self.events))

    def unanswered(self, waiting: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """The stretches at the ends of whole sessions in which triggers wait for an answer."""
        length = len(self.letters) + 1
        for found in waiting.finditer(self._from_the_end):
            yield length - found.end(), length - found.start() - 1

    @cached_property
    def _from_the_end(self) -> str:
        """The letters of whole sessions from the last one to the first, with the begin of what comes next."""
        return BEGIN + self.letters[::-1]

    def decoded(self, letter: str, begin: int = 0) -> Sequence[int]:
        """Where the decoded events of a letter stand, from a place on."""
        if letter not in self.letters:
            return ()
        if begin:
            return _search(self.letters, letter, begin)
        if letter not in self._places:
            self._places[letter] = _search(self.letters, letter)
        return self._places[letter]

    def read(self, letter: str, reader: Reader, begin: int = 0) -> Sequence[Any]:
        """What a reader finds in them."""
        if begin:
            return [*self.values(reader, self.decoded(letter, begin))]
        if (letter, reader) not in self._values:
            self._values[letter, reader] = [*self.values(reader, self.decoded(letter))]
        return self._values[letter, reader]

    def values(self, reader: Reader, places: Iterable[int]) -> Iterator[Any]:
        """What a reader finds at places."""
        return map(reader, map(self.events.__getitem__, places))

    def places(self, wanted: Wanted, begin: int = 0, end: int = maxsize) -> Iterator[int]:
        """Where such events stand."""
        return self._taken(wanted, map(re.Match.start, wanted.letters.finditer(self.letters, begin, end)))

    def backwards(self, wanted: Wanted, end: int | None = None) -> Iterator[int]:
        """Where they stand before `end`, the last one first."""
        letters = self.letters[:end][::-1]
        last = len(letters) - 1
        return self._taken(wanted, (last - found.start() for found in wanted.letters.finditer(letters)))

    def _taken(self, wanted: Wanted, places: Iterator[int]) -> Iterator[int]:
        if not self.has_refused:
            return places
        letters, events = self.letters, self.events
        return (at for at in places if letters[at] != REFUSED or wanted.takes(events[at].event))

    def with_clock(self, places: Iterable[int]) -> list[int]:
        """The places of events that have a clock."""
        return [at for at in places if time(self.events[at].timestamp) is not None]

    def times(self, places: Iterable[int]) -> list[int]:
        """Timestamps, in microseconds since the epoch, at places of events that have a clock."""
        timestamps = self.values(_TIMESTAMP, places)
        return [each.seconds * MICROSECONDS + each.microseconds for each in timestamps]

    def moments(self, places: Sequence[int]) -> Iterator[Moment]:
        """The same, each with its line."""
        return zip(map(self.lines.__getitem__, places), self.times(places), strict=True)

    def bare(self, at: int) -> Occurrence:
        """The event at a place, without what it carries."""
        event = self.events[at]
        name = event.event if isinstance(event, Refused) else self._names[type(event)]
        return Occurrence(self.lines[at], name, time(event.timestamp), {})

    def occurrence(self, at: int) -> Occurrence:
        """The event at a place."""
        if at not in self._occurrences:
            self._occurrences[at] = msgspec.structs.replace(self.bare(at), data=_data(self.events[at]))
        return self._occurrences[at]


def _data(event: Event) -> dict[str, Any]:
    if isinstance(event, Refused):
        return event.data
    data = getattr(event, "data", msgspec.UNSET)
    members: dict[str, Any] = {} if data is msgspec.UNSET else msgspec.to_builtins(data)
    return members


def _search(letters: str, letter: str, begin: int = 0) -> Sequence[int]:
    """Where a letter stands, from a place on."""
    if not begin and letters.count(letter) * _MANY > len(letters):
        return [at for at, each in enumerate(letters) if each == letter]
    return [*map(re.Match.start, _finder(letter).finditer(letters, begin))]


@cache
def _finder(letter: str) -> re.Pattern[str]:
    return re.compile(re.escape(letter))


_MANY = 3
"""Where more than one letter in so many is searched for, looking at each is faster."""
