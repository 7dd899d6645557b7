"""Find names that were likely replaced by similar ones: of events, or of members."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from qmpcheck.rulebase import JSON_TYPES, Any, Object, Type

_NEAR = 0.6
"""How similar two names must be, from 0 to 1, for one to count as the other one renamed."""


def renames(gone: Mapping[str, Type], come: Mapping[str, Type]) -> dict[str, str]:
    """Return the likely new or old name of each: pairs of the most similar names, whose types match."""
    near = [
        (difflib.SequenceMatcher(None, before, after).ratio(), before, after)
        for before, old in gone.items()
        for after, new in come.items()
        if _alike(old, new)
    ]
    found: dict[str, str] = {}
    # The most similar pairs first, so that a name that fits two others goes to the better one.
    for nearness, before, after in sorted(near, reverse=True):
        if nearness >= _NEAR and not found.keys() & {before, after}:
            found |= {before: after, after: before}
    return found


def _alike(old: Type, new: Type) -> bool:
    """Whether two types match, so that one may be the other under a new name."""
    # A text often gives no type, which says nothing against a renaming.
    if isinstance(old, Any) or isinstance(new, Any):
        return True
    if isinstance(old, Object) and isinstance(new, Object):
        named = [{member.name: member.type for member in side.members} for side in (old, new)]
        return named[0].keys() == named[1].keys() and all(
            _alike(type, named[1][each]) for each, type in named[0].items()
        )
    return JSON_TYPES.get(type(old)) == JSON_TYPES.get(type(new))
