"""Make the data of events: plausible values that together show every choice that the spec leaves."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from qmpcheck import rulebase
from qmpcheck.generating.choices import (
    ABSENT,
    EMPTY,
    FALSE,
    GREATEST,
    INTEGER,
    LEAST,
    ONE,
    TEXT,
    THERE,
    TRUE,
    TWO,
    Coverage,
    Place,
    labels,
)
from qmpcheck.rulebase import Alternate, Array, Enum, Integer, Object

Fixed = Mapping[str, Sequence[str]]
"""Members of `data` whose values are not free, and what each may be; booleans by JSON's words."""

Cast = dict[str, str]
"""The names that a story has used so far, so that its events are about the same device, job or client."""


class Values:
    """Makes values of usable types.

    Args:
        coverage: what was chosen so far.
        random: decides where nothing new can be chosen.
    """

    def __init__(self, coverage: Coverage, random: random.Random) -> None:
        self._coverage, self._random = coverage, random

    def data(
        self, event: str, described: Object, needs_data: bool, cast: Cast, fixed: Fixed
    ) -> dict[str, Any] | None:
        """Return the data of an event; None for an event without data."""
        self._coverage.meet((event,))
        if not described.members:
            return {} if needs_data else None
        place = (event, "data")
        if not needs_data and not fixed and self._pick(place, (THERE, ABSENT)) == ABSENT:
            return None
        return self._object(described, (*place, THERE), cast, fixed)

    def _pick(self, place: Place, options: Sequence[str], often: float = 0) -> str:
        return self._coverage.pick(place, options, self._random, often)

    def _object(self, described: Object, place: Place, cast: Cast, fixed: Fixed) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for member in described.members:
            at, allowed = (*place, member.name), fixed.get(member.name)
            if member.may_be_absent:
                options = (THERE, ABSENT) if allowed is None else (THERE,)
                if self._pick(at, options) == ABSENT:
                    continue
            made[member.name] = self.value(member.type, (*at, THERE), cast, allowed)
        branch = described.branches.get(made.get(described.discriminator, ""))
        if branch:
            chosen = made[described.discriminator]
            made |= self._object(branch, (*place, described.discriminator, THERE, chosen), cast, {})
        return made

    def value(  # noqa: PLR0911 -- a case each
        self, described: rulebase.Type, place: Place, cast: Cast, allowed: Sequence[str] | None = None
    ) -> Any:
        """Return a value of a type.

        Args:
            described: the type.
            place: where the value is.
            cast: the names that the story has used.
            allowed: the values that it may have; None for any.
        """
        match described:
            case Object():
                return self._object(described, place, cast, {})
            case rulebase.Null():
                return None
            case Enum(values):
                return self._of_enum(values, place, cast, allowed)
            case rulebase.Boolean():
                return self._pick(place, _allowed((TRUE, FALSE), allowed)) == TRUE
            case rulebase.String(known) if known or allowed:
                return self._pick(place, _allowed(known, allowed))
            case Array(items):
                number = {EMPTY: 0, ONE: 1, TWO: 2}[self._pick(place, labels(described))]
                return [self.value(items, (*place, "[]"), cast) for _ in range(number)]
            case Alternate(types):
                chosen = self._pick(place, labels(described))
                found = dict(zip(labels(described), types, strict=True))[chosen]
                return self.value(found, (*place, chosen), cast)
            case Integer():
                return self._integer(described, place[-2], self._pick(place, labels(described), _USUALLY))
            case _:
                return self._plain(self._pick(place, labels(described), _USUALLY), place, cast)

    def _of_enum(self, values: Sequence[str], place: Place, cast: Cast, allowed: Sequence[str] | None) -> str:
        """Return one of the values. What sort of thing a story is about does not change within it."""
        member = place[-2]
        options = _allowed(values, allowed)
        if cast.get(member) in options:
            options = [cast[member]]
        chosen = self._pick(place, options)
        if member in _SORTS:
            cast[member] = chosen
        return chosen

    def _integer(self, described: Integer, member: str, label: str) -> int:
        least, greatest = described.range or _64_BITS
        if label in (LEAST, GREATEST):
            return least if label == LEAST else greatest
        return int(self._random.random() * min(greatest, _USUAL_MOST.get(member, _MOST)))

    def _plain(self, label: str, place: Place, cast: Cast) -> str | int | float:
        number = int(self._random.random() * _MOST)
        if label == TEXT:
            return self._name(place, cast)
        # Eighths are exact in binary, so every version of Python writes them alike.
        return number if label == INTEGER else number / 8

    def _name(self, place: Place, cast: Cast) -> str:
        """Return the name of something: the same name throughout a story."""
        member = next(key for key in reversed(place) if key not in (THERE, "[]", "string"))
        role = "job" if place[0].startswith(_OF_JOBS) and member in ("id", "device") else member
        # One number for all names of a story: drive1 is on node1.
        if "number" not in cast:
            cast["number"] = str(int(self._random.random() * _NUMBERS))
        return _NAMES.get(role, f"{role}-{{}}").format(cast["number"])


def _allowed(values: Sequence[str], allowed: Sequence[str] | None) -> Sequence[str]:
    """Return the values that are allowed; if the spec names none of them, its set is open: any will do."""
    return values if allowed is None else [each for each in values if each in allowed] or allowed


_USUALLY = 0.8
"""How often a number is a usual one, after its bounds were shown."""

_64_BITS = (-(1 << 63), (1 << 63) - 1)
"""The bounds of a number if the spec gives none: those of QEMU's largest signed integer."""

_MOST = 1 << 30
"""Usual numbers are smaller than this."""

_USUAL_MOST = {"channel-id": 4, "channel-type": 12, "core": 64, "pass": 10, "offset": 1 << 20, "speed": 1}
"""Smaller bounds of usual numbers, by the names of their members."""

_SORTS = frozenset({"type", "family"})
"""Members that say what sort of thing an event is about."""

_NUMBERS = 4
"""How many devices of one kind there are, so that streams are about several, and each comes again."""

_OF_JOBS = ("JOB_", "BLOCK_JOB_")

_NAMES = {
    "auth": "none",
    "chardev-id": "charnet{}",
    "cid": "{}",
    "client": "client-{}",
    "dev-id": "dev{}",
    "dev-qom-path": "/machine/peripheral/dev{}",
    "device": "drive{}",
    "device-id": "hostdev{}",
    "error": "Input/output error",
    "host": "127.0.0.{}",
    "id": "id{}",
    "job": "job{}",
    "message": "an unexpected exit",
    "msg": "it overlaps with refcount block {}",
    "name": "net{}",
    "netdev-id": "hostnet{}",
    "node-name": "node{}",
    "path": "/machine/peripheral/dev{}",
    "port": "590{}",
    "qom-path": "/machine/peripheral/dev{}",
    "reason": "Input/output error",
    "reference": "quorum{}",
    "sasl_username": "user{}",
    "service": "590{}",
    "slot": "{}",
    "str": "{}",
    "vfu-id": "vfu{}",
    "vfu-qom-path": "/objects/vfu{}",
    "x509_dname": "CN=client{}",
}
"""The values of members that name something, by the names of the members; `{}` is the number of the thing."""


def sample(described: rulebase.Type) -> Any:
    """Return some value of a usable type."""
    return Values(Coverage(), random.Random(0)).value(described, ("", ""), {})  # noqa: S311 -- no secret
