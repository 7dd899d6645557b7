"""Messages beside the report."""

from __future__ import annotations

import sys


def tell(message: str) -> None:
    """Say something on standard error, if there is one."""
    if sys.stderr is not None:
        print(f"qmpcheck: {message}", file=sys.stderr)
