"""Print messages to standard error, separate from the report."""

from __future__ import annotations

import sys
from contextlib import suppress


def tell(message: str) -> None:
    """Print a message to standard error. If that is closed, the exit status must do."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        print(f"qmpcheck: {message}", file=sys.stderr)
