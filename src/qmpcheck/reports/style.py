"""Colours for terminals."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

RED, GREEN, YELLOW = "31", "32", "33"

Paint = Callable[[str, str], str]
"""Takes a colour and a text; returns the text in that colour, or unchanged."""


def painter(out: IO[str]) -> Paint:
    """Return the function that colours text for `out`.

    NO_COLOR and FORCE_COLOR decide, as no-color.org and force-color.org define them; without them, only a
    terminal with colours gets some.
    """
    if os.environ.get("NO_COLOR"):
        return _leave
    can = out.isatty() and os.environ.get("TERM") != "dumb"
    return _paint if can or os.environ.get("FORCE_COLOR") else _leave


def _paint(colour: str, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"


def _leave(_: str, text: str) -> str:
    return text
