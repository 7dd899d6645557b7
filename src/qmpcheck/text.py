"""Text from anywhere, made safe for a terminal and short enough for a message."""

from __future__ import annotations

import re

LONGEST = 80
"""Characters shown of one name or value."""


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return the text, without its middle part if it is longer than `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest * 2 // 3]}…{text[-(longest // 3) :]}"


_COMMAND = r"#(?=#(?:vso)?\[)"
"""Matches the first sign of `##[` and `##vso[`, which CI systems take for commands anywhere on a line."""


def safe(text: str) -> str:
    """Return the text with an escape for every character that does not print, or that a CI system obeys."""
    if "##" in text:  # hardly any text has it, and this is called for each that is printed
        text = re.sub(_COMMAND, r"\\x23", text)
    return text if text.isprintable() else "".join(map(_safe_character, text))


def _safe_character(character: str) -> str:
    if character.isprintable():
        return character
    return (
        character.encode("ascii", "backslashreplace").decode()
        if character > "\x7f"
        else f"\\x{ord(character):02x}"
    )


def one_line(text: str) -> str:
    """Return a text from anywhere, such as the message of an error, in one line, short and safe."""
    return safe(shortened(" ".join(text.split()), 200))


def name(text: str) -> str:
    """Return a name from a stream, short and safe."""
    return safe(shortened(text))


def quoted(text: str) -> str:
    """Return a string from a stream as JSON writes it, short and safe."""
    escaped = shortened(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe(escaped)}"'


def reason_of(error: Exception) -> str:
    """Return why something failed, in words. Of an error of the system, the path and number are left out."""
    return getattr(error, "strerror", None) or str(error)
