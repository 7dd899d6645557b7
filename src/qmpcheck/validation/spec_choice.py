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
    from qmpcheck.drift.fit import Fit

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
    return Choice(_of_release(found.newest), f"no greeting: taken for {found.newest}, {_why(found, what)}")


def _why(found: Fit, what: str) -> str:
    from qmpcheck.wording import release_ranges_text

    of_them = f" {what}" if what else ""
    if not found.conforming:
        return f"the newest; none fits {what or 'any event'}"
    if not found.is_whole:
        return f"which fits{of_them} best; no release fits wholly"
    if found.best.count(True) == 1:
        return f"the only one that fits{of_them}"
    return f"the newest of {release_ranges_text(found.best, found.names)} that fit{of_them}"


def several_releases(versions: Sequence[Version]) -> str:
    """Why no spec judges a stream whose greetings name these versions; "" where one does."""
    specs = {of_version(each).name: each for each in reversed(versions)}
    if len(specs) <= 1:
        return ""
    named = " and ".join(map(str, reversed(specs.values())))
    return (
        f"its greetings name several releases ({named}): check each part by itself, or choose one with --spec"
    )
