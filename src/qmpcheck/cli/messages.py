"""Messages on standard error, apart from the report."""

from __future__ import annotations

import sys
from contextlib import suppress


def tell(message: str) -> None:
    """Print a message on standard error. If nobody can read it, the exit status says enough."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        print(f"qmpcheck: {message}", file=sys.stderr)
