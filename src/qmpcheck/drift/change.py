"""A change between two specs, what it means for a client that reads events, and where they are compared."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from qmpcheck import keypath
from qmpcheck.codes import CODES, ChangeKind, Impact
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import BUILD, NOWHERE, TEXT, BranchCondition, Marks, Member, Place


class Change(msgspec.Struct, frozen=True):
    """One change.

    Attributes:
        code: one of `DRIFT_CODES`.
        event: the event that it concerns.
        path: the keys to the member that it concerns; () for the event. `shown_path` is safe to print.
        text: what changed, in one line that is safe to print.
        old, new: where the two specs state it; `NOWHERE` if one does not.
        value: the value that was added, removed or deprecated; "" if it concerns none.
        where: the branches of unions that the member is in.
        counterpart: its likely name in the other spec, if it was renamed; "" for none.
        of_any_build: whether every binary differs from every schema like this, as it says less about types.
        is_handled: whether the client handles the value that was added.
    """

    code: str
    event: str
    path: KeyPath
    text: str
    old: Place = NOWHERE
    new: Place = NOWHERE
    value: str = ""
    where: tuple[BranchCondition, ...] = ()
    counterpart: str = ""
    of_any_build: bool = False
    is_handled: bool = False

    @property
    def slug(self) -> str:
        """The code's name in words."""
        return CODES[self.code].slug

    @property
    def kind(self) -> ChangeKind:
        """What the registry of codes says about such a change."""
        kind = CODES[self.code].change
        assert kind is not None, "the code of a change"
        return kind

    @property
    def shown_path(self) -> str:
        """The path as it is printed: `data.nodes[]`."""
        return keypath.as_text(self.path)

    def level(self, strict: bool = False) -> Impact:
        """Return what it means for a strict or a tolerant client."""
        # Only a value that was added can be handled.
        if self.is_handled:
            return Impact.SAFE
        return self.kind.strict if strict else self.kind.tolerant


class SpecKinds(NamedTuple):
    """The kinds of the two specs.

    Attributes:
        old, new: what each was made from, as `RuleBase.source` has it.
        untimed: whether one is what a binary says of itself, without the follow-ups and limits of a release.
    """

    old: str
    new: str
    untimed: bool

    @property
    def differ(self) -> bool:
        """Whether the specs are of different kinds."""
        return self.old != self.new

    @property
    def prose(self) -> bool:
        """Whether one of them is a text, which need not state everything."""
        return TEXT in (self.old, self.new)

    def lacks(self, marks: Marks, side: str) -> bool:
        """Whether only the build's configuration explains that `side`, a kind of spec, lacks something."""
        return bool(marks.built_if) and side == BUILD

    def differ_on_builds(self, old: Marks, new: Marks) -> bool:
        """Whether the specs state different conditions on the build; a single build states none."""
        return BUILD not in (self.old, self.new) and old.built_if != new.built_if


class ComparedPlace(NamedTuple):
    """Where a comparison is: the event, the path, the branches, and the places in both specs."""

    event: str
    path: KeyPath
    where: tuple[BranchCondition, ...]
    old: Place
    new: Place

    def change(self, code: str, text: str, value: str = "", counterpart: str = "") -> Change:
        """Return a change at this place."""
        inside = f" (where {' and '.join(map(str, self.where))})" if self.where else ""
        return Change(
            code, self.event, self.path, text + inside, self.old, self.new, value, self.where, counterpart
        )

    def member(self, old: Member | None, new: Member | None) -> ComparedPlace:
        """Return the place of a member that one side has, or both."""
        found = old or new
        assert found, "one of the two is there"
        places = (_place(old, self.old), _place(new, self.new))
        return self._replace(path=(*self.path, found.name), old=places[0], new=places[1])


def _place(member: Member | None, holder: Place) -> Place:
    return Place(member.line, member.file or holder.file) if member else NOWHERE
