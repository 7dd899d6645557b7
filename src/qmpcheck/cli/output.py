"""Where a report goes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from qmpcheck.printable import safe
from qmpcheck.rulebase import SpecError

STANDARD_OUTPUT = ("-", "/dev/stdout")
"""Names of it. Opened as a file, it would lose what is there already."""


def place(text: str) -> str | None:
    """The file that an option names; None for standard output."""
    return None if text in STANDARD_OUTPUT else text


def add_output(parser: argparse.ArgumentParser) -> None:
    """`-o FILE`."""
    parser.add_argument(
        "-o", "--output", type=place, metavar="FILE", help="write there, not to standard output"
    )


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
