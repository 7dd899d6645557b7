"""Read TOML files, and find the lines of their values: the standard library keeps none."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from qmpcheck.rulebase import SpecError
from qmpcheck.text import reason_of, safe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST = 1 << 20
"""The largest size of a file that people write by hand, in bytes."""

TomlPath = tuple[str, ...]
"""The keys to a value."""


def read(path: str, content: bytes | None = None) -> tuple[str, dict[str, Any]]:
    """Read a file; return its text and its value. `content` is given if the file is on another machine.

    Raises:
        SpecError: the file cannot be read, or is not TOML; the message has the line and the column.
    """
    try:
        if content is None:
            with open(path, "rb") as file:
                content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise SpecError(f"{safe(path)}: larger than {LARGEST >> 20} MiB")
        text = content.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    except UnicodeDecodeError as error:
        begin = error.object.rfind(b"\n", 0, error.start) + 1
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SpecError(f"{safe(path)}:{line}:{error.start - begin + 1}: not UTF-8") from None
    except RecursionError:
        raise SpecError(f"{safe(path)}: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        place = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        reason, at = (place[1], f":{place[2]}:{place[3]}") if place else (str(error), "")
        raise SpecError(f"{safe(path)}{at}: {safe(reason)}") from None


def line(text: str, path: TomlPath) -> int:
    """Return the first line of a valid file that sets a value or something inside it; 1 if none does."""
    return next((at for at, found in _set(text) if found[: len(path)] == path), 1)


def line_in_item(text: str, array: str, at: int, path: TomlPath) -> int:
    """Return the first line that sets a value or something inside it, in one table of an array of tables.

    If there is none, return the line of the innermost table around it.
    """
    # Each table of the array begins with its header, which sets nothing inside of it.
    lines = [(line, found[1:]) for line, found in _set(text) if found[:1] == (array,)]
    heads = [index for index, (_, found) in enumerate(lines) if not found]
    begin, end = heads[min(at, len(heads) - 1)] if heads else 0, [*heads[at + 1 :], len(lines)][0]
    for length in range(len(path), 0, -1):
        for line, found in lines[begin:end]:
            if found[:length] == path[:length]:
                return line
    return lines[begin][0] if lines else 1


def _set(text: str) -> Iterator[tuple[int, TomlPath]]:
    """Yield the line of each statement, and the paths that it sets."""
    table: TomlPath = ()
    for at, statement, said in _statements(text):
        paths = list(_paths(said))
        if statement.lstrip().startswith("["):
            [table] = paths
            paths = [()]
        for path in paths:
            yield at, table + path


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield each header of a table and each key with its value, with the line that it begins on.

    A statement ends with the first line up to which it is valid TOML: one that goes on is not.
    """
    begin, statement = 1, ""
    for at, each in enumerate(text.split("\n"), 1):
        statement += each + "\n"
        # tomllib is the only judge of where a value ends: strings and lists go on over several lines.
        try:
            said = tomllib.loads(statement)
        except (ValueError, RecursionError):
            continue
        if said:
            yield begin, statement, said
        begin, statement = at + 1, ""


def _paths(value: Any) -> Iterator[TomlPath]:
    """Yield the path to each value that a statement sets, in tables inside of tables or in a list of one."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict) or not value:
        yield ()
        return
    for key, inner in value.items():
        for path in _paths(inner):
            yield (key, *path)
