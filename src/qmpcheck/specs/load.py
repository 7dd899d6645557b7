"""Load specs that are not in the catalogue: files of every kind, and what a binary says about itself."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal, NamedTuple

from qmpcheck import rulebase
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.specs import source_tree
from qmpcheck.specs.source_tree import Tree
from qmpcheck.text import one_line, reason_of, safe
from qmpcheck.version import Origin


class LoadedSpec(NamedTuple):
    """A rule base, and where it comes from."""

    rule_base: RuleBase
    origin: Origin = Origin()


def read(name: str) -> LoadedSpec:
    """Read the spec in a file, in a QEMU source tree, in a tarball of one, or in a revision of a repository.

    Args:
        name: its path; `PATH@old` or `PATH@new` for a page that shows a diff; `git:REV` in the repository of
            the current directory, or `git:REPO@REV`.

    Raises:
        SpecError: it cannot be read, or is no spec.
    """
    with source_tree.opened(name) as tree:
        if tree:
            return _in_tree(name, tree)
    text, side = read_text(name)
    match kind(text, name):
        case "rules":
            return LoadedSpec(_compiled(name, text))
        case "introspection":
            return _introspection(name, text)
        case "schema":
            return LoadedSpec(_schema(name))
        case "document":
            return LoadedSpec(_document(name, text, side))


def _in_tree(name: str, tree: Tree) -> LoadedSpec:
    """Read the spec of a source tree: its schema, or the event document if the schema has no events.

    Args:
        name: the name that the user gave.
        tree: the tree.

    Raises:
        SpecError: there is none, or it cannot be read.
    """
    without_events = ""
    for root in tree.roots():
        try:
            text, side = read_text(root)
            rule_base = _document(root, text, side) if root.endswith(".txt") else _schema_of(root)
        except SpecError as error:
            # The user named the tree, and not the folder that it was unpacked to.
            whole = str(error).replace(safe(os.path.relpath(tree.folder)), safe(name))
            raise SpecError(whole.replace(safe(tree.folder), safe(name))) from None
        if rule_base.events:
            return LoadedSpec(rule_base, Origin(tree.date, tree.commit, tree.version))
        without_events = f", and {os.path.relpath(root, tree.folder)} describes no event"
    raise no_tree(name, without_events)


def no_tree(name: str, without_events: str = "") -> SpecError:
    """Return the error about what has no spec in it; `without_events` is the end of its text."""
    names = " nor ".join((source_tree.SCHEMAS[0], *source_tree.TEXTS[:1]))
    what = "Is a directory, and no QEMU source tree" if os.path.isdir(name) else "no QEMU source tree"
    return SpecError(f"{safe(name)}: {what}: neither {names} is in it{without_events}")


def ask(path: str) -> LoadedSpec:
    """Ask a binary for its spec.

    Args:
        path: of a system emulator or of the storage daemon; a bare name is looked up on PATH.

    Raises:
        SpecError: it does not answer, or the answer is no spec.
    """
    from qmpcheck.qmp import introspect  # loads what only those need that start a process
    from qmpcheck.specs import introspection

    try:
        answer = introspect.ask(path if os.sep in path else shutil.which(path) or path)
        return LoadedSpec(introspection.read(answer.schema), Origin(version=answer.version))
    except (introspect.Unanswered, introspection.NotIntrospection) as error:
        raise SpecError(f"{safe(path)}: {error}") from None


SpecKind = Literal["rules", "introspection", "schema", "document"]


def kind(text: str, name: str = "") -> SpecKind:
    """Return what a file contains: compiled rules, the description of a binary, a QAPI schema, or a text.

    Args:
        text: the content.
        name: the file's name, which decides if the content does not.
    """
    text = text.lstrip()
    try:
        # Only the first value: a transcript has one message after the other.
        first, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _kind_of_no_json(text, name)
    if isinstance(first, dict):
        return "rules" if "events" in first else "introspection"
    return "introspection" if isinstance(first, list) else "document"


def _kind_of_no_json(text: str, name: str) -> SpecKind:
    """Return what a text was meant to be: strings have single quotes in a schema, but never in JSON."""
    begin = _COMMENTS.sub("", text, count=1)
    if re.match(r'\{\s*("|$)', begin):
        return "introspection" if re.match(r'\{\s*"(?:return|id|QMP|execute)"', begin) else "rules"
    if re.match(r"\[\s*\{", begin):
        return "introspection"
    return "schema" if begin.startswith("{") or name.endswith(".json") else "document"


_COMMENTS = re.compile(r"\A(?:#[^\n]*\n\s*)*")

LARGEST_DOCUMENT = 1 << 22
"""The largest size of a document, in bytes; the largest real one has a hundredth of that."""

LARGEST_TRANSCRIPT = 1 << 26
"""How many bytes of a transcript are searched for a reply to query-qmp-schema."""


def read_text(name: str) -> tuple[str, str]:
    """Read a file's text, and for a page that shows a diff, the side that is meant: `PATH@old` or `PATH@new`.

    Bytes that are not UTF-8 become U+FFFD.

    Raises:
        SpecError: the file cannot be read, or is too large to be a spec.
    """
    side = None if os.path.exists(name) else re.fullmatch(r"(.+)@(old|new)", name)
    try:
        with open(side[1] if side else name, "rb") as file:
            content = file.read(LARGEST_TRANSCRIPT + 1)  # one more shows that it is larger
    except (OSError, ValueError) as error:
        raise SpecError(f"{safe(name)}: {reason_of(error)}") from None
    text = content.decode("utf-8-sig", "replace")
    # A recording that has the reply may be long, but a document that long is a mistake, and slow to parse.
    is_transcript = len(content) > LARGEST_DOCUMENT and kind(text, name) == "introspection"
    largest = LARGEST_TRANSCRIPT if is_transcript else LARGEST_DOCUMENT
    if len(content) > largest:
        raise SpecError(f"{safe(name)}: larger than {largest >> 20} MiB: not a spec")
    return text, side[2] if side else "new"


def _compiled(name: str, text: str) -> RuleBase:
    try:
        return rulebase.load(text.encode())
    except ValueError as error:
        raise SpecError(f"{safe(name)}: not a compiled rule base: {one_line(str(error))}") from None


def _document(name: str, text: str, side: str) -> RuleBase:
    from qmpcheck.specs import documents

    try:
        return documents.read(text, side).rule_base
    except documents.NotADocument as error:
        raise SpecError(f"{safe(name)}: {error}") from None


def _schema(name: str) -> RuleBase:
    refuse_part(name)
    rule_base = _schema_of(name)
    if not rule_base.events:
        raise SpecError(f"{safe(name)}: a schema without any event; name its root file")
    return rule_base


def refuse_part(name: str) -> None:
    """Raise SpecError if a schema file is included by another: it has only some of the events."""
    whole = _including(name)
    if whole:
        raise SpecError(f"{safe(name)}: only a part of a schema; name its root file, {safe(whole)}")


def _schema_of(root: str) -> RuleBase:
    from qmpcheck.specs import qapi

    try:
        return qapi.read(root)
    except qapi.SchemaError as error:
        raise SpecError(safe(os.path.normpath(os.path.join(qapi.folder(root), str(error))))) from None


_INCLUDE = re.compile(r"^\{\s*'include'\s*:\s*'([^'\n]+)'", re.MULTILINE)


def _including(path: str) -> str:
    """Return the root file of the schema that includes a file; "" if no file near it does.

    A part of a schema is valid by itself, but has only some of the events. It must not be taken for the whole
    schema, or all other events would be unknown.
    """
    whole = os.path.realpath(path)
    seen = {whole}
    while holder := next((each for each in _near(whole) if each not in seen and _includes(each, whole)), ""):
        seen.add(holder)
        whole = holder
    return os.path.relpath(whole) if len(seen) > 1 else ""


def _near(path: str) -> Iterator[str]:
    """Yield the schema files beside a file, and the root file in the folder above, as up to QEMU 3.0."""
    folder = os.path.dirname(path)
    with suppress(OSError), os.scandir(folder) as files:
        yield from sorted(file.path for file in files if file.name.endswith(".json") and file.is_file())
    yield os.path.join(os.path.dirname(folder), source_tree.SCHEMA)


_HEAD = 1 << 16
"""How many bytes of a file are searched for its includes; a root file has them at its beginning."""


def _includes(path: str, part: str) -> bool:
    try:
        with open(path, "rb") as file:
            text = file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return False
    folder = os.path.dirname(path)
    return any(os.path.realpath(os.path.join(folder, name)) == part for name in _INCLUDE.findall(text))


def _introspection(name: str, text: str) -> LoadedSpec:
    from qmpcheck.specs import introspection

    try:
        reply = introspection.parse(text)
        return LoadedSpec(introspection.read(reply.schema), Origin(version=reply.version))
    except introspection.NotIntrospection as error:
        raise SpecError(f"{safe(name)}: {error}") from None
