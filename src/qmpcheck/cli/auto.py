"""`--spec auto`: the release that the streams themselves name, or else that fits them best."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from qmpcheck import catalogue
from qmpcheck.catalogue import Spec
from qmpcheck.cli.messages import tell
from qmpcheck.printable import safe
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import greeting, source
from qmpcheck.streams.source import Unreadable
from qmpcheck.version import Version
from qmpcheck.wording import first_of

if TYPE_CHECKING:
    from qmpcheck.drift.fit import Fit


def spec(paths: Sequence[str]) -> Spec:
    """The spec of the one release that the streams' greetings are of; the best fit if there is none.

    A stream that cannot be read, or has no greeting, is left to what the others say.

    Raises:
        SpecError: they tell several releases, or one that the catalogue does not have; or none tells one,
            and there is nothing to fit.
    """
    versions: dict[str, Sequence[Version]] = {}
    unreadable: dict[str, str] = {}
    for path in paths:
        try:
            versions[path] = _versions(path)
        except Unreadable as error:  # noqa: PERF203 -- once a stream
            unreadable[path] = str(error)
    told = _told(versions)
    without = [path for path, found in versions.items() if not found]
    if not told:
        for path, reason in unreadable.items():
            raise SpecError(f"{safe(path)}: {reason}")
        if not all(map(_can_be_read_twice, paths)):
            raise SpecError(f"{safe(without[0])}: no greeting that tells the version; name a spec")
        return _best_fit(paths)
    if without:
        tell(f"no greeting in {', '.join(map(safe, without))}: taken for {told.name}, as the others")
    return told


def spec_of_beginning(path: str) -> Spec:
    """The spec of the release that a stream's first line is a greeting of, though it is still being written.

    If that is none, it is the best fit of what the stream holds by now; an event is waited for.

    Raises:
        SpecError: it cannot be read, tells several releases, or one that the catalogue does not have; or it
            ends before there is anything to fit.
    """
    _refuse_pipe(path)
    try:
        version = greeting.of_first_line(path)
        if version and (told := _told({path: [version]})):
            return told
        from qmpcheck.drift import fit

        found = fit.fit_beginning(path)
    except Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    told = _told({path: found.versions})
    if told:
        return told
    first = "the first event" if found.events == 1 else f"the first {found.events} events"
    return _fitted(found, safe(path), first)


class _Told(NamedTuple):
    """A version that a stream's greeting tells, and what it is checked against."""

    path: str
    version: Version
    spec: Spec


def _told(versions: Mapping[str, Sequence[Version]]) -> Spec | None:
    """The spec that the versions in streams' greetings mean; None where there is no greeting.

    Raises:
        SpecError: they are of several releases, or of one that the catalogue does not have.
    """
    told = [_of_version(each, path) for path, found in versions.items() for each in dict.fromkeys(found)]
    if not told:
        return None
    firsts = {(each.spec.name, each.spec.newer): each for each in reversed(told)}
    if len(firsts) > 1:
        listed = first_of([f"{safe(each.path)}: {each.version}" for each in reversed(firsts.values())])
        apart = ", or check each release's by themselves" * (len(versions) > 1)
        raise SpecError(f"the streams are of several releases ({listed}); name a spec{apart}")
    for note in dict.fromkeys(each.spec.note for each in told):
        if note:
            tell(note)
    first = told[0].spec
    is_one = all(each.spec.rule_base == first.rule_base for each in told)
    return first if is_one else catalogue.find(first.name)  # of several patch levels: what their release says


def _of_version(version: Version, path: str) -> _Told:
    try:
        return _Told(path, version, catalogue.of_version(version))
    except SpecError as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def _versions(path: str) -> tuple[Version, ...]:
    """The versions in a stream's greetings, as far as they are looked for."""
    _refuse_pipe(path)
    return greeting.of_stream(path, path != source.STANDARD_INPUT)


def _refuse_pipe(path: str) -> None:
    if _is_pipe(path):
        raise SpecError(f"{safe(path)}: a pipe is read once: name a spec, or give it as standard input")


def _is_pipe(path: str) -> bool:
    try:
        return path != source.STANDARD_INPUT and stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _can_be_read_twice(path: str) -> bool:
    return path == source.STANDARD_INPUT or os.path.isfile(path)


def _best_fit(paths: Sequence[str]) -> Spec:
    from qmpcheck.drift import fit

    streams = ", ".join(map(safe, paths))
    try:
        found = fit.fit(paths, ahead=True)
    except Unreadable as error:
        raise SpecError(f"{streams}: {error}") from None
    if found.versions:
        raise SpecError(f"{streams}: no greeting that tells the version near the beginning; name a spec")
    return _fitted(found, streams)


def _fitted(found: Fit, streams: str, what: str = "") -> Spec:
    """The newest release that fits best.

    Args:
        found: how they fit.
        streams: in words.
        what: was fitted of them, in words; "" for all.

    Raises:
        SpecError: there was no event.
    """
    if not found.events:
        raise SpecError(f"{streams}: no greeting that tells the version, and no event; name a spec")
    tell(f"no greeting in {streams}: taken for {found.newest}, {_why(found, what)}")
    return catalogue.find(found.newest)


def _why(found: Fit, what: str) -> str:
    from qmpcheck.drift import releases

    of_them = f" {what}" if what else ""
    if not found.conforming:
        return f"the newest; none fits {what or 'any event'}"
    if not found.is_whole:
        return f"which fits{of_them} best; no release fits wholly"
    if found.best.count(True) == 1:
        return f"the only one that fits{of_them}"
    return f"the newest of {releases.text(found.best, found.names)} that fit{of_them}"
