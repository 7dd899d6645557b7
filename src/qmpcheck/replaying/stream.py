"""Choose what a server plays: a recording, or a generated stream of a release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from qmpcheck.generating.stream import Generation, encoded
from qmpcheck.replaying import session
from qmpcheck.replaying.release import ReplayedRelease
from qmpcheck.replaying.session import ReplaySession
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import quoted, safe
from qmpcheck.version import of_greeting


class ReplayStream(NamedTuple):
    """A stream, and the release that sends it.

    Attributes:
        name: as reports call it.
        release: says how commands are answered.
        sessions: one for each connection; none if there is no event.
    """

    name: str
    release: ReplayedRelease
    sessions: Sequence[ReplaySession] = ()


def recorded(path: str, spec: str | None = None) -> ReplayStream:
    """Return the stream in a file, with its own greetings.

    Args:
        path: of the file, in any format that qmpcheck reads.
        spec: the name of the release; None for the one that the first greeting names.

    Raises:
        SpecError: it cannot be read, or nothing says which release wrote it.
    """
    sessions = session.read(path)
    greeting = next((each.greeting for each in sessions if each.greeting), None)
    if spec is not None:
        return ReplayStream(path, ReplayedRelease(catalogue.find(spec), greeting), sessions)
    version = of_greeting(greeting)
    if version is None:
        raise SpecError(f"{safe(path)}: no greeting that names the release; name it with --spec")
    return ReplayStream(path, ReplayedRelease(catalogue.of_version(version), greeting), sessions)


def generated(spec: Spec, events: int | None = None, seed: int = 0) -> ReplayStream:
    """Return a stream that shows what a release can send.

    Args:
        spec: the release.
        events: how many; None for as many as it takes to show everything.
        seed: decides what the spec leaves open.

    Raises:
        SpecError: nothing can be generated, or the spec is not that of a release.
    """
    messages = Generation(spec, seed).messages(events)
    return ReplayStream(spec.name, ReplayedRelease(spec), session.sessions(map(encoded, messages)))


def specs(name: str) -> list[Spec]:
    """Return the spec of a name, or the specs of the releases from one to another: `9.2..11.1`.

    Raises:
        SpecError: there is no such spec.
    """
    first, separator, last = name.partition("..")
    if re.fullmatch(r"[\d.]+-[\d.]+", name):
        raise SpecError(
            f"{quoted(name)}: write {name.replace('-', '..')} for these releases and those between"
        )
    if not separator or "/" in name:
        return [catalogue.find(name)]
    names = [each.name for each in catalogue.releases()]
    places = [_place(each, names, name) for each in (first, last)]
    found = list(catalogue.releases()[places[0] : places[1] + 1])
    if not found:
        raise SpecError(f"{quoted(name)}: {first} is newer than {last}")
    return found


def _place(release: str, names: list[str], name: str) -> int:
    try:
        spec = catalogue.find(release)
    except SpecError as error:
        raise SpecError(f"{quoted(name)}: {error}") from None
    for known in (spec.name, spec.id):  # a patch level has the id of its release
        if known in names:
            return names.index(known)
    raise SpecError(f"{quoted(name)}: {quoted(release)} is no release")
