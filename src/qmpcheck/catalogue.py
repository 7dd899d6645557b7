"""What a spec's name means: an edition, a release, a revision, a file, or a binary."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.printable import quoted, safe, shortened
from qmpcheck.rulebase import RuleBase
from qmpcheck.version import Version


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One spec of the catalogue.

    Attributes:
        id: names the file of its rule base; the first ten digits of its commit.
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


class SpecError(ValueError):
    """A name that means no spec, or a file or a binary that cannot be read as one."""


def find(name: str) -> Spec:
    """The spec that a name means: `v2`, `1.1`, `2.5:txt`, `d74c7dfd1b`, `latest`, a path, or `qemu:PATH`.

    Raises:
        SpecError: it means none, or the file or the binary is none.
    """
    if name.startswith(_BINARY):
        return _from_binary(name)
    entry = _entry(name)
    if entry:
        return Spec(name, entry.id, rulebase.load(rules_file(f"{entry.id}.json")))
    if _is_path(name):
        return _from_path(name)
    raise SpecError(f"no spec is called {quoted(name)}{_near(name)}; `qmpcheck specs` lists them")


def of_version(version: Version) -> Spec:
    """The spec of the release that a version is of.

    Raises:
        SpecError: the catalogue does not have it.
    """
    if _named(version.release) is None:
        series = [release for release, _ in _releases() if not release.endswith(":txt")]
        raise SpecError(
            f"the catalogue has the releases {series[0]} to {series[-1]}, and not {version.release}; "
            "name one of them, or ask the binary itself: --spec qemu:PATH"
        )
    return find(version.release)


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All specs of the catalogue, oldest first."""
    return msgspec.json.decode(rules_file("index.json"), type=tuple[Entry, ...])


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
    return (*filter(None, [entry.edition]), *entry.releases, entry.id)


def _entry(name: str) -> Entry | None:
    if name == "latest":
        return next(entry for entry in reversed(entries()) if entry.releases)
    return _named(name.lower()) or _of_patch_level(name) or _of_commit(name.lower())


def _named(name: str) -> Entry | None:
    for entry in entries():
        if name in names(entry) or name.removesuffix(":txt") in entry.releases:
            return entry
    return None


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

    return difflib.get_close_matches(name[:80], known, 4, cutoff=0.5)


def _is_path(name: str) -> bool:
    """Whether a name that the catalogue does not know can only be a path."""
    return "/" in name or os.path.exists(name) or bool(re.search(r"@(old|new)$|\.[A-Za-z]\w*$", name))


_BINARY = "qemu:"


def _from_binary(name: str) -> Spec:
    from qmpcheck import binary  # loads asyncio and qemu.qmp, which nothing else needs

    path = name.removeprefix(_BINARY)
    try:
        answer = binary.ask(path)
    except binary.Unanswered as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    return _spec(name, _introspected(path, answer.schema, answer.version))


def _from_path(name: str) -> Spec:
    text, side = read_text(name)
    match kind(text):
        case "rules":
            return _spec(name, _compiled(name, text))
        case "introspection":
            return _spec(name, _introspection(name, text))
        case "document":
            return _spec(name, _document(name, text, side))


def _spec(name: str, rule_base: RuleBase) -> Spec:
    import hashlib

    return Spec(name, hashlib.sha256(rulebase.dump(rule_base)).hexdigest()[:10], rule_base)


def kind(text: str) -> Literal["rules", "introspection", "document"]:
    """What a file's content is: compiled rules, what a binary says of itself, or a text."""
    import json

    text = text.lstrip()
    try:
        first, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return "rules" if re.match(r'\{\s*("|$)', text) else "document"
    if isinstance(first, dict):
        return "rules" if "events" in first else "introspection"
    return "introspection" if isinstance(first, list) else "document"


LARGEST_DOCUMENT = 1 << 22
"""Bytes; the largest event document has a hundredth of that."""


def read_text(name: str) -> tuple[str, str]:
    """A document's text, and which side of it is meant if it is a diff page: `PATH@old`, or `PATH@new`.

    Bytes that are not UTF-8 become U+FFFD.

    Raises:
        SpecError: the file cannot be read, or is too large to be a document.
    """
    side = None if os.path.exists(name) else re.fullmatch(r"(.+)@(old|new)", name)
    try:
        with open(side[1] if side else name, "rb") as file:
            text = file.read(LARGEST_DOCUMENT + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise SpecError(f"{safe(name)}: {reason}") from None
    if len(text) > LARGEST_DOCUMENT:
        raise SpecError(f"{safe(name)}: larger than {LARGEST_DOCUMENT >> 20} MiB, which no event document is")
    return text.decode("utf-8-sig", "replace"), side[2] if side else "new"


def _compiled(name: str, text: str) -> RuleBase:
    try:
        return rulebase.load(text.encode())
    except ValueError as error:
        raise SpecError(
            f"{safe(name)}: not a compiled rule base: {safe(shortened(str(error), 200))}"
        ) from None


def _document(name: str, text: str, side: str) -> RuleBase:
    from qmpcheck import documents  # loads lark, which a catalogue name never needs

    try:
        return documents.read(text, side).rule_base
    except documents.NotADocument as error:
        raise SpecError(f"{safe(name)}: {error}") from None


def _introspection(name: str, text: str) -> RuleBase:
    from qmpcheck.documents import introspection

    try:
        reply = introspection.parse(text)
    except introspection.NotIntrospection as error:
        raise SpecError(f"{safe(name)}: {error}") from None
    return _introspected(name, reply.schema, reply.version)


def _introspected(path: str, schema: list[Any], version: Version | None) -> RuleBase:
    """The rules in a reply to `query-qmp-schema`, with what only the release of that version tells."""
    from qmpcheck.documents import introspection
    from qmpcheck.lending import lent

    try:
        rule_base = introspection.read(schema)
    except introspection.NotIntrospection as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    entry = _release_at(version) if version else None
    return lent(rule_base, find(entry.id).rule_base) if entry else rule_base


def _release_at(version: Version) -> Entry | None:
    """The release that a version is of, or else the newest before it."""
    before = [entry for release, entry in _releases() if _series(release) <= version[:2]]
    return before[-1] if before else None


def _releases() -> list[tuple[str, Entry]]:
    """All names of releases, by their versions; the text document of one comes before its schema."""
    named = [(release, entry) for entry in entries() for release in entry.releases]
    return sorted(named, key=lambda each: (_series(each[0]), not each[0].endswith(":txt")))


def _series(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.removesuffix(":txt").split(".")))
