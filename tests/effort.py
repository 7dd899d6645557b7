"""How much the tests try: a fifth while you work, all of it in CI (the profile `thorough`)."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")


def examples(number: int) -> settings:
    """The settings of a test that tries so many examples in the profile `thorough`, and fewer in `quick`."""
    return settings(max_examples=max(5, number * settings().max_examples // 100))


def some(alike: Sequence[T]) -> Sequence[T]:
    """Of many things that are much alike, such as the revisions of a document: all in `thorough`, or every fifth."""
    return alike if settings().max_examples == 100 else alike[::5]
