"""What a spec's name means: an edition, a release, a revision, or a file."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.printable import quoted, safe, shortened
from qmpcheck.rulebase import RuleBase


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


class SpecError(ValueError):
    """A name that means no spec, or a file that cannot be read as one."""


def find(name: str) -> Spec:
    """The spec that a name means: `v2`, `1.1`, `2.5:txt`, `d74c7dfd1b`, `latest`, or a path.

    Raises:
        SpecError: it means none, or the file is none.
    """
    entry = _entry(name)
    if entry:
        return Spec(name, entry.id, rulebase.load(rules_file(f"{entry.id}.json")))
    if _is_path(name):
        return _from_path(name)
    raise SpecError(f"no spec is called {quoted(name)}{_near(name)}; `qmpcheck specs` lists them")


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

    return difflib.get_close_matches(name[:80], known, 4, cutoff=0.5)


def _is_path(name: str) -> bool:
    """Whether a name that the catalogue does not know can only be a path."""
    return "/" in name or os.path.exists(name) or bool(re.search(r"@(old|new)$|\.[A-Za-z]\w*$", name))


def _from_path(name: str) -> Spec:
    import hashlib

    text, side = read_text(name)
    rule_base = _compiled(name, text) if text.lstrip().startswith("{") else _document(name, text, side)
    return Spec(name, hashlib.sha256(rulebase.dump(rule_base)).hexdigest()[:10], rule_base)


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
