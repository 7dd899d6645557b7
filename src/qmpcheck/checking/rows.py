"""Rows of events whose timestamps are held against each other.

The events of a session that share a rate limit are a row each, those that are not sent late are another one.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise, repeat
from operator import sub
from typing import Any, NamedTuple

from qmpcheck.checking import clock
from qmpcheck.checking.clock import Clocks, Key
from qmpcheck.checking.letters import SECONDS, Alphabet, Reader, Wanted, Written
from qmpcheck.checking.members import is_always_text, reader
from qmpcheck.checking.occurrence import MICROSECONDS, Occurrence, time
from qmpcheck.checking.session import Timing
from qmpcheck.diagnostic import Diagnostic


class _Limited(NamedTuple):
    """Decoded events of one name, which is rate-limited.

    Attributes:
        name, letter: theirs.
        wanted: searches for them.
        at_once: what may be read of an event that falls under no limit.
        key: reads what tells the others apart.
    """

    name: str
    letter: str
    wanted: Wanted
    at_once: list[tuple[Reader, tuple[str, ...]]]
    key: list[Reader]

    def rows(self, written: Written) -> dict[Key, list[int]]:
        """Where those stand that share a limit."""
        places = [*written.places(self.wanted)]
        for read, values in self.at_once:
            places = written.lacking(read, values, places)
        if not self.key:
            return {(self.name,): places} if places else {}
        rows: dict[Key, list[int]] = defaultdict(list)
        members = (written.values(read, places) for read in self.key)
        keys = zip(repeat(self.name), *members)
        for key, at in zip(keys, places):  # noqa: B905 -- a key for each place
            rows[key].append(at)
        return rows


class Rows:
    """Takes the clocks of parts of sessions.

    Args:
        timing: the rules over time.
        alphabet: the letters of events.
    """

    def __init__(self, timing: Timing, alphabet: Alphabet) -> None:
        self._limits = timing.limits
        self._limited = [
            _limited(event, timing, alphabet) for event in timing.limits if event in alphabet.kinds
        ]
        self._refused = alphabet.refused(timing.limits)
        self._in_order = alphabet.any_but(timing.late)
        self._bounded = any(rule.within is not None for rule in timing.rules)

    def clocks(self, written: Written) -> tuple[Clocks, list[Diagnostic]]:
        """What timestamps leave to compare with what stands beside them, and what is wrong with them."""
        limited = self._rows_limited(written)
        in_order = self._ends_in_order(written) if written.runs_forward else self._row_in_order(written)
        first, last = (written.bare(in_order[0]), written.bare(in_order[-1])) if in_order else (None, None)
        ends = {key: tuple(map(written.bare, clock.ends(row))) for key, row in limited.items()}
        peaks = _peaks(written) if self._bounded else ()
        return Clocks(first, last, peaks, ends), [*_findings(written, limited, in_order)]

    def findings(self, written: Written) -> Iterator[Diagnostic]:
        """What is wrong with timestamps."""
        in_order = [] if written.runs_forward else self._row_in_order(written)
        return _findings(written, self._rows_limited(written), in_order)

    def _rows_limited(self, written: Written) -> dict[Key, list[int]]:
        """The places of events that share a rate limit and have a clock."""
        rows: dict[Key, list[int]] = defaultdict(list)
        for limited in self._limited:
            if limited.letter in written.letters:
                rows |= limited.rows(written)
        for at in written.places(self._refused) if written.has_refused else ():
            limit = self._key(written.events[at])
            if limit and time(written.events[at].timestamp) is not None:
                insort(rows[limit], at)
        return rows

    def _key(self, refused: Occurrence) -> Key | None:
        """Which rate limit an event falls under that a decoder refused."""
        limit, data = self._limits[refused.event], refused.data
        if any(data.get(member) in values for member, values in limit.unless.items()):
            return None
        return (refused.event, *(_told_apart(data.get(member)) for member in limit.key))

    def _row_in_order(self, written: Written) -> list[int]:
        """The places of events that are not sent late and have a clock."""
        return written.with_clock(written.places(self._in_order))

    def _ends_in_order(self, written: Written) -> list[int]:
        """The first and the last of them: where time runs forward, they stand for all."""
        first, last = written.places(self._in_order), written.backwards(self._in_order)
        return [*islice(first, 1), *islice(last, 1)]


def _limited(event: str, timing: Timing, alphabet: Alphabet) -> _Limited:
    limit, kind = timing.limits[event], alphabet.kinds[event]
    at_once = [(reader(kind, (member,)), values) for member, values in limit.unless.items()]
    return _Limited(
        event,
        alphabet.letters([event]),
        alphabet.decoded(event),
        at_once,
        [_apart(kind, member) for member in limit.key],
    )


def _apart(kind: type, member: str) -> Reader:
    """Reads what a member adds to a key."""
    read = reader(kind, (member,))
    return read if is_always_text(kind, (member,)) else lambda event: _told_apart(read(event))


def _told_apart(value: Any) -> str:
    """A member's value as a part of a key; of QEMU they are strings."""
    return value if isinstance(value, str) else f"\0{value!r}"


def _findings(written: Written, limited: dict[Key, list[int]], in_order: list[int]) -> Iterator[Diagnostic]:
    """What is wrong within the rows."""
    for row in limited.values():
        if _is_crowded(written, row):
            yield from clock.crowded([*map(written.bare, row)])
    if in_order and clock.is_backwards(written.times(in_order)):
        for before, after in pairwise(map(written.bare, in_order)):
            yield from clock.backwards(before, after)


def _is_crowded(written: Written, row: Sequence[int]) -> bool:
    """Whether three in a row are too near to each other; of most rows the seconds alone say that none are."""
    seconds = [*written.values(SECONDS, row)]
    nearest = min(map(abs, map(sub, seconds[2:], seconds)), default=_FAR)
    return nearest < _FAR and clock.is_crowded(written.times(row))


_FAR = clock.PERIOD // MICROSECONDS + 1
"""Seconds by which timestamps differ that are far enough apart, whatever their microseconds."""


def _peaks(written: Written) -> clock.Peaks:
    """The greatest timestamps behind each line."""
    peaks: list[tuple[int, int]] = []
    events = written.events
    for at in range(len(events) - 1, -1, -1):
        moment = events[at] and time(events[at].timestamp)
        if moment is not None and (not peaks or moment > peaks[-1][1]):
            peaks.append((at + 1, moment))
    return tuple(reversed(peaks))
