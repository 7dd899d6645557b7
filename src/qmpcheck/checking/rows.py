"""Rows of events whose timestamps are held against each other.

The events of a session that share a rate limit are a row each, those that are not sent late are another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice, pairwise
from operator import sub
from typing import Any, NamedTuple

from qmpcheck.checking import clock
from qmpcheck.checking.alphabet import Alphabet
from qmpcheck.checking.clock import Clocks, Key
from qmpcheck.checking.members import Told, is_always_text, reader, together, told_by
from qmpcheck.checking.occurrence import MICROSECONDS, Moment, Refused, time
from qmpcheck.checking.session import Found, Timing
from qmpcheck.checking.written import Reader, Written
from qmpcheck.diagnostic import Diagnostic

PlacesByKey = dict[Key, Sequence[int]]
"""Where the events stand that share a rate limit."""


class _LimitedEvent(NamedTuple):
    """Decoded events of one name, which is rate-limited.

    Attributes:
        name, letter: theirs.
        at_once: tells those that fall under no limit; None where there are none.
        apart: reads what tells the others apart; None where all share one limit.
    """

    name: str
    letter: str
    at_once: Told | None
    apart: Reader | None

    def rows(self, written: Written) -> PlacesByKey:
        """Where those stand that share a limit."""
        places = self._places(written)
        if not self.apart:
            return {(self.name, None): places}
        told_apart = [*written.values(self.apart, places)]
        if len({*told_apart}) == 1:
            return {(self.name, told_apart[0]): places}
        rows: dict[Any, list[int]] = defaultdict(list)
        for apart, at in zip(told_apart, places, strict=True):
            rows[apart].append(at)
        return {(self.name, apart): row for apart, row in rows.items()}

    def _places(self, written: Written) -> Sequence[int]:
        """Where those stand that fall under a limit."""
        places = written.decoded(self.letter)
        if not self.at_once:
            return places
        reader, values = self.at_once
        read = zip(places, written.read(self.letter, reader), strict=True)
        return [at for at, value in read if value not in values]


class Rows:
    """Takes the clocks of parts of sessions.

    Args:
        timing: the rules over time.
        alphabet: the letters of events.
    """

    def __init__(self, timing: Timing, alphabet: Alphabet) -> None:
        self._limits = timing.limits
        self._limited = [
            _limited_event(event, timing, alphabet) for event in timing.limits if event in alphabet.kinds
        ]
        self._refused = alphabet.refused(timing.limits)
        self._in_order = alphabet.any_but(timing.late)
        self._bounded = any(rule.within is not None for rule in timing.rules)

    def clocks(self, written: Written) -> tuple[Clocks, Found]:
        """What timestamps leave to compare with what stands beside them, and what is wrong with them."""
        limited = self._rows_limited(written)
        in_order = (self._ends_in_order if written.runs_forward else self._row_in_order)(written)
        first, last = (written.bare(in_order[0]), written.bare(in_order[-1])) if in_order else (None, None)
        ends = _ends(written, limited)
        peaks = _peaks(written) if self._bounded else ()
        return Clocks(first, last, peaks, ends), Found([*_findings(written, limited, in_order)])

    def judge(self, written: Written) -> Found:
        """What is wrong with timestamps in whole sessions."""
        told: list[Diagnostic] = []
        for one in written.sessions(self._suspects(written)):
            in_order = [] if one.runs_forward else self._row_in_order(one)
            told += _findings(one, self._rows_limited(one), in_order)
        return Found(told)

    def _suspects(self, written: Written) -> Iterator[int]:
        """Places in whole sessions, one at least in each in which something is wrong with timestamps."""
        seconds = written.seconds
        for begin, end in pairwise([*written.begins, len(seconds)]):
            one = seconds[begin + 1 : end]
            if one != sorted(one):
                yield begin
        for row in _near(written, self._rows_limited(written)).values():
            for at, third in zip(row, row[2:], strict=False):
                if abs(seconds[third] - seconds[at]) < _FAR and not written.begins_between(at, third):
                    yield at

    def _rows_limited(self, written: Written) -> PlacesByKey:
        """The places of events that share a rate limit and have a clock."""
        rows: PlacesByKey = {}
        for limited in self._limited:
            if limited.letter in written.letters:
                rows |= limited.rows(written)
        if written.has_refused:
            rows |= {
                key: sorted([*rows.get(key, ()), *row]) for key, row in self._rows_refused(written).items()
            }
        return rows

    def _rows_refused(self, written: Written) -> dict[Key, list[int]]:
        """The places of those of them that a decoder refused."""
        rows: dict[Key, list[int]] = defaultdict(list)
        for at in written.places(self._refused):
            limit = self._key(written.events[at])
            if limit and time(written.events[at].timestamp) is not None:
                rows[limit].append(at)
        return rows

    def _key(self, refused: Refused) -> Key | None:
        """Which rate limit an event falls under that a decoder refused."""
        limit, data = self._limits[refused.event], refused.data
        if any(data.get(member) in values for member, values in limit.unless.items()):
            return None
        apart = tuple(_told_apart(data.get(member)) for member in limit.key)
        return refused.event, apart if len(apart) > 1 else next(iter(apart), None)

    def _row_in_order(self, written: Written) -> list[int]:
        """The places of events that are not sent late and have a clock."""
        return written.with_clock(written.places(self._in_order))

    def _ends_in_order(self, written: Written) -> list[int]:
        """The first and the last of them: where time runs forward, they stand for all."""
        first, last = written.places(self._in_order), written.backwards(self._in_order)
        return [*islice(first, 1), *islice(last, 1)]


def _limited_event(event: str, timing: Timing, alphabet: Alphabet) -> _LimitedEvent:
    limit = timing.limits[event]
    at_once = [(reader(alphabet, event, (member,)), values) for member, values in limit.unless.items()]
    apart = together([_reader_apart(alphabet, event, member) for member in limit.key])
    return _LimitedEvent(event, alphabet.letter(event), told_by(at_once, any), apart)


def _reader_apart(alphabet: Alphabet, event: str, member: str) -> Reader:
    """Reads what a member adds to what tells events apart."""
    read = reader(alphabet, event, (member,))
    if is_always_text(alphabet.kinds[event], (member,)):
        return read
    return lambda event: _told_apart(read(event))


def _told_apart(value: Any) -> str:
    """A member's value as a part of a key; of QEMU they are strings."""
    return value if isinstance(value, str) else f"\0{value!r}"


def _ends(written: Written, rows: PlacesByKey) -> dict[Key, clock.Ends]:
    ends = {key: clock.ends(row) for key, row in rows.items()}
    moments = written.moments([*chain.from_iterable(ends.values())])
    return {key: tuple(islice(moments, len(places))) for key, places in ends.items()}


def _findings(written: Written, limited: PlacesByKey, in_order: list[int]) -> Iterator[Diagnostic]:
    """What is wrong within the rows."""
    for (event, _), row in _near(written, limited).items():
        if clock.is_crowded(written.times(row)):
            yield from clock.crowded(event, [*written.moments(row)])
    if in_order and clock.is_backwards(written.times(in_order)):
        for before, after in pairwise(map(written.bare, in_order)):
            yield from clock.backwards(before, after)


def _near(written: Written, rows: PlacesByKey) -> PlacesByKey:
    """Those rows in which three may be too near to each other."""
    return {key: row for key, row in rows.items() if _are_near(written, row)}


def _are_near(written: Written, row: Sequence[int]) -> bool:
    """Whether three in a row may be too near to each other, as far as the seconds tell."""
    if len(row) <= _TWO:
        return False
    seconds = [*map(written.seconds.__getitem__, row)]
    if written.runs_forward and len({*seconds}) == len(seconds):
        return False
    nearest: int = min(map(abs, map(sub, seconds[2:], seconds)))
    return nearest < _FAR


_TWO = 2

_FAR = clock.PERIOD // MICROSECONDS + 1
"""Seconds by which timestamps differ that are far enough apart, whatever their microseconds."""


def _peaks(written: Written) -> clock.Peaks:
    """The greatest timestamps behind each line."""
    peaks: list[Moment] = []
    events = written.events
    for at in range(len(events) - 1, -1, -1):
        moment = time(events[at].timestamp)
        if moment is not None and (not peaks or moment > peaks[-1][1]):
            peaks.append((written.lines[at], moment))
    return tuple(reversed(peaks))
