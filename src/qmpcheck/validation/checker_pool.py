"""Checkers for the streams of many files: making one for a spec is slow, and used ones are as good as new."""

from __future__ import annotations

from collections import defaultdict

from qmpcheck.checking.checker import Checker
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams.formats import Format, Loss
from qmpcheck.validation.recipe import Recipe


class CheckerPool:
    """Checkers by spec; one that has finished a stream is used again.

    Args:
        recipe: how streams are checked.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._first: dict[_CheckerKey, tuple[Spec, Checker]] = {}
        self._free: dict[_CheckerKey, list[Checker]] = defaultdict(list)

    def take(self, spec: Spec, format: Format | None = None) -> Checker:
        """A checker of streams by a spec, in a format; give it back when it has finished.

        Raises:
            SpecError: an option of the recipe does not fit the spec.
        """
        key = _key(spec, format)
        if key not in self._first:
            self._first[key] = spec, self.recipe.checker(spec, key[1])
            self._free[key].append(self._first[key][1])
        return self._free[key].pop() if self._free[key] else self._first[key][1].another()

    def give_back(self, spec: Spec, format: Format | None, checker: Checker) -> None:
        """Have a checker that is finished used again."""
        self._free[_key(spec, format)].append(checker)


_CheckerKey = tuple[int, Loss]
"""A spec's rule base, by its identity, and what matters to a checker of what a format loses."""


def _key(spec: Spec, format: Format | None) -> _CheckerKey:
    if format is None or format.loses is Loss.NOTHING:  # as most do; flags are slow
        return id(spec.rule_base), Loss.NOTHING
    return id(spec.rule_base), format.loses & _OF_INTEREST


_OF_INTEREST = Loss.EVENTS | Loss.COMMANDS | Loss.REPLIES
