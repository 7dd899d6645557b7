"""A progress bar in bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from qmpcheck.streams.blocks import Advance


@contextmanager
def bar(total: int | None) -> Iterator[Advance]:
    """Shows after a second and goes away at the end; `total` bytes, None where it is not known."""
    with tqdm(total=total, unit="B", unit_scale=True, delay=1, leave=False, file=sys.stderr) as shown:
        yield shown.update
