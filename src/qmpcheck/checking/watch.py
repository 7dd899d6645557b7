"""What the rules over time take from a stretch of decoded events: a part of a session, not yet settled.

Runs over every event, so it works on whole stretches where it can: each is written down as a text, a
letter an event, and searched for the letters that matter. Of a rule that any answer settles, all before
the last answer is settled and not looked at.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from qmpcheck.checking import clock
from qmpcheck.checking.clock import Clocks
from qmpcheck.checking.decoder import TAG
from qmpcheck.checking.followup import RESPONSE, SENT_LATE_BEHIND, Rule
from qmpcheck.checking.occurrence import Occurrence, time
from qmpcheck.checking.session import Part, Timing, Trace
from qmpcheck.diagnostic import Diagnostic

_SECONDS = attrgetter("timestamp.seconds")

_NOTHING, _REFUSED, _FIRST = " ", "?", ord("A")
"""The letters of what is no event, of an event that a decoder refused, and of the first decoded one."""

Event = Any
"""A struct made by a decoder; an `Occurrence`, where it refused an event; None for what is no event."""


class Seen(NamedTuple):
    """What matters of the events of consecutive lines.

    Attributes:
        events: how many there are.
        part: what the rules over time take from them.
        findings: what is wrong with their timestamps.
    """

    events: int
    part: Part
    findings: list[Diagnostic]


class _Watched(NamedTuple):
    """A rule, and the letters it searches for.

    Attributes:
        others: the events that matter whatever they carry.
        events: the letters of all that it watches.
        looked_back_on: those of what its trigger may look back on.
        settling: those of the answers, if any of them settles all triggers before it.
    """

    rule: Rule
    others: frozenset[str]
    events: re.Pattern[str]
    looked_back_on: re.Pattern[str]
    settling: str


class Watch:
    """Takes parts of sessions from lists of events.

    Args:
        timing: the rules over time.
        names: the event that a decoded struct is, by its class.
    """

    def __init__(self, timing: Timing, names: dict[type, str]) -> None:
        self._timing = timing
        self._names = names
        letters = {kind: chr(_FIRST + at) for at, kind in enumerate(names)}
        every: dict[type, str] = {type(None): _NOTHING, Occurrence: _REFUSED, **letters}
        self._letter = every.__getitem__
        self._letters = {names[kind]: letter for kind, letter in letters.items()}
        self._limited = self._any_of(timing.limits)
        self._blind = {event for event, limit in timing.limits.items() if limit.is_blind}
        self._plain = self._any_of(self._letters.keys() - timing.late)
        self._watched = [*map(self._searched, timing.rules)]
        self._bounded = any(rule.within is not None for rule in timing.rules)

    def _searched(self, rule: Rule) -> _Watched:
        events, looked_back_on = self._any_of(rule.events), self._any_of(rule.looked_back_on)
        settling = self._written(rule.then) if _any_answer_settles(rule) else ""
        return _Watched(rule, rule.others, events, looked_back_on, settling)

    def _written(self, events: Iterable[str]) -> str:
        return "".join(self._letters.get(event, "") for event in events)

    def _any_of(self, events: Collection[str]) -> re.Pattern[str]:
        """Finds these events, and refused ones, which may be any event."""
        return re.compile(f"[{re.escape(_REFUSED + self._written(events))}]")

    def see(self, events: Sequence[Event]) -> Seen:
        """Look at the events of consecutive lines, one entry a line."""
        letters = "".join(map(self._letter, map(type, events)))
        occurrence = functools.cache(functools.partial(self._occurrence, events))  # rules watch the same ones
        traces = [self._trace(watched, events, letters, occurrence) for watched in self._watched]
        clocks, findings = self._clocks(events, letters)
        return Seen(len(events) - letters.count(_NOTHING), Part(tuple(traces), clocks), findings)

    def _trace(
        self,
        watched: _Watched,
        events: Sequence[Event],
        letters: str,
        occurrence: Callable[[int], Occurrence],
    ) -> Trace:
        begin = max((0, *map(letters.rfind, watched.settling)))
        places = [at for at in _places(watched.events, letters, begin) if self._matters(watched, events[at])]
        if watched.rule.limited:
            places = _last(SENT_LATE_BEHIND, watched.looked_back_on, letters[:begin]) + places
        return Trace(kept=tuple(map(occurrence, places)))

    def _matters(self, watched: _Watched, event: Event) -> bool:
        """Whether a rule has to know of an event."""
        if isinstance(event, Occurrence):
            return event.event in watched.others or watched.rule.triggered_by(event)
        if self._names[type(event)] in watched.others:
            return True
        return all(_decoded_member(event.data, path) in values for path, values in watched.rule.when)

    def _occurrence(self, events: Sequence[Event], at: int) -> Occurrence:
        event = events[at]
        if isinstance(event, Occurrence):
            return event.down(at)
        data = getattr(event, "data", msgspec.UNSET)
        members = {} if data is msgspec.UNSET else msgspec.to_builtins(data)
        return Occurrence(at + 1, self._names[type(event)], event.timestamp, members)

    def _clocks(self, events: Sequence[Event], letters: str) -> tuple[Clocks, list[Diagnostic]]:
        limited, findings = clock.of_limited(self._rate_limited(events, letters), self._timing.limits)
        row = [self._occurrence(events, at) for at in self._plain_row(events, letters)]
        for before, after in pairwise(row):
            findings += clock.backwards(before, after)
        first, last = (row[0], row[-1]) if row else (None, None)
        return Clocks(first, last, self._latest(events), limited), findings

    def _rate_limited(self, events: Sequence[Event], letters: str) -> Iterator[Occurrence]:
        for at in _places(self._limited, letters):
            event = events[at]
            name = self._names.get(type(event), "")
            if name in self._blind:
                yield Occurrence(at + 1, name, event.timestamp, {})
            elif name or event.event in self._timing.limits:
                yield self._occurrence(events, at)

    def _plain_row(self, events: Sequence[Event], letters: str) -> list[int]:
        """The places of the events that are not sent late and have a clock.

        Where time runs backwards nowhere, the first and the last of them stand for all.
        """
        seconds = [*map(_SECONDS, events if _NOTHING not in letters else filter(None, events))]
        if seconds and seconds[0] >= 0 and seconds == sorted(seconds):  # then so are those of the plain ones
            first = islice(self._sent_in_order(events, _places(self._plain, letters)), 1)
            last = islice(self._sent_in_order(events, _backwards(self._plain, letters)), 1)
            return [*first, *last]
        plain = self._sent_in_order(events, _places(self._plain, letters))
        return [at for at in plain if time(events[at].timestamp) is not None]

    def _sent_in_order(self, events: Sequence[Event], plain: Iterable[int]) -> Iterator[int]:
        """The places of events that are not sent late; of a refused one the name tells."""
        for at in plain:
            event = events[at]
            if not (isinstance(event, Occurrence) and event.event in self._timing.late):
                yield at

    def _latest(self, events: Sequence[Event]) -> int | None:
        """The greatest timestamp, where a rule has a bound."""
        if not self._bounded:
            return None
        times = (time(event.timestamp) for event in events if event is not None)
        return max((each for each in times if each is not None), default=None)


def _places(wanted: re.Pattern[str], letters: str, begin: int = 0) -> Iterator[int]:
    """Where letters stand that are among those wanted."""
    return (found.start() for found in wanted.finditer(letters, begin))


def _backwards(wanted: re.Pattern[str], letters: str) -> Iterator[int]:
    """The same, the last one first."""
    return (len(letters) - 1 - place for place in _places(wanted, letters[::-1]))


def _last(most: int, wanted: re.Pattern[str], letters: str) -> list[int]:
    """Where the last of these letters stand."""
    return [*islice(_backwards(wanted, letters), most)][::-1]


def _decoded_member(data: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of keys in decoded data; None where there is none."""
    for key in path:
        if isinstance(data, msgspec.Struct):
            data = getattr(data, _fields(type(data)).get(key, ""), None)
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The name that each member has in a decoded struct; the discriminator of a union is no field."""
    names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    discriminator = kind.__struct_config__.tag_field
    return names | {discriminator: TAG} if discriminator else names


def _any_answer_settles(rule: Rule) -> bool:
    """Whether any answer settles all triggers before it, whatever it carries and whenever it came."""
    return rule.kind == RESPONSE and not rule.same and rule.within is None
