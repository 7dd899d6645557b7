"""Choose the spec of a stream if the user named none: by its greeting, or by how well releases fit."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import greeting
from qmpcheck.version import Version

if TYPE_CHECKING:
    from qmpcheck.drift.fit import Fit, Fitting

AUTO = "auto"
"""The name for: the release in each stream's greeting, or without a greeting the newest that fits best."""


class Choice(msgspec.Struct, frozen=True):
    """A spec, and why it was chosen, in words; "" if the user or a greeting named it."""

    spec: Spec
    why: str = ""


of_version = functools.cache(catalogue.of_version)
"""Returns the spec of a version: the same object each time, as `CheckerPool` goes by identity."""

_of_release = functools.cache(catalogue.find)
"""Returns the spec of a release: the same object each time."""


def by_greeting(lines: Sequence[bytes]) -> Spec | None:
    """Return the spec of the first greeting in some lines; None if there is none.

    Raises:
        SpecError: the catalogue has no spec for its version.
    """
    version = next(filter(None, map(greeting.of_line, lines)), None)
    return of_version(version) if version else None


def by_fit(found: Fit, what: str = "") -> Choice:
    """Choose the newest of the releases that fit a stream best.

    Args:
        found: how well each release fits it.
        what: the part of the stream that was compared, in words; "" for all of it.

    Raises:
        SpecError: the stream has no event.
    """
    # Every release fits a stream without events: to choose one would be a guess.
    if not found.events:
        raise SpecError(
            "neither a greeting nor an event in it; if its messages are inside other text, add --input json"
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
    """Finds the spec of one stream while the stream is read: a greeting names it, or else the events show it.

    Args:
        waits_for_end: whether a stream without a greeting is compared as a whole; otherwise its first events
            decide.
    """

    def __init__(self, waits_for_end: bool) -> None:
        self._waits_for_end = waits_for_end
        self._greeted: Choice | None = None
        self._fitting: Fitting | None = None

    @property
    def needs_parts(self) -> bool:
        """Whether the caller must keep what it adds, as the stream can be read only once."""
        return not self._waits_for_end

    def add(self, lines: Sequence[bytes], numbers: Sequence[int]) -> Choice | None:
        """Add the next lines, and return the spec as soon as it is known: they can be checked by it at once.

        Args:
            lines: the next lines of the stream.
            numbers: their line numbers.

        Raises:
            SpecError: the catalogue has no spec for a greeting's version.
        """
        spec = by_greeting(lines)
        # Of a stream that is read twice, a greeting after other lines comes too late: these were not kept.
        if spec and (self._fitting is None or not self._waits_for_end):
            return Choice(spec)
        self._greeted = self._greeted or (Choice(spec) if spec else None)
        if self._fitting is None:
            from qmpcheck.drift.fit import Fitting  # most streams have a greeting

            self._fitting = Fitting()
        self._fitting.add(lines, numbers)
        if self._waits_for_end or not self._fitting.has_begun:
            return None
        found = self._fitting.result()
        return by_fit(found, "the first event" if found.events == 1 else f"the first {found.events} events")

    def finish(self) -> Choice:
        """Return the spec that the whole stream shows.

        Raises:
            SpecError: there was no event.
        """
        assert self._fitting
        return self._greeted or by_fit(self._fitting.result())


def is_of_another_release(spec: Spec, version: Version) -> bool:
    """Whether a spec is that of a release, and a build of this version is not checked by it unless asked."""
    releases = catalogue.all_series(spec)
    if not releases or version[:2] in releases:
        return False
    before = catalogue.at_or_before(version)
    return before is None or spec.id not in (before.id, of_version(version).id)


def several_releases(versions: Sequence[Version]) -> str:
    """Return why no single spec fits a stream whose greetings name these versions; "" if one does."""
    specs = {of_version(each).name: each for each in reversed(versions)}
    if len(specs) <= 1:
        return ""
    named = " and ".join(map(str, reversed(specs.values())))
    return (
        f"its greetings name several releases ({named}): check each part by itself, or choose one with --spec"
    )
