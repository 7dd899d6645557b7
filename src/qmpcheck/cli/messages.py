"""What a command says beside its report: messages on standard error, and its exit status."""

from __future__ import annotations

import sys
from contextlib import suppress

CLEAN, FINDINGS, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
"""Nothing found; findings; usage, input or spec unusable, or nothing checked; stopped by the user."""


def tell(message: str) -> None:
    """Print a message to standard error. If that is closed, the exit status must do."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        print(f"qmpcheck: {message}", file=sys.stderr)
