"""Versions of QEMU: in a name, in a greeting, between releases, and as the origin of a spec."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec


class Version(NamedTuple):
    """A version such as 7.2.22."""

    major: int
    minor: int
    micro: int = 0

    @property
    def release(self) -> str:
        """Its series: the first two numbers, such as 7.2. See `is_candidate`."""
        return f"{self.major}.{self.minor}"

    @property
    def is_candidate(self) -> bool:
        """Whether it is a release candidate: 7.2.90 and later are those of 8.0."""
        return self.micro >= _CANDIDATE

    @property
    def is_development(self) -> bool:
        """Whether it was made between two releases, as 7.2.50 and later were; true of candidates, too."""
        return self.micro >= _DEVELOPMENT

    @property
    def next_release(self) -> str:
        """The release after its series as QEMU numbers them, three a year: 9.1, 9.2, 10.0."""
        return f"{self.major + 1}.0" if self.minor >= _LAST_OF_YEAR else f"{self.major}.{self.minor + 1}"

    def __str__(self) -> str:
        return f"{self.release}.{self.micro}"


_DEVELOPMENT, _CANDIDATE, _LAST_OF_YEAR = 50, 90, 2
"""The first patch levels of development versions and candidates, and the last minor number of a year."""


def of_name(name: str) -> Version | None:
    """Return the version in a name such as `7.2` or `7.2.22`; None if it is not a version."""
    numbers = re.fullmatch(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", name)
    return Version(int(numbers[1]), int(numbers[2]), int(numbers[3] or 0)) if numbers else None


def of_greeting(message: Any) -> Version | None:
    """Return the version in a message; None if it is no greeting, or has no version."""
    for key in ("QMP", "version", "qemu"):
        message = message.get(key) if isinstance(message, dict) else None
    if not isinstance(message, dict):
        return None
    parts: list[Any] = [message.get(part) for part in Version._fields]
    return Version(*parts) if all(map(is_part, parts)) else None


LARGEST_PART = 9999
"""The largest number in a version that is believed; a greeting may be hostile."""


def is_part(number: Any) -> bool:
    """Whether it can be one of the numbers of a version."""
    return type(number) is int and 0 <= number <= LARGEST_PART


class Origin(msgspec.Struct, frozen=True):
    """Where a spec comes from, as far as that is known.

    Attributes:
        date: when it was made, YYYY-MM-DD; "" if that is not known.
        commit: the full name of its revision; "" if that is not known.
        version: of the QEMU that it describes; None if that is not known.
    """

    date: str = ""
    commit: str = ""
    version: Version | None = None
