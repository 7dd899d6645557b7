"""`--output FILE`: write a report to a file."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from qmpcheck import atomicfile
from qmpcheck.rulebase import SpecError
from qmpcheck.text import safe

STANDARD_OUTPUT = ("-", "/dev/stdout")
"""Names of standard output. If it were opened as a file, what is there already would be lost."""


def output_path(text: str) -> str | None:
    """Return the file that an option names; None for standard output."""
    return None if text in STANDARD_OUTPUT else text


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add `-o FILE`."""
    parser.add_argument(
        "-o", "--output", type=output_path, metavar="FILE", help="write there, not to standard output"
    )


def refuse_overwrite(inputs: Sequence[str], path: str | None, option: str = "--output") -> None:
    """Refuse to overwrite an input.

    Args:
        inputs: the files that are read.
        path: the file that is written; None for standard output.
        option: the option that names it.

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
def opened(path: str | None, at_once: bool = False) -> Iterator[IO[str]]:
    """Yield the file to write a report to, or standard output if there is none.

    An older file is replaced when the report is complete, and stays until then.

    Args:
        path: the file; None for standard output.
        at_once: whether others read the report while it is written; an older file is emptied at once then.

    Raises:
        SpecError: the file cannot be written.
    """
    if path is None:
        if sys.stdout is None:
            raise SpecError("standard output is closed")
        yield sys.stdout
        return
    try:
        with open(path, "wb") if at_once else atomicfile.replacing(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")
            try:
                yield text
            finally:
                text.detach()  # flushes it
    except (OSError, ValueError) as error:
        raise SpecError(f"{safe(path)}: {getattr(error, 'strerror', None) or error}") from None
