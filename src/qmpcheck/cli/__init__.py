"""The command line: `qmpcheck COMMAND`. One module a command, loaded when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import qmpcheck
from qmpcheck.catalogue import SpecError
from qmpcheck.cli.status import INTERRUPTED, UNUSABLE

COMMANDS = {
    "validate": "hold recorded streams against a spec",
    "lint": "find the defects of a spec document",
    "compile": "write the rule base of a spec document",
    "specs": "list the specs that --spec takes",
    "show": "show the rules of a spec",
    "explain": "say what a code means",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = _parser(arguments).parse_args(arguments)
    try:
        return int(options.run(options))
    except SpecError as error:
        print(f"qmpcheck: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("qmpcheck: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qmpcheck", description=qmpcheck.__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"qmpcheck {qmpcheck.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, allow_abbrev=False)
        if name == asked:
            module = importlib.import_module(f"qmpcheck.cli.{name}")
            command.description = module.__doc__
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser
