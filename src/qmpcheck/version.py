"""The version that a QEMU tells in its greeting."""

from __future__ import annotations

from typing import Any, NamedTuple


class Version(NamedTuple):
    """Such as 7.2.22; from micro 50 on it is a development version."""

    major: int
    minor: int
    micro: int = 0

    @property
    def release(self) -> str:
        """The release that it is a patch level of, such as 7.2."""
        return f"{self.major}.{self.minor}"

    @property
    def is_development(self) -> bool:
        """Whether it comes after its release, on the way to the next."""
        return self.micro >= _DEVELOPMENT

    def __str__(self) -> str:
        return f"{self.release}.{self.micro}"


_DEVELOPMENT = 50


def of_greeting(message: Any) -> Version | None:
    """The version in a message; None where it is no greeting, or one that tells none."""
    for key in ("QMP", "version", "qemu"):
        message = message.get(key) if isinstance(message, dict) else None
    if not isinstance(message, dict):
        return None
    parts: list[Any] = [message.get(part) for part in Version._fields]
    return Version(*parts) if all(map(_is_part, parts)) else None


_LARGEST = 9999


def _is_part(number: Any) -> bool:
    return type(number) is int and 0 <= number <= _LARGEST
