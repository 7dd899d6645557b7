"""Colour, on a terminal only."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

RED, GREEN, YELLOW = "31", "32", "33"

Paint = Callable[[str, str], str]
"""A colour and a text to the text in that colour, or as it was."""


def painter(out: IO[str]) -> Paint:
    """What colours text written to `out`: nothing, where that is no terminal or NO_COLOR is set."""
    return _paint if out.isatty() and not os.environ.get("NO_COLOR") else _leave


def _paint(colour: str, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"


def _leave(_: str, text: str) -> str:
    return text
