"""Find a spec by its name: an edition, a release, a revision, a file, a source tree, or a binary."""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING

import msgspec

from qmpcheck import rate_limits, rulebase
from qmpcheck.rulebase import SCHEMA, RuleBase, SpecError
from qmpcheck.specs import local_rules
from qmpcheck.text import quoted, safe
from qmpcheck.version import Origin, Version, of_name
from qmpcheck.wording import did_you_mean

if TYPE_CHECKING:
    from qmpcheck.specs.load import LoadedSpec


class SpecEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One spec of the catalogue.

    Attributes:
        id: the name of its rule base's file: the first ten digits of the commit, or for a schema the release.
        commits: the revisions with the same text.
        date: when it came into QEMU's main line, YYYY-MM-DD; "" if that is not known of a release that the
            user added.
        source: the kind of document.
        events: how many events it describes.
        follow_ups: how many follow-up rules it states.
        edition: `v1` … `v6`; "" for all others.
        releases: the names of the releases that shipped it.
        path: the file of a release that the user added; "" for those that come with qmpcheck.
    """

    id: str
    commits: tuple[str, ...]
    date: str
    source: str
    events: int
    follow_ups: int
    edition: str = ""
    releases: tuple[str, ...] = ()
    path: str = ""


class SpecName(msgspec.Struct, frozen=True):
    """What reports say of a spec: `Spec` without its rules, so that results are small.

    `not_understood` is the number of its lines that may state a rule which it does not have.
    """

    name: str
    id: str
    newer: str = ""
    note: str = ""
    not_understood: int = 0

    @property
    def full(self) -> str:
        """The name that was asked for, and the one that never changes if that differs; not safe to print."""
        return self.name if self.name == self.id else f"{self.name} ({self.id})"


class Spec(msgspec.Struct, frozen=True):
    """A rule base and its names.

    Attributes:
        name: the name that was asked for.
        id: the name that never changes.
        rule_base: the rules.
        newer: the release of the build to check, if the catalogue does not have it yet; "" otherwise.
            Findings about what may simply be new are warnings then.
        note: what the user should know about the choice of this spec, safe to print; "" for nothing.
        origin: where a spec outside of the catalogue comes from.
    """

    name: str
    id: str
    rule_base: RuleBase
    newer: str = ""
    note: str = ""
    origin: Origin = Origin()

    @property
    def named(self) -> SpecName:
        """What reports say of it."""
        return SpecName(self.name, self.id, self.newer, self.note, self.rule_base.not_understood)


def find(name: str) -> Spec:
    """Return the spec of a name: `v2`, `1.1`, `d74c7dfd1b`, `latest`, a path, `qemu:PATH`, `git:REV`.

    Raises:
        SpecError: there is no such spec, or the file or the binary has none.
    """
    if name.startswith(_OUTSIDE):
        return _external(name)
    # The catalogue comes first: a file that is called 7.2 must not hide the release.
    entry = _entry(name)
    if entry:
        return Spec(_newest() if name == "latest" else name, entry.id, _load(entry))
    version = of_name(name)
    newer = _newer(version) if version else ""
    series = _named(version.release) if version and not newer else None
    if version and series:
        as_stated = Spec(name, series.id, _load(series))
        is_other = version.is_development or rate_limits.is_changed(version)
        return msgspec.structs.replace(of_version(version), name=name) if is_other else as_stated
    if _is_path(name):
        return _external(name)
    if newer:
        raise SpecError(f"no spec is called {quoted(name)}: it is {newer}")
    revision = f"; for a revision of QEMU, write git:{safe(name)}" if os.path.exists(".git") else ""
    raise SpecError(f"no spec is called {quoted(name)}{_near(name)}; `qmpcheck specs` lists them{revision}")


def of_version(version: Version) -> Spec:
    """Return the spec that a build of a version is checked against.

    That is the spec of its release, with what is known about its patch level. A release candidate is checked
    as the release. A version between two releases may do what either of them allows. A build that is newer
    than the catalogue is checked against the newest release; see `Spec.newer`.

    Raises:
        SpecError: the catalogue has no release that is old enough.
    """
    before, after = _neighbours(version)
    if before is None:
        raise SpecError(
            f"the catalogue has no release {version.release}; `qmpcheck specs` lists those that it has"
        )
    if not version.is_development and _series(before.name)[:2] == version[:2]:
        return before.spec(version)
    if after is None:
        wanted = version.next_release if version.is_development else version.release
        note = f"{version} is checked against {before.name}, and what may be new in {wanted} is a warning"
        return msgspec.structs.replace(
            before.spec(version), newer=wanted, note=f"{note}: it is {_newer(version)}"
        )
    if version.is_candidate:
        return msgspec.structs.replace(
            after.spec(Version(*_series(after.name)[:2])),
            note=f"{version} is a release candidate of {after.name}: it is checked as {after.name}",
        )
    return _between(version, before, after)


class _Release(msgspec.Struct, frozen=True):
    """A release and its spec's entry."""

    name: str
    entry: SpecEntry

    def spec(self, version: Version) -> Spec:
        """Return its spec; if the version is one of its patch levels, with what is known about that."""
        rules = _load(self.entry)
        is_patch = _series(self.name)[:2] == version[:2]
        return Spec(self.name, self.entry.id, rate_limits.of_build(rules, version) if is_patch else rules)


def _neighbours(version: Version) -> tuple[_Release | None, _Release | None]:
    """Return the newest release that is not newer than a version, and the release after that."""
    releases = [_Release(*each) for each in _release_entries() if not each[0].endswith(":txt")]
    # A development version is not a patch level: it is newer than all of them.
    wanted = (*version[:2], min(version.micro, _LAST_PATCH))
    older = [each for each in releases if _series(each.name) <= wanted]
    return (older[-1] if older else None), (releases[len(older)] if len(older) < len(releases) else None)


_LAST_PATCH = 49
"""The highest patch level of a series; from 50 on, versions are development versions."""


def _between(version: Version, before: _Release, after: _Release) -> Spec:
    from qmpcheck.specs.either import either

    name = f"{before.name} or {after.name}"
    rule_base = either(_load(before.entry), _load(after.entry))
    note = f"{version} is a version between {before.name} and {after.name}: what either allows is allowed"
    return Spec(name, _digest(rule_base), rule_base, note=note)


def _newer(version: Version) -> str:
    """Say what to do about a version that is newer than the catalogue; "" if it is not."""
    newest = _newest()
    series = _series(newest)[:2]
    release = version.next_release if version.is_development else version.release
    if series > version[:2] or (series == version[:2] and not version.is_development):
        return ""
    return (
        f"newer than {newest}, the newest release that qmpcheck knows; update qmpcheck, add the release from "
        f"its source tree (qmpcheck compile TREE --as {release} --install), or name as the spec qemu:PATH, "
        "which is what that binary says about itself"
    )


def series(spec: Spec) -> tuple[int, int] | None:
    """Return the newest release that a spec is the schema or the document of, as (major, minor), or None."""
    return max(all_series(spec), default=None)


def all_series(spec: Spec) -> list[tuple[int, int]]:
    """Return the releases whose schema or document a spec is, each as (major, minor)."""
    found = (_series(release) for release, entry in _release_entries() if entry.id == spec.id)
    return [(major, minor) for major, minor in found]


def at_or_before(version: Version) -> Spec | None:
    """Return the spec of a version's release, or else of the newest release before; None if it is too old."""
    before, _ = _neighbours(version)
    return msgspec.structs.replace(before.spec(version), name=before.entry.id) if before else None


@functools.cache
def releases() -> tuple[Spec, ...]:
    """Return the releases, oldest first: up to 2.0 with the event document, then with their schemas."""
    return tuple(
        Spec(release, entry.id, _load(entry))
        for release, entry in _release_entries()
        if not release.endswith(":txt")
    )


@functools.cache
def text_revisions() -> tuple[Spec, ...]:
    """Return the revisions of the event document, oldest first, each named by its commit."""
    return tuple(
        Spec(entry.id, entry.id, _load(entry)) for entry in entries() if entry.source == TEXT_DOCUMENT
    )


TEXT_DOCUMENT = "qmp-events.txt"


@functools.cache
def entries() -> tuple[SpecEntry, ...]:
    """Return all specs of the catalogue, oldest first, with the releases that the user added.

    Raises:
        SpecError: the file of an added release cannot be read.
    """
    shipped = msgspec.json.decode(rules_file("index.json"), type=tuple[SpecEntry, ...])
    known = {release for entry in shipped for release in entry.releases}
    # What comes with qmpcheck wins: its dates and rules are the same for everybody.
    added = [_local(each) for each in local_rules.releases() if each.name not in known]
    return (*shipped, *sorted(added, key=lambda entry: _series(entry.id)))


def _local(release: local_rules.LocalRelease) -> SpecEntry:
    rules = release.rule_base
    return SpecEntry(
        release.name,
        (release.origin.commit,) if release.origin.commit else (),
        release.origin.date,
        f"local: {release.path}",
        len(rules.events),
        rules.follow_ups,
        releases=(release.name,),
        path=release.path,
    )


def _load(entry: SpecEntry) -> RuleBase:
    return (
        local_rules.read(entry.path).rule_base
        if entry.path
        else rulebase.load(rules_file(f"{entry.id}.json"))
    )


def rules_file(name: str) -> bytes:
    """Read a file of the folder `rules`."""
    with open(os.path.join(data_folder("rules"), name), "rb") as file:
        return file.read()


@functools.cache
def data_folder(name: str) -> str:
    """Return the path of `rules` or `clients`: in the installed package, or beside `src` in a checkout."""
    package = os.path.dirname(rulebase.__file__)
    installed = os.path.join(package, name)
    return installed if os.path.isdir(installed) else os.path.join(package, "..", "..", name)


def names(entry: SpecEntry) -> tuple[str, ...]:
    """Return the names of an entry for `--spec`, the best one first."""
    return tuple(dict.fromkeys([*filter(None, [entry.edition]), *entry.releases, entry.id]))


def _entry(name: str) -> SpecEntry | None:
    if name == "latest":
        return _named(_newest())
    # The text that a release had beside its schema also goes by the names of patch levels: 2.5.1:txt.
    text = re.fullmatch(r"(\d+\.\d+)\.\d+:txt", name)
    return _named(name.lower()) or (_named(f"{text[1]}:txt") if text else None) or _of_commit(name.lower())


def _newest() -> str:
    return _release_entries()[-1][0]


def _named(name: str) -> SpecEntry | None:
    for each in (name, name.removesuffix(":txt")):  # up to 2.0 the text goes by the release's plain name
        for entry in entries():
            # The schema of a release has its name for an id: that is no text.
            if each in names(entry) and not (each != name and entry.id == each):
                return entry
    return None


def _of_commit(name: str) -> SpecEntry | None:
    if not re.fullmatch(r"[0-9a-f]{7,40}", name):
        return None
    return next((entry for entry in entries() for each in entry.commits if each.startswith(name)), None)


def _near(name: str) -> str:
    known = ["latest", *(each for entry in entries() for each in names(entry))]
    if f"{name}:txt" in known:
        known = [f"{name}:txt"]
    if name.isdecimal() and (series := [each for each in known if each.startswith(f"{name}.")]):
        known = series  # 10 means 10.0 rather than 1.0
    return did_you_mean(name, known)


def _is_path(name: str) -> bool:
    """Whether a name that the catalogue does not know can only be a path."""
    return "/" in name or os.path.exists(name) or bool(re.search(r"@(old|new)$|\.[A-Za-z]\w*$", name))


_BINARY = "qemu:"
_OUTSIDE = (_BINARY, "git:")
"""What names begin with that are never looked up here."""


def _external(name: str) -> Spec:
    from qmpcheck.specs import load

    if name.startswith(_BINARY):
        return external(name, load.ask(name.removeprefix(_BINARY)))
    return external(name, load.read(name))


def external(name: str, loaded: LoadedSpec) -> Spec:
    """Return a spec from outside of the catalogue. For a binary, the rules of its release are added."""
    rule_base = loaded.rule_base
    # Introspection has no prose, and so no follow-ups; a schema without any really has none.
    is_silent = rule_base.source != SCHEMA and not rule_base.follow_ups
    version = loaded.origin.version
    release = at_or_before(version) if version and is_silent else None
    if release:
        from qmpcheck.specs.release_rules import with_release_rules

        rule_base = with_release_rules(rule_base, release.rule_base)
    return Spec(name, _digest(rule_base), rule_base, origin=loaded.origin)


def _digest(rule_base: RuleBase) -> str:
    import hashlib

    # The same rules have the same id, wherever they come from.
    return hashlib.sha256(rulebase.dump(rule_base)).hexdigest()[:10]


def _release_entries() -> list[tuple[str, SpecEntry]]:
    """Return all names of releases with their entries, by version; a text document precedes the schema."""
    named = [(release, entry) for entry in entries() for release in entry.releases]
    return sorted(named, key=lambda each: (_series(each[0]), not each[0].endswith(":txt")))


def _series(release: str) -> tuple[int, ...]:
    """Return the numbers in the name of a release, to sort by."""
    return tuple(map(int, release.removesuffix(":txt").split(".")))
