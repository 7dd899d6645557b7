"""Words for messages and tables: lists, numbers, similar names, ranges of releases, rules and types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import FollowUp, RateLimit
from qmpcheck.text import name, quoted, safe


def alternatives(texts: list[str], joint: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`; `nothing` if there is none."""
    if not texts:
        return "nothing"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joint} {texts[-1]}"


def near_names(wrong: str, known: Iterable[str]) -> list[str]:
    """Return the known names that a mistyped one may have meant, the nearest first.

    If one is much nearer than another, only the nearer one is meant.
    """
    from difflib import SequenceMatcher, get_close_matches

    names = [*known]
    others = {each.lower(): each for each in names}
    same = others.get(wrong.lower())
    if same:
        return [same]
    # A hostile name may be very long, and comparing takes time that grows with its square.
    near = get_close_matches(wrong[:80], names, 3, cutoff=0.5)
    ratios = [SequenceMatcher(None, each, wrong[:80]).ratio() for each in near]
    return [each for each, ratio in zip(near, ratios, strict=True) if ratio >= ratios[0] - _MUCH_NEARER]


_MUCH_NEARER = 0.1
"""A difference of two ratios of similarity, each from 0 to 1."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """` (did you mean STOP or RESET?)`; "" where no known name is near."""
    near = near_names(wrong, known)
    return f" (did you mean {alternatives([*map(name, near)])}?)" if near else ""


MOST_NAMED = 3
"""How many names of a longer list a message has."""


def first_of(texts: Sequence[str], more: int = 0) -> str:
    """`a, b and c`, or `a, b, c and 2 more`; `more` are not in `texts`."""
    more += len(texts) - MOST_NAMED
    return alternatives([*texts[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])], "and")


def plural(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class ReleaseRange(msgspec.Struct, frozen=True):
    """Consecutive releases: the places of the first and the last one."""

    first: int
    last: int

    def text(self, names: Sequence[str]) -> str:
        """`2.10`, or `2.1 to 2.3`."""
        first, last = names[self.first], names[self.last]
        return first if first == last else f"{first} to {last}"


def release_ranges(chosen: Sequence[bool]) -> Iterator[ReleaseRange]:
    """Yield the ranges of the releases that are chosen."""
    for is_chosen, group in groupby(enumerate(chosen), lambda each: each[1]):
        places = [place for place, _ in group]
        if is_chosen:
            yield ReleaseRange(places[0], places[-1])


def release_ranges_text(chosen: Sequence[bool], names: Sequence[str]) -> str:
    """`0.14 to 1.7 and 2.10`; "" if no release is chosen."""
    parts = [each.text(names) for each in release_ranges(chosen)]
    return alternatives(parts, "and") if parts else ""


def follow_up_text(rule: FollowUp) -> str:
    """`if action is "stop", STOP follows`."""
    conditions = _conditions(rule.when)
    if rule.option:
        conditions.append(f"-{name(rule.option)} was given")
    then = f"{alternatives([*map(name, rule.then)])} follows"
    return f"if {' and '.join(conditions)}, {then}" if conditions else then


def rate_limit_text(limit: RateLimit) -> str:
    """`once a second for each id, unless action is "stop"`."""
    each = " and ".join(map(name, limit.key))
    unless = " or ".join(_conditions(limit.unless))
    return "".join(["once a second", each and f" for each {each}", unless and f", unless {unless}"])


def _conditions(members: dict[str, tuple[str, ...]]) -> list[str]:
    return [f"{name(member)} is {alternatives([*map(quoted, values)])}" for member, values in members.items()]


def type_text(described: rulebase.Type) -> str:  # noqa: PLR0911 -- a case each
    """Return a type in a few words, such as `list of string`, or `"a" or "b"`."""
    match described:
        case rulebase.Enum(values):
            return alternatives([*map(quoted, values)])
        case rulebase.Any(of):
            return f"any ({safe(of)} is described elsewhere)" if of else "any"
        case rulebase.Integer():
            return f"integer ({described.size})" if described.size else "integer"
        case rulebase.Array(items):
            return f"list of {type_text(items)}"
        case rulebase.Alternate(types):
            return alternatives([*map(type_text, types)])
        case rulebase.Object(discriminator=str(tag)) if tag:
            return f"union by {name(tag)}"
        case rulebase.Object(open=True):
            return "object of any members"
        case _:
            return type(described).__name__.lower()
