"""Checkers for the streams of many files. To make one for a spec is slow, so each is used again."""

from __future__ import annotations

from collections import defaultdict

from qmpcheck.checking.checker import Checker
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams.formats import Format, Loss
from qmpcheck.validation.recipe import Recipe


class CheckerPool:
    """Checkers by spec and format; one that has finished a stream is as good as new.

    Args:
        recipe: how streams are checked.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._first: dict[_CheckerKey, tuple[Spec, Checker]] = {}
        self._free: dict[_CheckerKey, list[Checker]] = defaultdict(list)

    def take(self, spec: Spec, format: Format | None = None) -> Checker:
        """Return a checker for streams in a format, by a spec; give it back when it has finished.

        Raises:
            SpecError: an option of the recipe does not fit the spec.
        """
        key = _key(spec, format)
        if key not in self._first:
            self._first[key] = spec, self.recipe.checker(spec, key[1])
            self._free[key].append(self._first[key][1])
        return self._free[key].pop() if self._free[key] else self._first[key][1].another()

    def give_back(self, spec: Spec, format: Format | None, checker: Checker) -> None:
        """Take back a checker that has finished its stream."""
        self._free[_key(spec, format)].append(checker)


_CheckerKey = tuple[int, Loss]
"""The identity of a spec's rule base, and what a format loses, as far as it matters to a checker.

The pool keeps the specs, so that no other rule base gets the same identity.
"""


def _key(spec: Spec, format: Format | None) -> _CheckerKey:
    if format is None or format.loses is Loss.NOTHING:  # the usual case; operations on flags are slow
        return id(spec.rule_base), Loss.NOTHING
    return id(spec.rule_base), format.loses & _RELEVANT


_RELEVANT = Loss.EVENTS | Loss.COMMANDS | Loss.REPLIES
"""The losses that change which rules a checker can check."""
