"""Ranges of releases, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from qmpcheck.wording import alternatives


class Stretch(NamedTuple):
    """Consecutive releases: the places of the first and the last one."""

    first: int
    last: int

    def text(self, names: Sequence[str]) -> str:
        """`2.10`, or `2.1 to 2.3`."""
        first, last = names[self.first], names[self.last]
        return first if first == last else f"{first} to {last}"


def stretches(chosen: Sequence[bool]) -> Iterator[Stretch]:
    """Yield the ranges of the releases that are chosen."""
    for is_chosen, group in groupby(enumerate(chosen), lambda each: each[1]):
        places = [place for place, _ in group]
        if is_chosen:
            yield Stretch(places[0], places[-1])


def text(chosen: Sequence[bool], names: Sequence[str]) -> str:
    """`0.14 to 1.7 and 2.10`; "" if none is chosen."""
    parts = [each.text(names) for each in stretches(chosen)]
    return alternatives(parts, "and") if parts else ""
