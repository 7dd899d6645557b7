"""`--spec auto`: the release that the streams themselves name, or else that fits them best."""

from __future__ import annotations

import os
import stat
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
    """The spec of the one release that the streams' greetings are of; the best fit if there is none.

    A stream that cannot be read, or has no greeting, is left to what the others say.

    Args:
        paths: of the streams.
        follow: whether they are still being written: then the first line is waited for, and decides.

    Raises:
        SpecError: they tell several releases, or one that the catalogue does not have; or none tells one,
            and there is nothing to fit.
    """
    versions: dict[str, tuple[Version, ...]] = {}
    unreadable: dict[str, str] = {}
    for path in paths:
        try:
            versions[path] = _versions(path, follow)
        except Unreadable as error:  # noqa: PERF203 -- once a stream
            unreadable[path] = str(error)
    told: dict[str, tuple[str, Version]] = {}  # by release: the first stream that tells of it, and how
    for path, found in versions.items():
        for each in found:
            told.setdefault(each.release, (path, each))
    if len(told) > 1:
        firsts = ", ".join(f"{safe(path)}: {version}" for path, version in told.values())
        raise SpecError(f"the streams are of several releases ({firsts}); name a spec")
    without = [path for path, found in versions.items() if not found]
    if not told:
        for path, reason in unreadable.items():
            raise SpecError(f"{safe(path)}: {reason}")
        if follow or not all(map(_can_be_read_twice, paths)):
            raise SpecError(f"{safe(without[0])}: no greeting that tells the version; name a spec")
        return _best_fit(paths)
    [(_, version)] = told.values()
    if without:
        tell(f"no greeting in {', '.join(map(safe, without))}: taken for {version.release}, as the others")
    return catalogue.of_version(version)


def _versions(path: str, follow: bool) -> tuple[Version, ...]:
    """The versions in a stream's greetings, as far as they are looked for."""
    if _is_pipe(path):
        raise SpecError(f"{safe(path)}: a pipe is read once: name a spec, or give it as standard input")
    if follow:
        return tuple(filter(None, [greeting.of_first_line(path)]))
    return greeting.of_stream(path, path != source.STANDARD_INPUT)


def _is_pipe(path: str) -> bool:
    try:
        return path != source.STANDARD_INPUT and stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _can_be_read_twice(path: str) -> bool:
    return path != source.STANDARD_INPUT and os.path.isfile(path)


def _best_fit(paths: Sequence[str]) -> Spec:
    from qmpcheck.drift import fit

    streams = ", ".join(map(safe, paths))
    try:
        found = fit.fit(paths)
    except Unreadable as error:
        raise SpecError(f"{streams}: {error}") from None
    if found.versions:
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
