"""The command line: `qmpcheck COMMAND`. One module a command, loaded when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import IO, Any, NoReturn

import qmpcheck
from qmpcheck.cli.messages import tell
from qmpcheck.cli.status import INTERRUPTED, UNUSABLE
from qmpcheck.printable import safe
from qmpcheck.rulebase import SpecError

COMMANDS = {
    "validate": "hold recorded streams against a spec",
    "diff": "say what changed from one spec to another",
    "convert": "write the messages in a log as JSONL",
    "record": "write down what a QEMU sends over QMP",
    "fit": "tell which releases could have written a stream",
    "gate": "make a QEMU send events, and hold it against a spec",
    "lint": "find the defects of a spec document",
    "compile": "write the rule base of a spec document",
    "specs": "list the specs that --spec takes",
    "show": "show the rules of a spec",
    "schema": "write a spec as JSON Schema",
    "history": "tell how an event, a member or a value changed through the releases",
    "explain": "say what a code means",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except SpecError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted")
        return INTERRUPTED
    except MemoryError:
        return _fail("out of memory")
    except BrokenPipeError:
        _abandon(sys.stdout)
        return UNUSABLE
    except OSError as error:  # of standard output: what is read and written by name is dealt with there
        _abandon(sys.stdout)
        return _fail(f"cannot write the report: {error.strerror}")


def _run(arguments: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser(arguments).parse_args(arguments)
    if sys.stdout is None and getattr(options, "output", None) is None:
        raise SpecError("standard output is closed")
    status = int(options.run(options))
    if sys.stdout is not None:
        sys.stdout.flush()
    return status


def _fail(message: str) -> int:
    tell(message)
    return UNUSABLE


def _abandon(stream: IO[str]) -> None:
    """Let the interpreter's own flush at exit go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Parser(argparse.ArgumentParser):
    """Help of one width, as finding out the terminal's costs a tenth of a start; errors safe to print."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **options)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{self.prog}: {safe(message)}\n")


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, width=100)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="qmpcheck", description=(qmpcheck.__doc__ or "").partition("\n")[0])
    parser.add_argument("--version", action="version", version=f"qmpcheck {qmpcheck.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", prog="qmpcheck")
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name == asked:
            module = importlib.import_module(f"qmpcheck.cli.{name}")
            command.description = module.__doc__
            module.add_arguments(command)
            command.set_defaults(run=module.run, **_configured(module, arguments))
    return parser


def _configured(module: ModuleType, arguments: Sequence[str]) -> dict[str, Any]:
    """What a configuration file says of the command; help can be had whatever it says."""
    keys = getattr(module, "CONFIGURED", None)
    if not keys or "-h" in arguments or "--help" in arguments:
        return {}
    from qmpcheck.cli import project

    if not project.may_be_configured():
        return {}
    from qmpcheck.cli import config

    return config.defaults(keys)
