"""What a generated event can choose between: which members are there, which values they have.

A `Place` is where a choice is made or what was chosen there, as keys from the event's name down: the place of
the value "stop" is ("BLOCK_IO_ERROR", "data", "action", "there", "stop").
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from qmpcheck import rulebase
from qmpcheck.rulebase import UNMARKED, Alternate, Any, Array, Enum, EventRule, Integer, Member, Object
from qmpcheck.text import name

Place = tuple[str, ...]

THERE, ABSENT = "there", "absent"

EVENTS = "events"
OPTIONAL = "optional members, there and absent"
VALUES = "values"
BRANCHES = "branches of unions"
BOUNDS = "bounds of integers"
FORMS = "other forms of values"
KINDS = (EVENTS, OPTIONAL, VALUES, BRANCHES, BOUNDS, FORMS)
"""The kinds of choices, in words for a report."""

TRUE, FALSE = "true", "false"
USUAL, LEAST, GREATEST = "a usual number", "the least number", "the greatest number"
EMPTY, ONE, TWO = "empty", "one item", "two items"
INTEGER, FRACTION, TEXT = "an integer", "a fraction", "a string"

NOTHING = Enum(())
"""The type that has no value."""


def labels(described: rulebase.Type) -> Sequence[str]:  # noqa: PLR0911 -- a case each
    """Return what a value of a type can be, the usual one first. An object has no choice of its own."""
    match described:
        case Enum(values):
            return values
        case rulebase.String(known):
            return known or (TEXT,)
        case rulebase.Boolean():
            return (TRUE, FALSE)
        case Integer():
            return (USUAL, LEAST, GREATEST)
        case rulebase.Number():
            return (INTEGER, FRACTION)
        case Any():
            return (TEXT, INTEGER)
        case Array(items):
            return (EMPTY,) if items == NOTHING else (ONE, EMPTY, TWO)
        case Alternate(types):
            return [rulebase.JSON_TYPES[type(each)] for each in types]
        case _:
            return ()


def goals(described: rulebase.Type, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield everything that can be chosen in values of a type at a place, each with its kind."""
    kind = {Enum: VALUES, rulebase.String: VALUES, rulebase.Boolean: VALUES, Integer: BOUNDS}
    for label in labels(described):
        plain = label in (USUAL, TEXT)  # neither a bound nor a value that the spec names
        yield (*place, label), FORMS if plain else kind.get(type(described), FORMS)
    match described:
        case Array(items) if items != NOTHING:
            yield from goals(items, (*place, "[]"))
        case Alternate(types):
            for label, each in zip(labels(described), types, strict=True):
                yield from goals(each, (*place, label))
        case Object():
            yield from _goals_of_object(described, place)


def _goals_of_object(described: Object, place: Place) -> Iterator[tuple[Place, str]]:
    for member in described.members:
        at = (*place, member.name)
        if member.may_be_absent:
            yield (*at, THERE), OPTIONAL
            yield (*at, ABSENT), OPTIONAL
        is_tag = member.name == described.discriminator
        for goal, kind in goals(member.type, (*at, THERE)):
            yield goal, BRANCHES if is_tag else kind
    for value, branch in described.branches.items():
        yield from goals(branch, (*place, described.discriminator, THERE, value))


class Coverage:
    """Which choices were made, of all that there are.

    Attributes:
        all: how many there are of each kind.
        met: how many of them were made.
    """

    def __init__(self) -> None:
        self.all: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self._unmet: dict[Place, str] = {}
        self._below: Counter[Place] = Counter()
        """How many choices at or below a place were not made yet: `pick` asks this often."""

    def add(self, event: str, data: Object, needs_data: bool) -> None:
        """Add what can be chosen in an event."""
        root = (event,)
        found: list[tuple[Place, str]] = [(root, EVENTS)]
        if data.members:
            if not needs_data:
                found += [((event, "data", THERE), OPTIONAL), ((event, "data", ABSENT), OPTIONAL)]
            found += goals(data, (event, "data", THERE))
        for place, kind in found:
            self._unmet[place] = kind
            self.all[kind] += 1
            self._below.update(_with_prefixes(place))

    def meet(self, place: Place) -> None:
        """Record that a choice was made."""
        kind = self._unmet.pop(place, None)
        if kind:
            self.met[kind] += 1
            self._below.subtract(_with_prefixes(place))

    def unmet(self, place: Place = ()) -> int:
        """Return how many choices at or below a place were not made yet."""
        return self._below[place]

    def missing(self) -> Iterator[Place]:
        """Yield the choices that were not made."""
        yield from self._unmet

    def pick(self, place: Place, options: Sequence[str], random: random.Random, often: float = 0) -> str:
        """Return one of several options at a place: one that shows something new, if there is one.

        Args:
            place: where the choice is made.
            options: at least one.
            random: decides where nothing is new.
            often: how often, at least, that is the first option; from 0 to 1.
        """
        # Of options that lead to as much that is new, this takes the first.
        chosen = max(options, key=lambda option: self._below[(*place, option)])
        if not self._below[(*place, chosen)]:
            chosen = options[0] if random.random() < often else one_of(options, random)
        self.meet((*place, chosen))
        return chosen


def shown(place: Place) -> str:
    """Return a choice in words that are safe to print: `BLOCK_IO_ERROR.action: stop`."""
    *keys, label = (name(key) for key in place[:1] + place[2:]) if len(place) > 1 else place
    return f"{'.'.join(key for key in keys if key != THERE)}: {label}" if keys else name(label)


def _with_prefixes(place: Place) -> Iterator[Place]:
    return (place[:length] for length in range(len(place) + 1))


def one_of(options: Sequence[str], random: random.Random) -> str:
    """Return one of several options.

    Only `random()` gives the same results in every version of Python; `choice()` does not.
    """
    return options[int(random.random() * len(options))]


# What can be generated at all


def usable(described: rulebase.Type, elsewhere: rulebase.Type | None = None) -> rulebase.Type:
    """Return the part of a type that values can have without a warning: all but what is deprecated.

    Args:
        described: the type.
        elsewhere: what another spec says about the same value; it fills in what this one leaves open.
    """
    match described:
        case Any() if elsewhere and not isinstance(elsewhere, Any):
            return usable(elsewhere)
        case Enum(values, marks):
            return Enum(tuple(each for each in values if not marks.get(each, UNMARKED).deprecated))
        case Array(items):
            return Array(usable(items, elsewhere.items if isinstance(elsewhere, Array) else None))
        case Alternate(types):
            left = [each for each in map(usable, types) if each != NOTHING]
            return Alternate(tuple(left)) if left else NOTHING
        case Object():
            return _usable_object(described, elsewhere if isinstance(elsewhere, Object) else Object())
        case _:
            return described


def _usable_object(described: Object, elsewhere: Object) -> rulebase.Type:
    known = {member.name for member in described.members}
    added = [each for each in elsewhere.members if each.name not in known] if described.open else []
    members: list[Member] = []
    for member in (*described.members, *added):
        other = elsewhere.member(member.name)
        type_ = NOTHING if member.marks.deprecated else usable(member.type, other.type if other else None)
        if type_ != NOTHING:
            members.append(_with_type(member, type_))
        elif not member.may_be_absent:
            return NOTHING
    found = Object(tuple(members), discriminator=described.discriminator)
    return _with_branches(found, described) if described.branches else found


def _with_branches(found: Object, described: Object) -> rulebase.Type:
    """Return an object with those branches of a union that have values, and the tag with their values."""
    branches = {value: usable(branch) for value, branch in described.branches.items()}
    kept = {value: branch for value, branch in branches.items() if isinstance(branch, Object)}
    values = tuple(value for value in found.tag.values if value in kept or value not in branches)
    if not values:
        return NOTHING
    members = tuple(
        _with_type(member, Enum(values)) if member.name == found.discriminator else member
        for member in found.members
    )
    return Object(members, False, "", found.discriminator, {v: kept[v] for v in values if v in kept})


def _with_type(member: Member, described: rulebase.Type) -> Member:
    return Member(member.name, described, member.optional, member.line, member.file, member.marks)


def usable_data(rule: EventRule, elsewhere: EventRule | None = None) -> Object | None:
    """Return the part of an event's data that can be generated; None if the event cannot be generated."""
    found = usable(rule.data, elsewhere.data if elsewhere else None)
    if isinstance(found, Object):
        return found
    return None if rule.needs_data else Object()


def without(described: Object, path: Sequence[str], values: Sequence[str]) -> Object | None:
    """Return an object without some values of an enum in it; None if it has no others, or is not an enum."""
    member = described.member(path[0])
    if member is None or len(path) > 1 or not isinstance(member.type, Enum):
        return None
    left = Enum(tuple(each for each in member.type.values if each not in values))
    if left == NOTHING:
        return None
    members = [_with_type(each, left) if each is member else each for each in described.members]
    branches = {value: each for value, each in described.branches.items() if value in left.values}
    # A value that is left out takes its branch with it.
    kept = described.branches if described.discriminator != member.name else branches
    return Object(tuple(members), False, "", described.discriminator, kept)
