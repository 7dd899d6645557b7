"""Where a report goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from qmpcheck.printable import safe
from qmpcheck.rulebase import SpecError


def spare(inputs: Sequence[str], path: str | None, option: str = "--output") -> None:
    """Refuse to write over what is read.

    Args:
        inputs: what is read.
        path: what is written; None for standard output.
        option: the one that names it.

    Raises:
        SpecError: the output is one of the inputs.
    """
    for each in inputs:
        if (
            path is not None
            and os.path.exists(path)
            and os.path.exists(each)
            and os.path.samefile(path, each)
        ):
            raise SpecError(f"{option} {safe(path)} would overwrite {safe(each)}")


@contextmanager
def opened(path: str | None) -> Iterator[IO[str]]:
    """The file, or standard output where none is named.

    Raises:
        SpecError: the file cannot be written.
    """
    if path is None:
        if sys.stdout is None:
            raise SpecError("standard output is closed")
        yield sys.stdout
        return
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
    except (OSError, ValueError) as error:
        raise SpecError(f"{safe(path)}: {getattr(error, 'strerror', None) or error}") from None
