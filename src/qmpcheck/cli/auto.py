"""`--spec auto`: the release that the streams themselves name, or else that fits them best."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qmpcheck import catalogue
from qmpcheck.catalogue import Spec
from qmpcheck.cli.messages import tell
from qmpcheck.printable import safe
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import greeting, source
from qmpcheck.streams.source import Unreadable
from qmpcheck.version import Version

if TYPE_CHECKING:
    from qmpcheck.drift.fit import Fit


def spec(paths: Sequence[str], follow: bool) -> Spec:
    """The spec of the one release that all streams' first greetings are of; the best fit if none has any.

    Args:
        paths: of the streams.
        follow: whether they are still being written: then the first line is waited for, and decides.

    Raises:
        SpecError: they tell several versions, or not all tell one, or the catalogue does not have the
            release; or none tells one, and there is nothing to fit.
    """
    versions = {path: _version(path, follow) for path in paths}
    told = {version.release: version for version in versions.values() if version}
    if not told and not follow and all(map(_can_be_read_twice, paths)):
        return _best_fit(paths)
    for path, version in versions.items():
        if version is None:
            raise SpecError(f"{safe(path)}: no greeting that tells the version; name a spec")
    if len(told) > 1:
        each = ", ".join(f"{safe(path)}: {version}" for path, version in versions.items())
        raise SpecError(f"the streams are of several releases ({each}); name a spec")
    return catalogue.of_version(next(iter(told.values())))


def _version(path: str, follow: bool) -> Version | None:
    try:
        return greeting.of_first_line(path) if follow else greeting.of_stream(path)
    except Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def _can_be_read_twice(path: str) -> bool:
    return path != source.STANDARD_INPUT and os.path.isfile(path)


def _best_fit(paths: Sequence[str]) -> Spec:
    from qmpcheck.drift import fit

    streams = ", ".join(map(safe, paths))
    try:
        found = fit.fit(paths)
    except Unreadable as error:
        raise SpecError(f"{streams}: {error}") from None
    if found.version:
        raise SpecError(f"{streams}: no greeting that tells the version near the beginning; name a spec")
    if not found.events:
        raise SpecError(f"{streams}: no greeting that tells the version, and no event; name a spec")
    tell(f"no greeting in {streams}: taken for {found.newest}, {_why(found)}")
    return catalogue.find(found.newest)


def _why(found: Fit) -> str:
    from qmpcheck.drift import releases

    if not found.is_whole:
        return "which fits best; no release fits wholly"
    if found.best.count(True) == 1:
        return "the only one that fits"
    return f"the newest of {releases.text(found.best, found.names)} that fit"
