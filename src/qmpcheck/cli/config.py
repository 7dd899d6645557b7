"""Defaults of a project: `qmpcheck.toml`, or `[tool.qmpcheck]` in `pyproject.toml`.

    spec = "10.0"
    ignore = ["QMP206"]
    severities = { QMP302 = "error" }
    rules = ["tests/own.toml"]      # paths are those beside this file

The first one counts that is found in the current directory or above it, up to the one that has a `.git`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple, NoReturn

from qmpcheck.cli.arguments import FOREVER, beginning, is_code
from qmpcheck.cli.project import FILE, PROJECT, folders
from qmpcheck.codes import Severity
from qmpcheck.rulebase import SpecError
from qmpcheck.text import quoted, safe


class _InvalidValue(Exception):
    """A value is invalid: what is wrong, and the keys to it."""

    def __init__(self, reason: str, *within: str) -> None:
        super().__init__(reason)
        self.within = within


class _ConfigFile(NamedTuple):
    """A file that holds a configuration.

    Attributes:
        path: its path from the current directory.
        text: its content.
        table: the keys to the configuration in it.
        settings: the configuration.
    """

    path: str
    text: str
    table: tuple[str, ...]
    settings: Any

    def fail(self, reason: str, *keys: str) -> NoReturn:
        """Raise the error, with the line that it is about."""
        from qmpcheck import toml_positions

        line = toml_positions.line(self.text, (*self.table, *keys))
        raise SpecError(f"{safe(self.path)}:{line}: {reason}")


def defaults(keys: Collection[str]) -> dict[str, Any]:
    """Return what the configuration file, if there is one, sets for these keys, by names of arguments.

    Raises:
        SpecError: the file cannot be read, or is invalid.
    """
    file = _found()
    if file is None:
        return {}
    values = _values(file)
    return {key.replace("-", "_"): values[key] for key in keys if key in values}


def _found() -> _ConfigFile | None:
    for folder in folders():
        file = _own(os.path.join(folder, FILE)) or _project(os.path.join(folder, PROJECT))
        if file:
            return file
    return None


def _own(path: str) -> _ConfigFile | None:
    if not os.path.lexists(path):
        return None
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise SpecError(f"{safe(os.path.relpath(path))}: not a file")
    from qmpcheck import toml_positions

    path = os.path.relpath(path)
    text, settings = toml_positions.read(path)
    return _ConfigFile(path, text, (), settings)


_OF_OURS = re.compile(
    rb"""\btool["' \t]*\.["' \t]*qmpcheck\b|^[ \t]*\[[ \t]*["']?tool["']?[ \t]*\]""", re.MULTILINE
)
"""What is in every project file that configures qmpcheck; others are not parsed."""


def _project(path: str) -> _ConfigFile | None:
    """Return the project file if it configures qmpcheck; most projects have nothing to do with QEMU."""
    if not os.path.isfile(path):
        return None
    path = os.path.relpath(path)
    try:
        with open(path, "rb") as file:
            if not _OF_OURS.search(file.read()):
                return None
    except OSError as error:
        raise SpecError(f"{safe(path)}: {error.strerror}") from None
    from qmpcheck import toml_positions

    # The search above may have found the words elsewhere, such as in a comment.
    text, project = toml_positions.read(path)
    tools = project.get("tool")
    if not isinstance(tools, dict) or "qmpcheck" not in tools:
        return None
    return _ConfigFile(path, text, ("tool", "qmpcheck"), tools["qmpcheck"])


def _values(file: _ConfigFile) -> dict[str, Any]:
    """Return everything that a file sets, as values of arguments."""
    if not isinstance(file.settings, dict):
        file.fail("expected a table")
    values: dict[str, Any] = {}
    for key, value in file.settings.items():
        if key not in _READERS:
            file.fail(f"unknown key {quoted(key)}; there are {', '.join(_READERS)}", key)
        try:
            values[key] = _READERS[key](value, os.path.dirname(file.path))
        except _InvalidValue as wrong:
            file.fail(f"{key}: {wrong}", key, *wrong.within)
    return values


def _spec(value: Any, folder: str) -> str:
    if not isinstance(value, str) or not value:
        raise _InvalidValue("expected the name of a spec")
    # Checking out a project and running a check in it must not run a program that the project names.
    if value.startswith("qemu:"):
        raise _InvalidValue("a file names no program to be run; name it with --spec")
    if value.startswith("git:"):
        return value
    # Paths are relative to the file, so that the command works from every folder of the project.
    beside = os.path.join(folder, value)
    return beside if "/" in value or os.path.exists(beside) else value


def _codes(value: Any, _: str) -> list[str]:
    """Return codes, and names of rules; the command checks the names."""
    return [code for each in _strings(value) for code in _codes_or_rule(each)]


def _codes_or_rule(text: str) -> list[str]:
    return _beginning(text) if is_code(text) or not text else [text]


def _some_codes(value: Any, folder: str) -> list[str]:
    codes = _codes(value, folder)
    if not codes:
        raise _InvalidValue("names no code, so that nothing would ever be found")
    return codes


def _beginning(prefix: str, *within: str) -> list[str]:
    """Return the codes with this beginning that a command with this key may find."""
    from qmpcheck.gate.codes import OF_GATE

    codes = beginning(prefix, OF_GATE)
    if not codes:
        raise _InvalidValue(
            f"no code of a finding about a stream or a build begins with {quoted(prefix)}", *within
        )
    return codes


def _severities(value: Any, _: str) -> dict[str, Severity]:
    """Return the severity of each code; if two beginnings match a code, the longer one counts."""
    if not isinstance(value, dict):
        raise _InvalidValue("expected a table of codes and their severities")
    severities: dict[str, Severity] = {}
    # Short beginnings first, so that longer ones override them.
    for prefix in sorted(value, key=len):
        codes = _beginning(prefix, prefix)
        severities |= dict.fromkeys(codes, _severity(value[prefix], "", prefix))
    return severities


def _severity(value: Any, _: str, *within: str) -> Severity:
    for severity in Severity:
        if value == str(severity):
            return severity
    raise _InvalidValue('expected "error" or "warning"', *within)


def _strings(value: Any, _: str = "") -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _InvalidValue("expected a list of strings")
    return value


def _paths(value: Any, folder: str) -> list[str]:
    return [os.path.join(folder, path) for path in _strings(value)]


def _seconds(value: Any, _: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < FOREVER:
        raise _InvalidValue("expected a number of seconds")
    return value


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "spec": _spec,
    "select": _some_codes,
    "ignore": _codes,
    "severities": _severities,
    "assume": _strings,
    "rules": _paths,
    "within": _seconds,
    "fail-on": _severity,
    "extra": _strings,
}

KEYS = tuple(_READERS)
"""The keys that a file may have: each is the default of a flag, but severities and extra have no flag."""
