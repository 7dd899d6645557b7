"""What the rules over time take from a stretch of decoded events: a part of a session, not yet settled.

Runs over every event, so it works on whole lists where it can. Of a rule that any answer settles, all
before the last answer is settled and not looked at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import compress, count, islice, pairwise
from operator import attrgetter
from typing import Any

import msgspec

from qmpcheck.checking import clock
from qmpcheck.checking.clock import Clocks
from qmpcheck.checking.decoder import TAG
from qmpcheck.checking.followup import RESPONSE, SENT_LATE_BEHIND, Rule
from qmpcheck.checking.occurrence import Occurrence, time
from qmpcheck.checking.session import Part, Timing, Trace
from qmpcheck.diagnostic import Diagnostic

_SECONDS = attrgetter("timestamp.seconds")

Event = Any
"""A struct made by a decoder; an `Occurrence`, where it refused an event; None for what is no event."""


class Watch:
    """Takes parts of sessions from lists of events.

    Args:
        timing: the rules over time.
        names: the event that a decoded struct is, by its class.
    """

    def __init__(self, timing: Timing, names: dict[type, str]) -> None:
        self._timing = timing
        self._names = names
        self._limited = self._classes(timing.limits) if timing.limits else frozenset()
        self._apart = self._classes(timing.late) | {type(None)}
        self._watched = [self._classes(rule.events) for rule in timing.rules]
        self._others = [rule.others for rule in timing.rules]
        self._answers = [self._classes(rule.then) - {Occurrence} for rule in timing.rules]
        self._looked_back = [self._classes(rule.looked_back_on) for rule in timing.rules]
        self._bounded = any(rule.within is not None for rule in timing.rules)

    def _classes(self, events: Collection[str]) -> frozenset[type]:
        """The classes of the events, and that of refused ones, which may be any event."""
        return frozenset(kind for kind, name in self._names.items() if name in events) | {Occurrence}

    def part(self, events: Sequence[Event]) -> tuple[Part, list[Diagnostic]]:
        """What matters of the events of consecutive lines, and what is wrong with their timestamps.

        Args:
            events: one entry a line.
        """
        kinds = list(map(type, events))
        present = frozenset(kinds)
        clocks, findings = self._clocks(events, kinds, present)
        backwards = kinds[::-1]
        occurrence = functools.cache(functools.partial(self._occurrence, events))  # rules watch the same ones
        traces = (
            Trace()
            if watched.isdisjoint(present)
            else self._trace(at, events, backwards, present, occurrence)
            for at, watched in enumerate(self._watched)
        )
        return Part(tuple(traces), clocks), findings

    def _trace(
        self,
        at: int,
        events: Sequence[Event],
        backwards: list[type],
        present: frozenset[type],
        occurrence: Callable[[int], Occurrence],
    ) -> Trace:
        rule, watched = self._timing.rules[at], self._watched[at]
        begin = self._last_answer(at, backwards, present) if _any_answer_settles(rule) else 0
        places = [index for index in range(begin, len(events)) if type(events[index]) in watched]
        places = [index for index in places if self._matters(at, events[index])]
        if rule.limited:
            places = self._looked_back_on(at, backwards[len(events) - begin :]) + places
        return Trace(kept=tuple(map(occurrence, places)))

    def _looked_back_on(self, at: int, backwards: list[type]) -> list[int]:
        """Where that stands which a trigger behind these events may look back on, if it is sent late."""
        places = islice(_places(self._looked_back[at], backwards), SENT_LATE_BEHIND)
        return [len(backwards) - 1 - place for place in places][::-1]

    def _matters(self, at: int, event: Event) -> bool:
        """Whether a rule has to know of an event."""
        rule = self._timing.rules[at]
        if isinstance(event, Occurrence):
            return event.event in self._others[at] or rule.triggered_by(event)
        if self._names[type(event)] in self._others[at]:
            return True
        return all(_decoded_member(event.data, path) in values for path, values in rule.when)

    def _last_answer(self, at: int, backwards: list[type], present: frozenset[type]) -> int:
        """Where the last answer stands; 0 where there is none."""
        answers = self._answers[at] & present
        return len(backwards) - 1 - min(map(backwards.index, answers)) if answers else 0

    def _occurrence(self, events: Sequence[Event], at: int) -> Occurrence:
        event = events[at]
        if isinstance(event, Occurrence):
            return event.down(at)
        data = getattr(event, "data", msgspec.UNSET)
        members = {} if data is msgspec.UNSET else msgspec.to_builtins(data)
        return Occurrence(at + 1, self._names[type(event)], event.timestamp, members)

    def _clocks(
        self, events: Sequence[Event], kinds: list[type], present: frozenset[type]
    ) -> tuple[Clocks, list[Diagnostic]]:
        limited: dict[Any, Any] = {}
        findings: list[Diagnostic] = []
        if not self._limited.isdisjoint(present):
            limited, findings = clock.of_limited(self._rate_limited(events, kinds), self._timing.limits)
        ends = self._ends_in_order(events, present, findings)
        first, last = (self._occurrence(events, at) for at in ends) if ends else (None, None)
        return Clocks(first, last, self._latest(events), limited), findings

    def _is_plain(self, event: Event) -> bool:
        if isinstance(event, Occurrence):
            return event.event not in self._timing.late
        return type(event) not in self._apart

    def _rate_limited(self, events: Sequence[Event], kinds: list[type]) -> Iterator[Occurrence]:
        for at in _places(self._limited, kinds):
            event = events[at]
            name = self._names.get(type(event), "")
            if name and self._timing.limits[name].is_blind:
                yield Occurrence(at + 1, name, event.timestamp, {})
            elif name or event.event in self._timing.limits:
                yield self._occurrence(events, at)

    def _ends_in_order(
        self, events: Sequence[Event], present: frozenset[type], findings: list[Diagnostic]
    ) -> tuple[int, int] | None:
        """The places of the first and last event that is not rate-limited and has a clock.

        Adds findings where time runs backwards between two such events.
        """
        places: Sequence[int] = range(len(events))
        if type(None) in present:
            places = [at for at, event in enumerate(events) if event is not None]
        plain = (at for at in places if self._is_plain(events[at]))
        whole = len(places) == len(events)
        seconds = [*map(_SECONDS, events if whole else map(events.__getitem__, places))]
        if seconds and seconds[0] >= 0 and seconds == sorted(seconds):  # then so are those of the plain ones
            first = next(plain, None)
            last = next((at for at in reversed(places) if self._is_plain(events[at])), None)
            return None if first is None or last is None else (first, last)
        clocked = [at for at in plain if time(events[at].timestamp) is not None]
        row = [self._occurrence(events, at) for at in clocked]
        for before, after in pairwise(row):
            findings += clock.backwards(before, after)
        return (clocked[0], clocked[-1]) if clocked else None

    def _latest(self, events: Sequence[Event]) -> int | None:
        """The greatest timestamp, where a rule has a bound."""
        if not self._bounded:
            return None
        times = (time(event.timestamp) for event in events if event is not None)
        return max((each for each in times if each is not None), default=None)


def _places(wanted: frozenset[type], kinds: Sequence[type]) -> Iterator[int]:
    """Where kinds stand that are among those wanted."""
    return compress(count(), map(wanted.__contains__, kinds))


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
