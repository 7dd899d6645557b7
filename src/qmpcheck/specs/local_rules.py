"""Releases that the user added: compiled rule bases, in files that are named after the releases.

They are `11.2.json` and the like in the folders that QMPCHECK_RULES names, and in
`$XDG_DATA_HOME/qmpcheck/rules`, where `qmpcheck compile --install` puts them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.text import one_line, reason_of, safe
from qmpcheck.version import Origin

FOLDERS = "QMPCHECK_RULES"
"""The environment variable with the folders, separated as in PATH."""

RELEASE = r"[0-9]{1,4}\.[0-9]{1,4}(?:\.[1-9][0-9]{0,3})?"
"""Matches the name of a release, or of a patch level that differs from its release."""


class LocalRelease(msgspec.Struct, frozen=True):
    """A release that the user added.

    Attributes:
        name: such as 11.2.
        path: its file.
        rule_base: the rules.
        origin: what they were compiled from.
    """

    name: str
    path: str
    rule_base: RuleBase
    origin: Origin


def installed() -> str:
    """Return the folder where `compile --install` puts releases."""
    data = os.environ.get("XDG_DATA_HOME", "")
    # a relative path there has to be ignored, says the XDG Base Directory Specification
    return os.path.join(
        data if os.path.isabs(data) else os.path.expanduser("~/.local/share"), "qmpcheck", "rules"
    )


def releases() -> list[LocalRelease]:
    """Return the releases that the user added; if two have one name, the one in the folder named first.

    Raises:
        SpecError: a folder or a file cannot be read.
    """
    paths: dict[str, str] = {}
    for path in _files():
        match = re.fullmatch(rf"({RELEASE})\.json", os.path.basename(path))
        if match:
            # The first folder counts, as in PATH.
            paths.setdefault(match[1], path)
    return [read(path) for path in paths.values()]


def _files() -> Iterator[str]:
    for folder in filter(None, os.environ.get(FOLDERS, "").split(os.pathsep)):
        yield from _in_folder(folder)
    if os.path.isdir(installed()):
        yield from _in_folder(installed())


def _in_folder(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError as error:
        raise SpecError(f"{FOLDERS}: {safe(folder)}: {reason_of(error)}") from None


def read(path: str) -> LocalRelease:
    """Read the release in a file.

    Raises:
        SpecError: the file cannot be read, or is no compiled rule base.
    """
    try:
        with open(path, "rb") as file:
            text = file.read()
        rule_base, origin = rulebase.load(text), msgspec.json.decode(text, type=Origin)
    except OSError as error:
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    except ValueError as error:
        raise SpecError(f"{safe(path)}: not a compiled rule base: {one_line(str(error))}") from None
    return LocalRelease(os.path.basename(path).removesuffix(".json"), path, rule_base, origin)


def dump(rule_base: RuleBase, origin: Origin) -> bytes:
    """Write a rule base as JSON, with its date and its commit."""
    known = {key: value for key in ("date", "commit") if (value := getattr(origin, key))}
    head = b"".join(
        b"%s: %s, " % (msgspec.json.encode(key), msgspec.json.encode(value)) for key, value in known.items()
    )
    return b"{" + head + rulebase.dump(rule_base).removeprefix(b"{")
