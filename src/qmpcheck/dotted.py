"""Names as a user writes them, one inside another: `EVENT.member.member`."""

from __future__ import annotations

import re

_DOT = re.compile(r"\.((?:__[A-Za-z0-9.-]+_)?[^.]*)")
"""A dot and the name behind it. Only names that another vendor added have dots inside, in the domain that
they begin with: `__com.redhat_reason`."""


def names(text: str) -> list[str]:
    """The names in a dotted text; "" for one that is empty."""
    return _DOT.findall(f".{text}")
