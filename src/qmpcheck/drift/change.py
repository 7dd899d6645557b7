"""A change between two specs, and what it means for a client that reads events."""

from __future__ import annotations

import msgspec

from qmpcheck import keypath
from qmpcheck.codes import CODES, ChangeKind, Impact
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import NOWHERE, BranchCondition, Place


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
        if self.is_handled:
            return Impact.SAFE
        return self.kind.strict if strict else self.kind.tolerant
