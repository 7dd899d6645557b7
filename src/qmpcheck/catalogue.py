"""What a spec's name means: an edition, a release, a revision, a file, or a binary."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.printable import quoted
from qmpcheck.rulebase import RuleBase, SpecError

if TYPE_CHECKING:
    from qmpcheck.specfile import Told
    from qmpcheck.version import Version


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One spec of the catalogue.

    Attributes:
        id: names the file of its rule base; the first ten digits of its commit, or of a schema the release.
        commits: the revisions that read the same.
        date: when it came into QEMU's main line, YYYY-MM-DD.
        source: the kind of document.
        events: how many events it describes.
        follow_ups: how many follow-up rules it states.
        edition: `v1` … `v6`, if it is one of the six.
        releases: the names of the releases that shipped it.
    """

    id: str
    commits: tuple[str, ...]
    date: str
    source: str
    events: int
    follow_ups: int
    edition: str = ""
    releases: tuple[str, ...] = ()


class Spec(NamedTuple):
    """A rule base and the names it goes by: `name` as asked for, `id` for good."""

    name: str
    id: str
    rule_base: RuleBase


def find(name: str) -> Spec:
    """The spec that a name means: `v2`, `1.1`, `2.5:txt`, `d74c7dfd1b`, `latest`, a path, or `qemu:PATH`.

    Raises:
        SpecError: it means none, or the file or the binary is none.
    """
    if name.startswith(_BINARY):
        return _foreign(name)
    entry = _entry(name)
    if entry:
        return Spec(name, entry.id, _load(entry.id))
    if _is_path(name):
        return _foreign(name)
    newer = _newer(name)
    if newer:
        raise SpecError(f"no spec is called {quoted(name)}: {newer}")
    raise SpecError(f"no spec is called {quoted(name)}{_near(name)}; `qmpcheck specs` lists them")


def of_version(version: Version) -> Spec:
    """The spec of the release that a version is of.

    Raises:
        SpecError: the catalogue does not have it.
    """
    if _named(version.release) is None:
        raise SpecError(
            _newer(version.release)
            or f"the catalogue has no release {version.release}; `qmpcheck specs` lists those that it has"
        )
    return find(version.release)


def _newer(name: str) -> str:
    """What to do about the name of a release that is newer than all of the catalogue; "" of another name."""
    release = re.match(r"([0-9]{1,4}\.[0-9]{1,4})(\.[0-9]+)?$", name)
    newest = find("latest").id
    if not release or _series(release[1]) <= _series(newest):
        return ""
    return (
        f"{release[1]} is newer than {newest}, the catalogue's newest release; "
        f"name the spec: {newest}, or qemu:PATH to ask that binary itself"
    )


def series(spec: Spec) -> tuple[int, int] | None:
    """The release that a spec is the schema or the document of, as (major, minor); None if it is of none."""
    release = next((release for release, entry in reversed(_releases()) if entry.id == spec.id), None)
    if release is None:
        return None
    major, minor = _series(release)
    return major, minor


def at_or_before(version: Version) -> Spec | None:
    """The spec of the release that a version is of, or else of the newest before it, if there is one."""
    entry = _release_at(version)
    return find(entry.id) if entry else None


@functools.cache
def line() -> tuple[Spec, ...]:
    """The releases, oldest first: up to 2.0 as the event document tells of them, then by their schemas."""
    return tuple(
        Spec(release, entry.id, _load(entry.id))
        for release, entry in _releases()
        if not release.endswith(":txt")
    )


@functools.cache
def texts() -> tuple[Spec, ...]:
    """The revisions of the event document, oldest first, by their commits."""
    return tuple(
        Spec(entry.id, entry.id, _load(entry.id)) for entry in entries() if entry.source == TEXT_DOCUMENT
    )


TEXT_DOCUMENT = "qmp-events.txt"


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All specs of the catalogue, oldest first."""
    return msgspec.json.decode(rules_file("index.json"), type=tuple[Entry, ...])


def _load(id: str) -> RuleBase:
    return rulebase.load(rules_file(f"{id}.json"))


def rules_file(name: str) -> bytes:
    """A file of the folder `rules`, which is inside the installed package or beside `src`."""
    with open(os.path.join(_rules_folder(), name), "rb") as file:
        return file.read()


@functools.cache
def _rules_folder() -> str:
    package = os.path.dirname(__file__)
    installed = os.path.join(package, "rules")
    return installed if os.path.isdir(installed) else os.path.join(package, "..", "..", "rules")


def names(entry: Entry) -> tuple[str, ...]:
    """What `--spec` takes for an entry, the best name first."""
    return tuple(dict.fromkeys([*filter(None, [entry.edition]), *entry.releases, entry.id]))


def _entry(name: str) -> Entry | None:
    if name == "latest":
        return max((entry for entry in entries() if entry.id in entry.releases), key=_release)
    return _named(name.lower()) or _of_patch_level(name) or _of_commit(name.lower())


def _named(name: str) -> Entry | None:
    for each in (name, name.removesuffix(":txt")):  # up to 2.0 the text goes by the release's plain name
        for entry in entries():
            if each in names(entry) and not (each != name and entry.id == each):
                return entry
    return None


def _release(entry: Entry) -> tuple[int, ...]:
    return tuple(map(int, entry.id.split(".")))


def _of_patch_level(name: str) -> Entry | None:
    match = re.fullmatch(r"(\d+\.\d+)\.\d+(:txt)?", name)
    return _named(match[1] + (match[2] or "")) if match else None


def _of_commit(name: str) -> Entry | None:
    if not re.fullmatch(r"[0-9a-f]{7,40}", name):
        return None
    return next((entry for entry in entries() if _is_commit(entry, name)), None)


def _is_commit(entry: Entry, name: str) -> bool:
    return any(commit.startswith(name) for commit in entry.commits)


def _near(name: str) -> str:
    known = ["latest", *(each for entry in entries() for each in names(entry))]
    near = [each for each in known if each == f"{name}:txt"] or near_names(name, known)
    return f" (near: {', '.join(near)})" if near else ""


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """The known names that a mistyped one may have meant, the nearest first."""
    import difflib

    names = [*known]
    others = {each.lower(): each for each in names}
    same = others.get(name.lower())
    return [same] if same else difflib.get_close_matches(name[:80], names, 4, cutoff=0.5)


def _is_path(name: str) -> bool:
    """Whether a name that the catalogue does not know can only be a path."""
    return "/" in name or os.path.exists(name) or bool(re.search(r"@(old|new)$|\.[A-Za-z]\w*$", name))


_BINARY = "qemu:"


def _foreign(name: str) -> Spec:
    from qmpcheck import specfile

    path = name.removeprefix(_BINARY)
    return foreign(name, specfile.ask(path) if name.startswith(_BINARY) else specfile.read(name))


def foreign(name: str, told: Told) -> Spec:
    """A spec from elsewhere, with what only the release of its version tells."""
    import hashlib

    rule_base = told.rule_base
    entry = _release_at(told.version) if told.version else None
    if entry:
        from qmpcheck.lending import lent

        rule_base = lent(rule_base, find(entry.id).rule_base)
    return Spec(name, hashlib.sha256(rulebase.dump(rule_base)).hexdigest()[:10], rule_base)


def _release_at(version: Version) -> Entry | None:
    """The same as an entry."""
    before = [entry for release, entry in _releases() if _series(release) <= version[:2]]
    return before[-1] if before else None


def _releases() -> list[tuple[str, Entry]]:
    """All names of releases, by their versions; the text document of one comes before its schema."""
    named = [(release, entry) for entry in entries() for release in entry.releases]
    return sorted(named, key=lambda each: (_series(each[0]), not each[0].endswith(":txt")))


def _series(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.removesuffix(":txt").split(".")))
