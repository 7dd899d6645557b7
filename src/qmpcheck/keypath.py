"""Paths to values inside an event, tuples of keys that are printed as dotted text, and the names in them."""

from __future__ import annotations

import re

from qmpcheck.text import quoted

KeyPath = tuple[str | int, ...]
"""Keys and indices from the event inwards: `("data", "nodes", 0)`. `ITEMS` means every index."""

ITEMS = -1

_PLAIN_KEY = r"[A-Za-z0-9_-]{1,80}"


def as_text(path: KeyPath) -> str:
    """Return the path in one line that is safe to print: `data.nodes[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += "[]" if key == ITEMS else f"[{key}]"
        elif re.fullmatch(_PLAIN_KEY, key):
            text += f".{key}" if text else key
        else:
            text += f"[{quoted(key)}]"
    return text


def of_any_item(path: KeyPath) -> KeyPath:
    """Return the path with `ITEMS` for every index."""
    return tuple(ITEMS if isinstance(key, int) else key for key in path)


_DOT = r"\.((?:__[A-Za-z0-9.-]+_)?[^.]*)"
"""A dot and the name after it. Only names that a vendor added have dots of their own, in the domain that they
begin with: `__com.redhat_reason`."""


def names(text: str) -> list[str]:
    """Split a dotted text that a user wrote, such as `EVENT.member.member`; a missing name is ""."""
    return re.findall(_DOT, f".{text}")


_VENDORS = r"(?s)__[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+_.+"


def is_vendors(name: object) -> bool:
    """Whether a vendor may add an event, a member or a value of this name, such as `__com.redhat_reason`.

    QMP reserves names that begin with `__`, a reversed domain and `_` for downstreams. Specs neither list nor
    forbid them.
    """
    return isinstance(name, str) and name.startswith("__") and re.fullmatch(_VENDORS, name) is not None
