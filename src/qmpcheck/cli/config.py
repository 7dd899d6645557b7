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
from collections.abc import Callable, Collection, Iterator
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import UNSET, Meta, UnsetType

from qmpcheck.cli.arguments import FOREVER, beginning, is_code
from qmpcheck.cli.project import FILE, PROJECT, folders
from qmpcheck.codes import Severity
from qmpcheck.rulebase import SpecError
from qmpcheck.text import quoted, reason_of, safe
from qmpcheck.wording import did_you_mean

_Severity = Literal["error", "warning"]


class ConfigSettings(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """What a configuration file of qmpcheck may set: the defaults of the flags of these names."""

    spec: Annotated[
        str, Meta(min_length=1, description="as --spec takes it; a path is relative to the file")
    ] = "auto"
    select: (
        Annotated[
            tuple[str, ...],
            Meta(description="only these findings count: codes, beginnings of codes, names of rules"),
        ]
        | UnsetType
    ) = UNSET
    ignore: Annotated[
        tuple[str, ...],
        Meta(description="these findings do not count: codes, their beginnings, CODE:EVENT, names of rules"),
    ] = ()
    severities: Annotated[
        dict[str, _Severity], Meta(description="how bad findings are, by code or beginning of a code")
    ] = {}
    assume: Annotated[
        tuple[str, ...], Meta(description="options that QEMU was given, such as no-shutdown; not for gate")
    ] = ()
    rules: Annotated[
        tuple[str, ...], Meta(description="files with temporal rules of your own, relative to the file")
    ] = ()
    within: (
        Annotated[float, Meta(ge=0, lt=FOREVER, description="seconds that follow-ups may take")] | UnsetType
    ) = UNSET
    fail_on: Annotated[_Severity, Meta(description="the severity from which findings fail the run")] = "error"
    extra: Annotated[
        tuple[str, ...],
        Meta(description="EVENT or EVENT.member that your QEMU has beside those of the spec"),
    ] = ()


KEYS = ConfigSettings.__struct_encode_fields__
"""The keys that a file may have; severities and extra are those without a flag."""

_EXPECTED = {
    "spec": 'expected the name of a spec in quotes, such as "10.0"',
    "severities": 'expected a table of codes, each "error" or "warning"',
    "within": "expected a number of seconds, 0 or more",
    "fail-on": 'expected "error" or "warning"',
}
"""The expected value of each key that does not take a list of strings."""


class _InvalidValue(Exception):
    """A value is invalid.

    Args:
        reason: what is wrong.
        within: the keys to it inside of the value, if that is a table.
    """

    def __init__(self, reason: str, *within: str) -> None:
        super().__init__(reason)
        self.within = within


class ConfigFile(msgspec.Struct, frozen=True):
    """A file with a configuration.

    Attributes:
        path: its path from the current directory.
        text: its content.
        table: the keys to the configuration in it.
        settings: the configuration, not checked yet.
    """

    path: str
    text: str
    table: tuple[str, ...]
    settings: Any

    def fail(self, reason: str, *keys: str) -> NoReturn:
        """Raise a `SpecError` with the reason, and with the line of the key."""
        from qmpcheck import toml_positions

        line = toml_positions.line(self.text, (*self.table, *keys))
        raise SpecError(f"{safe(self.path)}:{line}: {reason}")


def defaults(keys: Collection[str]) -> dict[str, Any]:
    """Return what the configuration file, if there is one, sets for these keys, by names of arguments.

    Raises:
        SpecError: the file cannot be read, or is invalid.
    """
    file = found()
    if file is None:
        return {}
    values = _values(file)
    return {key.replace("-", "_"): values[key] for key in keys if key in values}


def found() -> ConfigFile | None:
    """Return the first configuration file in the current folder or above it; None if there is none.

    Raises:
        SpecError: one cannot be read, or is no TOML.
    """
    for folder in folders():
        file = _own(os.path.join(folder, FILE)) or _project(os.path.join(folder, PROJECT))
        if file:
            return file
    return None


def _own(path: str) -> ConfigFile | None:
    if not os.path.lexists(path):
        return None
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise SpecError(f"{safe(os.path.relpath(path))}: not a file")
    from qmpcheck import toml_positions

    path = os.path.relpath(path)
    text, settings = toml_positions.read(path)
    return ConfigFile(path, text, (), settings)


_MENTIONS_QMPCHECK = rb"""(?m)\btool["' \t]*\.["' \t]*qmpcheck\b|^[ \t]*\[[ \t]*["']?tool["']?[ \t]*\]"""
"""Matches every project file that configures qmpcheck, and few others: to parse them all takes too long."""


def _project(path: str) -> ConfigFile | None:
    """Return the project file if it configures qmpcheck; most projects have nothing to do with QEMU."""
    if not os.path.isfile(path):
        return None
    path = os.path.relpath(path)
    try:
        with open(path, "rb") as file:
            if not re.search(_MENTIONS_QMPCHECK, file.read()):
                return None
    except OSError as error:
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    from qmpcheck import toml_positions

    # The search above may have found the words elsewhere, such as in a comment.
    text, project = toml_positions.read(path)
    tools = project.get("tool")
    if not isinstance(tools, dict) or "qmpcheck" not in tools:
        return None
    return ConfigFile(path, text, ("tool", "qmpcheck"), tools["qmpcheck"])


def _values(file: ConfigFile) -> dict[str, Any]:
    """Return everything that a file sets, converted to values of arguments.

    Raises:
        SpecError: a key is unknown, or has an invalid value.
    """
    if not isinstance(file.settings, dict):
        file.fail("expected a table of settings")
    try:
        msgspec.convert(file.settings, ConfigSettings)
    except msgspec.ValidationError as error:
        _refuse(file, str(error))
    values: dict[str, Any] = {}
    for key, value in file.settings.items():
        try:
            values[key] = _CONVERTERS[key](value, os.path.dirname(file.path)) if key in _CONVERTERS else value
        except _InvalidValue as wrong:  # noqa: PERF203 -- some keys at most
            file.fail(f"{key}: {wrong}", key, *wrong.within)
    return values


def _refuse(file: ConfigFile, error: str) -> NoReturn:
    """Raise msgspec's error in words of our own, with the line."""
    if unknown := re.fullmatch(r"(?s)Object contains unknown field `(.*)`", error):
        known = did_you_mean(unknown[1], KEYS) or f"; known keys: {', '.join(KEYS)}"
        file.fail(f"unknown key {quoted(unknown[1])}{known}", unknown[1])
    place = re.search(r" - at `\$\.([\w-]+)", error)
    key = place[1] if place else ""
    file.fail(f"{key}: {_EXPECTED.get(key, 'expected a list of strings')}", key, *_bad_severity(file, key))


def _bad_severity(file: ConfigFile, key: str) -> Iterator[str]:
    """Yield the first code whose severity is invalid, as msgspec does not say which one it is."""
    table = file.settings.get(key)
    if key == "severities" and isinstance(table, dict):
        yield next(code for code, value in table.items() if value not in ("error", "warning"))


def _spec(value: str, folder: str) -> str:
    # Checking out a project and running a check in it must not run a program that the project names.
    if value.startswith("qemu:"):
        raise _InvalidValue("a configuration file cannot name a program to run; give it with --spec")
    if value.startswith("git:"):
        return value
    # Paths are relative to the file, so that the command works from every folder of the project.
    beside = os.path.join(folder, value)
    return beside if "/" in value or os.path.exists(beside) else value


def _codes(value: list[str], _: str) -> list[str]:
    """Return codes, and names of rules; the command checks the names."""
    return [code for each in value for code in _codes_or_rule(each)]


def _codes_or_rule(text: str) -> list[str]:
    if not is_code(text) and text:
        return [text]
    prefix, colon, event = text.partition(":")
    return [code + colon + event for code in _beginning(prefix)]


def _some_codes(value: list[str], folder: str) -> list[str]:
    if any(is_code(each) and ":" in each for each in value):
        raise _InvalidValue("CODE:EVENT is for ignore only")
    codes = _codes(value, folder)
    if not codes:
        raise _InvalidValue("an empty list, which would report nothing")
    return codes


def _beginning(prefix: str, *within: str) -> list[str]:
    """Return the codes with this beginning, of those that validate and gate report.

    Raises:
        _InvalidValue: there is none; `within` has the keys to it.
    """
    from qmpcheck.gate.codes import OF_GATE

    codes = beginning(prefix, OF_GATE)
    if not codes:
        reason = f"no code that validate or gate report begins with {quoted(prefix)}"
        raise _InvalidValue(reason, *within)
    return codes


def _severities(value: dict[str, str], _: str) -> dict[str, Severity]:
    """Return the severity of each code; if two beginnings match a code, the longer one counts."""
    severities: dict[str, Severity] = {}
    # Short beginnings first, so that longer ones override them.
    for prefix in sorted(value, key=len):
        severities |= dict.fromkeys(_beginning(prefix, prefix), Severity[value[prefix].upper()])
    return severities


_CONVERTERS: dict[str, Callable[[Any, str], Any]] = {
    "spec": _spec,
    "select": _some_codes,
    "ignore": _codes,
    "severities": _severities,
    "rules": lambda value, folder: [os.path.join(folder, path) for path in value],
    "fail-on": lambda value, _: Severity[value.upper()],
}
"""For keys whose values must be converted: the function, which takes a value and the folder of its file."""
