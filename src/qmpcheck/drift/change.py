"""A change between two specs, and what it means for a client that reads events."""

from __future__ import annotations

import enum
from typing import NamedTuple

import msgspec

from qmpcheck.printable import name, quoted
from qmpcheck.rulebase import Line


class Level(enum.IntEnum):
    """What a change means for a client; greater is worse."""

    DOC = 0
    SAFE = 1
    RISKY = 2
    BREAKING = 3

    def __str__(self) -> str:
        return self.name.lower()


class Kind(NamedTuple):
    """What one code stands for, and its level for clients that ignore what they do not know, or reject it."""

    slug: str
    tolerant: Level
    strict: Level


_DOC, _SAFE, _RISKY, _BREAKING = Level.DOC, Level.SAFE, Level.RISKY, Level.BREAKING

KINDS: dict[str, Kind] = {
    "QMP501": Kind("event-removed", _BREAKING, _BREAKING),
    "QMP502": Kind("event-added", _SAFE, _BREAKING),
    "QMP503": Kind("member-removed", _BREAKING, _BREAKING),
    "QMP504": Kind("optional-member-removed", _RISKY, _RISKY),
    "QMP505": Kind("member-added", _SAFE, _BREAKING),
    "QMP506": Kind("member-became-optional", _BREAKING, _BREAKING),
    "QMP507": Kind("member-became-mandatory", _SAFE, _SAFE),
    "QMP508": Kind("type-changed", _BREAKING, _BREAKING),
    "QMP509": Kind("type-narrowed", _SAFE, _SAFE),
    "QMP510": Kind("value-added", _RISKY, _BREAKING),
    "QMP511": Kind("value-removed", _SAFE, _SAFE),
    "QMP512": Kind("follow-up-removed", _BREAKING, _BREAKING),
    "QMP513": Kind("follow-up-added", _SAFE, _SAFE),
    "QMP514": Kind("rate-limit-added", _RISKY, _RISKY),
    "QMP515": Kind("rate-limit-removed", _SAFE, _SAFE),
    "QMP516": Kind("became-deprecated", _RISKY, _RISKY),
    "QMP517": Kind("documents-differ", _DOC, _DOC),
    "QMP518": Kind("no-longer-deprecated", _SAFE, _SAFE),
}
"""Every code of a change."""


class Place(NamedTuple):
    """Where a spec states a fact; both empty where it has no lines."""

    line: Line = None
    file: str = ""

    def __str__(self) -> str:
        return ":".join(map(str, filter(None, (self.file, self.line))))


NOWHERE = Place()


class Condition(NamedTuple):
    """A branch of a union: in the object at the path `within`, the member `tag` has that value."""

    within: str
    tag: str
    value: str

    def __str__(self) -> str:
        return f"{name(self.tag)} is {quoted(self.value)}"


class Change(msgspec.Struct, frozen=True):
    """One change.

    Attributes:
        code: a key of `KINDS`.
        event: the event it concerns.
        path: the dotted path of the member it concerns, `[]` for the items of a list; "" for the event.
        text: what changed, in one line that is safe to print.
        old, new: where the two specs state it; `NOWHERE` where one does not.
        value: the value that came, went, or was deprecated; "" where it is none.
        where: the branches of unions that the member is in.
        counterpart: the name that it likely has on the other side; "" for none.
        of_any_build: whether every binary differs so from any schema, as it says less about its types.
        is_handled: whether the client at hand handles the value that came.
    """

    code: str
    event: str
    path: str
    text: str
    old: Place = NOWHERE
    new: Place = NOWHERE
    value: str = ""
    where: tuple[Condition, ...] = ()
    counterpart: str = ""
    of_any_build: bool = False
    is_handled: bool = False

    @property
    def slug(self) -> str:
        """The code's name in words."""
        return KINDS[self.code].slug

    def level(self, strict: bool = False) -> Level:
        """What it means for a client, one that is strict or one that is tolerant."""
        if self.is_handled:
            return Level.SAFE
        return KINDS[self.code].strict if strict else KINDS[self.code].tolerant
