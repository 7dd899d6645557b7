"""Completion in the shell, by argcomplete: commands, options, and names of specs, events and codes."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import Any

import argcomplete

from qmpcheck.codes import CODES
from qmpcheck.specs import catalogue


def arguments() -> list[str]:
    """Return the arguments before the cursor on the command line that the user completes."""
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))]
    try:
        return shlex.split(line)[1:]
    except ValueError:  # in the middle of a quoted word
        return line.split()[1:]


def complete(parser: argparse.ArgumentParser) -> None:
    """Write the completions for the shell, and end the process."""
    command: argparse.ArgumentParser = getattr(parser, "command", None) or parser
    for action in command._actions:
        if action.dest in _COMPLETERS:
            action.completer = _COMPLETERS[action.dest]  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def _specs(**_: Any) -> list[str]:
    return ["latest", *(name for entry in catalogue.entries() for name in catalogue.names(entry))]


def _codes(**_: Any) -> list[str]:
    return [*CODES]


def _events(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the events of the spec that the command line names, or of the newest release."""
    name = getattr(parsed_args, "spec", None)
    return [*catalogue.find(name if isinstance(name, str) and name != "auto" else "latest").rule_base.events]


_COMPLETERS = {
    "spec": _specs,
    "old": _specs,
    "new": _specs,
    "select": _codes,
    "ignore": _codes,
    "code": _codes,
    "event": _events,
    "subject": _events,
    "only": _events,
}
"""The functions that complete arguments, by the arguments' names; argcomplete calls them."""
