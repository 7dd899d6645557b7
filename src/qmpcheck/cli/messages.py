"""Messages on standard error, and the values of the exit status."""

from __future__ import annotations

import sys
from contextlib import suppress

CLEAN, FINDINGS, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
"""The exit status: nothing found; findings; nothing checked, or unusable input or options; interrupted."""


def notify(message: str) -> None:
    """Print a message to standard error. If that is closed, the exit status alone has to say it."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        print(f"qmpcheck: {message}", file=sys.stderr)
