"""Specs that are not in the catalogue: files of every kind, and what a binary says of itself."""

from __future__ import annotations

import json
import os
import re
from typing import Literal, NamedTuple

from qmpcheck import rulebase
from qmpcheck.printable import safe, shortened
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.version import Version


class Told(NamedTuple):
    """A rule base, and the version of the QEMU that told it; None where that is not known."""

    rule_base: RuleBase
    version: Version | None = None


def read(name: str) -> Told:
    """The spec in a file.

    Args:
        name: its path; of a page that shows a diff, `PATH@old` or `PATH@new`.

    Raises:
        SpecError: it cannot be read, or is no spec.
    """
    text, side = read_text(name)
    match kind(text):
        case "rules":
            return Told(_compiled(name, text))
        case "introspection":
            return _introspection(name, text)
        case "schema":
            return Told(_schema(name))
        case "document":
            return Told(_document(name, text, side))


def ask(path: str) -> Told:
    """The spec that a binary states.

    Args:
        path: of a system emulator, or of the storage daemon.

    Raises:
        SpecError: it does not answer, or what it answers is none.
    """
    from qmpcheck.documents import introspection
    from qmpcheck.qmp import introspect  # loads what only those need that start a process

    try:
        answer = introspect.ask(path)
        return Told(introspection.read(answer.schema), answer.version)
    except (introspect.Unanswered, introspection.NotIntrospection) as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def kind(text: str) -> Literal["rules", "introspection", "schema", "document"]:
    """What a file's content is: compiled rules, what a binary says of itself, a QAPI schema, or a text."""
    text = text.lstrip()
    try:
        first, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        if _SCHEMA.match(text):
            return "schema"
        return "rules" if re.match(r'\{\s*("|$)', text) else "document"
    if isinstance(first, dict):
        return "rules" if "events" in first else "introspection"
    return "introspection" if isinstance(first, list) else "document"


_SCHEMA = re.compile(r"(?:#[^\n]*\n\s*)*\{\s*(?:#[^\n]*\n\s*)*'")
"""Comments, and the first expression; its strings have single quotes, as JSON's never have."""

LARGEST_DOCUMENT = 1 << 22
"""Bytes; the largest event document has a hundredth of that."""


def read_text(name: str) -> tuple[str, str]:
    """A file's text, and which side of it is meant if it is a diff page: `PATH@old`, or `PATH@new`.

    Bytes that are not UTF-8 become U+FFFD.

    Raises:
        SpecError: the file cannot be read, or is too large to be a spec.
    """
    side = None if os.path.exists(name) else re.fullmatch(r"(.+)@(old|new)", name)
    try:
        with open(side[1] if side else name, "rb") as file:
            text = file.read(LARGEST_DOCUMENT + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise SpecError(f"{safe(name)}: {reason}") from None
    if len(text) > LARGEST_DOCUMENT:
        raise SpecError(f"{safe(name)}: larger than {LARGEST_DOCUMENT >> 20} MiB, which no spec is")
    return text.decode("utf-8-sig", "replace"), side[2] if side else "new"


def _compiled(name: str, text: str) -> RuleBase:
    try:
        return rulebase.load(text.encode())
    except ValueError as error:
        reason = safe(shortened(str(error), 200))
        raise SpecError(f"{safe(name)}: not a compiled rule base: {reason}") from None


def _document(name: str, text: str, side: str) -> RuleBase:
    from qmpcheck import documents

    try:
        return documents.read(text, side).rule_base
    except documents.NotADocument as error:
        raise SpecError(f"{safe(name)}: {error}") from None


def _schema(name: str) -> RuleBase:
    from qmpcheck.documents import qapi

    try:
        rule_base = qapi.read(name)
    except qapi.SchemaError as error:
        raise SpecError(safe(os.path.normpath(os.path.join(qapi.folder(name), str(error))))) from None
    if not rule_base.events:
        raise SpecError(f"{safe(name)}: a schema without any event; name its root file")
    return rule_base


def _introspection(name: str, text: str) -> Told:
    from qmpcheck.documents import introspection

    try:
        reply = introspection.parse(text)
        return Told(introspection.read(reply.schema), reply.version)
    except introspection.NotIntrospection as error:
        raise SpecError(f"{safe(name)}: {error}") from None
