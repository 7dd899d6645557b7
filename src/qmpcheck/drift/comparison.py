"""What is compared: specs of two kinds, place by place."""

from __future__ import annotations

from typing import NamedTuple

from qmpcheck.drift.change import Change
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import BUILD, NOWHERE, TEXT, BranchCondition, Marks, Member, Place


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
