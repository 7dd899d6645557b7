"""Hints for command lines that argparse refuses."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

from qmpcheck.wording import did_you_mean

_COMMAND = re.compile(r"argument COMMAND: invalid choice: '([^']*)'")
_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")
_OPTION = re.compile(r"unrecognized arguments: (?:.* )?(--[\w-]+)")
_NO_VALUE = re.compile(r"argument ([\w/-]*?(--[\w-]+)): expected (?:one|at least one) argument")


def hint(message: str, commands: Iterable[str], parser: argparse.ArgumentParser) -> str:
    """What may have been meant, to go after argparse's message; "" for nothing.

    Args:
        message: argparse's.
        commands: the names of commands.
        parser: has the options that could have been meant.
    """
    if found := _COMMAND.match(message):
        return did_you_mean(found[1], commands)
    if found := _CHOICE.search(message):
        return did_you_mean(found[1], re.findall(r"[\w.-]+", found[2]))
    if found := _OPTION.match(message):
        return did_you_mean(found[1], _options(parser))
    if found := _NO_VALUE.match(message):
        return f"; a value that begins with - is written {found[2]}=-VALUE"
    return ""


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return sorted({*re.findall(r"--[a-z][\w-]*", parser.format_usage())})
