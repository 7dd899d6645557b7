"""Where a report goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from qmpcheck.catalogue import SpecError


@contextmanager
def opened(path: str | None) -> Iterator[IO[str]]:
    """The file, or standard output where none is named."""
    if path is None:
        yield sys.stdout
        return
    try:
        with open(path, "w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
