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
from qmpcheck.text import reason_of, safe

STANDARD_OUTPUT = ("-", "/dev/stdout")
"""Names of standard output. To open it as a file would empty a file that it is redirected to."""


def output_path(text: str) -> str | None:
    """Return the file that an option names; None for standard output."""
    return None if text in STANDARD_OUTPUT else text


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add `-o FILE`."""
    parser.add_argument(
        "-o", "--output", type=output_path, metavar="FILE", help="write to this file, not to standard output"
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


def expect_writable(path: str | None, option: str = "--output ") -> None:
    """Find out before a long run that a file cannot be written after it; nothing is changed.

    Args:
        path: the file that will be written; None for standard output.
        option: the text before the path on the command line.

    Raises:
        SpecError: the file or its folder cannot be written, or the folder is missing.
    """
    if path is None or path.startswith(atomicfile.OPEN_FILES):
        return
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        why = "it is a folder"
    elif os.path.exists(target):  # a file that can be written, but not replaced, is written directly
        why = "" if os.access(target, os.W_OK) else "it cannot be written"
    elif not os.path.isdir(folder):
        why = f"there is no folder {safe(folder)}"
    else:
        why = "" if os.access(folder, os.W_OK | os.X_OK) else f"the folder {safe(folder)} cannot be written"
    if why:
        raise SpecError(f"{option}{safe(path)}: {why}")


def expect_folder(path: str, option: str) -> None:
    """Find out before a long run that a folder cannot be made, or written to; nothing is changed.

    Args:
        path: the folder; it and those above it may be missing.
        option: the text before the path on the command line.

    Raises:
        SpecError: what is there is no folder, or one that cannot be written.
    """
    there = os.path.abspath(path)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise SpecError(f"{option}{safe(path)}: {safe(there)} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise SpecError(f"{option}{safe(path)}: the folder {safe(there)} cannot be written")


def prepare(inputs: Sequence[str], path: str | None) -> None:
    """Refuse before any work an output that would overwrite an input, or that cannot be written.

    Args:
        inputs: the files that are read.
        path: the file that will be written; None for standard output.

    Raises:
        SpecError: the output is such a file.
    """
    refuse_overwrite(inputs, path)
    expect_writable(path)


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
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
