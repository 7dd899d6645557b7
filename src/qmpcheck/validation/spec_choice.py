"""By which spec a stream is checked: the one that was named, or the one that the stream itself shows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import greeting
from qmpcheck.version import Version

if TYPE_CHECKING:
    from qmpcheck.drift.fit import Fit, Fitting

AUTO = "auto"
"""The name that means: for each stream the release in its greeting, otherwise the newest that fits best."""


class Choice(NamedTuple):
    """A spec, and why it was chosen, in words; "" where the user or a greeting named it."""

    spec: Spec
    why: str = ""


of_version = functools.cache(catalogue.of_version)
"""The spec of a version, the same value each time: checkers are kept by it."""

_of_release = functools.cache(catalogue.find)
"""The spec of a release, the same value each time."""


def by_greeting(lines: Sequence[bytes]) -> Spec | None:
    """The spec of the first greeting in some lines; None where there is none.

    Raises:
        SpecError: the catalogue has no spec for its version.
    """
    version = next(filter(None, map(greeting.of_line, lines)), None)
    return of_version(version) if version else None


def by_fit(found: Fit, what: str = "") -> Choice:
    """The newest release that fits best.

    Args:
        found: how the releases fit a stream.
        what: was fitted of it, in words; "" for all.

    Raises:
        SpecError: there was no event.
    """
    if not found.events:
        raise SpecError(
            "neither a greeting nor an event: is it a QMP recording? If it is, name its release with --spec"
        )
    return Choice(
        _of_release(found.newest), f"no greeting: checked against {found.newest}, {_why(found, what)}"
    )


def _why(found: Fit, what: str) -> str:
    from qmpcheck.wording import release_ranges_text

    of_them = f" {what}" if what else ""
    if not found.conforming:
        return f"the newest; none fits {what or 'any event'}"
    if not found.is_whole:
        return f"which fits{of_them} best; none fits completely"
    if found.best.count(True) == 1:
        return f"the only one that fits{of_them}"
    return f"the newest of {release_ranges_text(found.best, found.names)} that fit{of_them}"


class SpecSearch:
    """Looks for the spec of one stream in what comes of it: a greeting names it, or else the events show it.

    Args:
        waits: whether all events are to be seen first; otherwise the first ones decide.
    """

    def __init__(self, waits: bool) -> None:
        self._waits = waits
        self._greeted: Choice | None = None
        self._fitting: Fitting | None = None

    @property
    def holds_parts(self) -> bool:
        """Whether the stream comes only once, so that what precedes the choice must be kept."""
        return not self._waits

    def look_into(self, lines: Sequence[bytes], numbers: Sequence[int]) -> Choice | None:
        """The spec by which these lines and all further ones can be checked, if it is known now.

        Args:
            lines: the next ones of the stream.
            numbers: their numbers.

        Raises:
            SpecError: the catalogue has no spec for a greeting's version.
        """
        spec = by_greeting(lines)
        if spec and (self._fitting is None or not self._waits):
            return Choice(spec)
        self._greeted = self._greeted or (Choice(spec) if spec else None)
        if self._fitting is None:
            from qmpcheck.drift.fit import Fitting  # most streams have a greeting

            self._fitting = Fitting()
        self._fitting.add(lines, numbers)
        if self._waits or not self._fitting.has_begun:
            return None
        found = self._fitting.result()
        return by_fit(found, "the first event" if found.events == 1 else f"the first {found.events} events")

    def at_end(self) -> Choice:
        """The spec by all that came.

        Raises:
            SpecError: there was no event.
        """
        assert self._fitting
        return self._greeted or by_fit(self._fitting.result())


def several_releases(versions: Sequence[Version]) -> str:
    """Why no spec judges a stream whose greetings name these versions; "" where one does."""
    specs = {of_version(each).name: each for each in reversed(versions)}
    if len(specs) <= 1:
        return ""
    named = " and ".join(map(str, reversed(specs.values())))
    return (
        f"its greetings name several releases ({named}): check each part by itself, or choose one with --spec"
    )
