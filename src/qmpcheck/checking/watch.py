"""What the rules over time take from a stretch of decoded events: a part of a session, not yet settled.

Runs over every event, so it works on whole stretches where it can: each is written down as a text, a
letter an event, and searched for the letters that matter. Of a rule that any answer settles, all before
the last answer is settled and not looked at.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from qmpcheck.checking import clock
from qmpcheck.checking.clock import Clocks
from qmpcheck.checking.decoder import TAG
from qmpcheck.checking.followup import RESPONSE, SENT_LATE_BEHIND, Erratum, Rule
from qmpcheck.checking.occurrence import Occurrence, time
from qmpcheck.checking.session import Part, Timing, Trace
from qmpcheck.diagnostic import Diagnostic

_SECONDS = attrgetter("timestamp.seconds")

_NOTHING, _REFUSED, _FIRST = " ", "?", ord("A")
"""The letters of what is no event, of an event that a decoder refused, and of the first decoded one."""

Event = Any
"""A struct made by a decoder; an `Occurrence`, where it refused an event; None for what is no event."""


_Reader = Callable[[Event], Any]
_Predicate = Callable[[Event], bool]
_Key = Callable[[Event], "clock.Key | None"]

_Row = list[tuple[int, int]]
"""Times, in microseconds, and places."""


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
        picky: the classes of which not all events matter, and which of them do.
        events: the letters of all that it watches.
        looked_back_on: those of what its trigger may look back on.
        settling: those of the answers, if any of them settles all triggers before it.
        cases: known cases that another event makes, and its letter.
    """

    rule: Rule
    picky: dict[type, _Predicate]
    events: re.Pattern[str]
    looked_back_on: re.Pattern[str]
    settling: str
    cases: list[tuple[Erratum, re.Pattern[str]]]


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
        self._keys: dict[type, _Key] = {Occurrence: self._key_of_refused}
        self._keys |= {kind: self._key(kind) for kind, name in names.items() if name in timing.limits}
        self._plain = self._any_of(self._letters.keys() - timing.late)
        self._watched = [*map(self._searched, timing.rules)]
        self._bounded = any(rule.within is not None for rule in timing.rules)

    def _searched(self, rule: Rule) -> _Watched:
        events, looked_back_on = self._any_of(rule.events), self._any_of(rule.looked_back_on)
        settling = self._written(rule.then) if _any_answer_settles(rule) else ""
        picky: dict[type, _Predicate] = {
            kind: _matching([(_reader(kind, path), values) for path, values in rule.when])
            for kind, name in self._names.items()
            if name == rule.trigger and name not in rule.others
        }
        others = rule.others
        picky[Occurrence] = lambda event: event.event in others or rule.triggered_by(event)
        cases = [(each, self._any_of({each.beside[0]})) for each in rule.errata if each.beside]
        return _Watched(rule, picky, events, looked_back_on, settling, cases)

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
        places = [*_places(watched.events, letters, begin)]
        picky = watched.picky
        places = [at for at in places if type(events[at]) not in picky or picky[type(events[at])](events[at])]
        if watched.rule.limited:
            places = self._looked_back_on(watched, events, letters[:begin]) + places
        places = sorted({*places, *_cases(watched, letters, occurrence)})
        return Trace(kept=tuple(map(occurrence, places)))

    def _looked_back_on(self, watched: _Watched, events: Sequence[Event], letters: str) -> list[int]:
        """Where that stands which a trigger behind these letters may look back on, if it is sent late."""
        places = (
            at
            for at in _backwards(watched.looked_back_on, letters)
            if letters[at] != _REFUSED or events[at].event in watched.rule.looked_back_on
        )
        return [*islice(places, SENT_LATE_BEHIND)][::-1]

    def _occurrence(self, events: Sequence[Event], at: int) -> Occurrence:
        event = events[at]
        if isinstance(event, Occurrence):
            return event.down(at)
        data = getattr(event, "data", msgspec.UNSET)
        members = {} if data is msgspec.UNSET else msgspec.to_builtins(data)
        return Occurrence(at + 1, self._names[type(event)], event.timestamp, members)

    def _clocks(self, events: Sequence[Event], letters: str) -> tuple[Clocks, list[Diagnostic]]:
        limited, findings = self._rate_limited(events, letters)
        row = [self._occurrence(events, at) for at in self._plain_row(events, letters)]
        for before, after in pairwise(row):
            findings += clock.backwards(before, after)
        first, last = (row[0], row[-1]) if row else (None, None)
        return Clocks(first, last, self._peaks(events), limited), findings

    def _rate_limited(
        self, events: Sequence[Event], letters: str
    ) -> tuple[dict[clock.Key, clock.Ends], list[Diagnostic]]:
        """The ends of each row of events that share a rate limit, and what is wrong within the rows."""
        limited: dict[clock.Key, clock.Ends] = {}
        findings: list[Diagnostic] = []
        for key, row in self._rows(events, letters).items():
            if clock.is_crowded([moment for moment, _ in row]):
                findings += clock.crowded(_bare(events, key, row))
            limited[key] = tuple(_bare(events, key, clock.ends(row)))
        return limited, findings

    def _rows(self, events: Sequence[Event], letters: str) -> dict[clock.Key, _Row]:
        """The times and places of the events that share a rate limit and have a clock."""
        rows: dict[clock.Key, _Row] = defaultdict(list)
        keys = self._keys
        for at in _places(self._limited, letters):
            event = events[at]
            key = keys[type(event)](event)
            moment = time(event.timestamp) if key else None
            if key and moment is not None:
                rows[key].append((moment, at))
        return rows

    def _key(self, kind: type) -> _Key:
        """What tells which rate limit a decoded event of a class falls under."""
        name = self._names[kind]
        limit = self._timing.limits[name]
        if limit.is_blind:
            shared = (name,)
            return lambda _: shared
        at_once = [(_reader(kind, (member,)), values) for member, values in limit.unless.items()]
        members = [_reader(kind, (member,)) for member in limit.key]

        def key(event: Event) -> clock.Key | None:
            for read, values in at_once:
                if read(event) in values:
                    return None
            return (name, *(_told_apart(read(event)) for read in members))

        return key

    def _key_of_refused(self, event: Occurrence) -> clock.Key | None:
        """The same for an event that a decoder refused."""
        limit = self._timing.limits.get(event.event)
        if limit is None:
            return None
        data = event.data
        if any(data.get(member) in values for member, values in limit.unless.items()):
            return None
        return (event.event, *(_told_apart(data.get(member)) for member in limit.key))

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

    def _peaks(self, events: Sequence[Event]) -> clock.Peaks:
        """The greatest timestamps behind each line, where a rule has a bound."""
        peaks: list[tuple[int, int]] = []
        for at in range(len(events) - 1, -1, -1) if self._bounded else ():
            moment = events[at] and time(events[at].timestamp)
            if moment is not None and (not peaks or moment > peaks[-1][1]):
                peaks.append((at + 1, moment))
        return tuple(reversed(peaks))


def _cases(watched: _Watched, letters: str, occurrence: Callable[[int], Occurrence]) -> Iterator[int]:
    """Where a case begins in which a rule is known not to be kept: before an answer, too."""
    for erratum, beside in watched.cases:
        yield from islice((at for at in _places(beside, letters) if erratum.is_beside(occurrence(at))), 1)


def _places(wanted: re.Pattern[str], letters: str, begin: int = 0) -> Iterator[int]:
    """Where letters stand that are among those wanted."""
    return (found.start() for found in wanted.finditer(letters, begin))


def _backwards(wanted: re.Pattern[str], letters: str) -> Iterator[int]:
    """The same, the last one first."""
    return (len(letters) - 1 - place for place in _places(wanted, letters[::-1]))


def _bare(events: Sequence[Event], key: clock.Key, row: Sequence[tuple[int, int]]) -> list[Occurrence]:
    """The events of a row, without what they carry."""
    name = key[0]
    return [Occurrence(at + 1, name, events[at].timestamp, {}) for _, at in row]


def _told_apart(value: Any) -> str:
    """A member's value as a part of a key; of QEMU they are strings."""
    return value if isinstance(value, str) else f"\0{value!r}"


def _matching(conditions: Sequence[tuple[_Reader, tuple[Any, ...]]]) -> _Predicate:
    """Whether all conditions hold for an event: a value is among others."""
    if len(conditions) == 1:
        ((only, among),) = conditions
        return lambda event: only(event) in among
    return lambda event: all(read(event) in values for read, values in conditions)


def _reader(kind: type, path: tuple[str, ...]) -> _Reader:
    """Reads the value at a path into the data of decoded events of a class; None where there is none."""
    attribute = _attribute(kind, ("data", *path))
    return attrgetter(attribute) if attribute else lambda event: _decoded_member(event.data, path)


def _attribute(kind: Any, path: tuple[str, ...]) -> str:
    """The dotted attribute that always holds it; "" where something on the way may be absent."""
    names = []
    for key in path:
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            return ""
        field = next((each for each in msgspec.structs.fields(kind) if each.encode_name == key), None)
        if field is None or not field.required:
            return ""
        names.append(field.name)
        kind = field.type
    return ".".join(names)


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
