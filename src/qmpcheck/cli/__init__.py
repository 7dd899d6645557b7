"""The command line: `qmpcheck COMMAND`. Each command has a module, which is loaded when it is used."""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import io
import os
import sys
from collections.abc import Collection, Sequence
from types import ModuleType
from typing import IO, Any, NoReturn

import qmpcheck
from qmpcheck.cli.messages import CLEAN, FINDINGS, INTERRUPTED, UNUSABLE, notify
from qmpcheck.rulebase import SpecError
from qmpcheck.text import reason_of, safe, shortened

COMMANDS = {
    "validate": "check recorded streams against a spec",
    "diff": "show what changed from one spec to another",
    "convert": "write the messages in a log as JSONL, or list its VMs",
    "record": "record what a QEMU sends over QMP",
    "replay": "be a QMP server for testing clients: play a recording, or what a release can send",
    "fit": "find out which releases could have written a stream",
    "generate": "write a stream of events that a release could send, to test clients with",
    "gate": "make a QEMU build send events, and check them against a spec",
    "lint": "find defects in a spec document",
    "compile": "compile a spec to a rule base, or add a release",
    "specs": "list the specs that --spec accepts",
    "show": "show the rules of a spec",
    "schema": "write a spec as JSON Schema",
    "history": "show how an event, a member or a value changed over the releases",
    "explain": "explain a code, an erratum or a rule",
    "show-settings": "show the settings and the configuration file they come from",
}


_COLLECTED_AFTER = 50_000
"""How many new objects make Python look for cycles. Start-up makes some 30,000, without cycles."""

TRACEBACK = "QMPCHECK_TRACEBACK"
"""If this environment variable is set, an internal error prints its traceback."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status, which is never 1 for a failure of qmpcheck itself."""
    gc.set_threshold(_COLLECTED_AFTER)
    atexit.register(gc.freeze)  # to look for cycles once more, as Python does at its end, takes milliseconds
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        notify("interrupted")
        return INTERRUPTED
    except Exception as error:
        # A closed pipe, as to `head`, needs no message, but the interpreter must not fail on it at exit.
        if isinstance(error, OSError):
            _abandon(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            notify(_reason(error))
        return UNUSABLE


def _run(arguments: Sequence[str]) -> int:
    if "_ARGCOMPLETE" in os.environ:
        from qmpcheck.cli import completion

        completion.complete(_parser(completion.arguments()))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The encoding of the terminal may lack a character; a report must not end in a traceback.
            stream.reconfigure(errors="backslashreplace")
    if not arguments:
        _parser(()).print_help(sys.stderr)
        return UNUSABLE
    options = _parser(arguments).parse_args(arguments)
    if options.color != "auto":
        os.environ["NO_COLOR" if options.color == "never" else "FORCE_COLOR"] = "1"
    if sys.stdout is None and getattr(options, "output", None) is None:
        raise SpecError("standard output is closed")
    status = _status(options)
    if status == FINDINGS and getattr(options, "exit_zero", False):
        status = CLEAN
    if sys.stdout is not None:
        sys.stdout.flush()
    return status


def _status(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    if not hasattr(options, "reports"):
        return int(options.run(options))
    from qmpcheck.cli import report_option

    return report_option.run(options)


def _reason(error: Exception) -> str:
    """Return the message for what ended a command."""
    match error:
        case SpecError():
            return str(error)
        case MemoryError():
            return "out of memory"
        case OSError():  # from standard output: errors of named files are handled where these are opened
            return f"cannot write the report: {reason_of(error)}"
        case _:
            return _internal(error)


def _internal(error: Exception) -> str:
    """Return the message for an unexpected exception, and print its traceback if the user asks for that."""
    import traceback

    if os.environ.get(TRACEBACK):
        for line in "".join(traceback.format_exception(error)).splitlines():
            notify(safe(line))
    *_, last = traceback.extract_tb(error.__traceback__)
    what = f"{type(error).__name__} in {os.path.basename(last.filename)}, line {last.lineno}: {error}"
    return (
        f"internal error: {safe(shortened(what, 300))}: this is a bug of qmpcheck; "
        f"set {TRACEBACK}=1 to see the traceback"
    )


def _abandon(stream: IO[str] | None) -> None:
    """Redirect a stream to nowhere: its reader has gone, and the interpreter flushes it at exit."""
    if stream is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Parser(argparse.ArgumentParser):
    """A parser with safe errors, and help of a fixed width, or narrower if the terminal is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_formatter, **options)

    command: argparse.ArgumentParser | None = None
    """The parser of the command that was asked for; its options are those to suggest."""

    def error(self, message: str) -> NoReturn:
        from qmpcheck.cli import usage

        parser = self.command or self
        notify(safe(usage.reworded(message, COMMANDS, parser)))
        self.exit(UNUSABLE, f"see '{parser.prog} --help'\n")


def _formatter(prog: str) -> argparse.HelpFormatter:
    columns = _columns()
    if columns >= _WIDEST_HELP:
        return argparse.RawDescriptionHelpFormatter(prog, width=100)
    return _NarrowFormatter(prog, width=max(columns - 1, 40))


_WIDEST_HELP = 112
"""The columns that the descriptions take, which are wrapped in the source."""


def _columns() -> int:
    """Return how wide standard output is; `shutil`, which argparse would ask, costs a tenth of a start."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDEST_HELP
    except (AttributeError, OSError, ValueError):
        return _WIDEST_HELP


class _NarrowFormatter(argparse.RawDescriptionHelpFormatter):
    """Wraps the paragraphs of a description again, but neither lists nor examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002 -- as argparse calls it
        import textwrap

        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(
            each
            if "\n  " in each or each.startswith("  ")
            else textwrap.fill(each, width, break_on_hyphens=False)
            for each in paragraphs
        )


def full_parser() -> argparse.ArgumentParser:
    """Return the parser with the arguments of all commands, for the documentation."""
    return _parser([], COMMANDS)


def _parser(arguments: Sequence[str], loaded: Collection[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of a command line.

    Args:
        arguments: the command line; only the module of its command is imported.
        loaded: further commands to import.
    """
    parser = _Parser(prog="qmpcheck", description=(qmpcheck.__doc__ or "").partition("\n")[0])
    parser.add_argument("--version", action="version", version=f"qmpcheck {qmpcheck.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", prog="qmpcheck")
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    is_first = asked in arguments[:1] and asked in COMMANDS  # no help or error then lists the other commands
    # Only the module of the command is imported: start-up time is what users wait for most often.
    for name, summary in COMMANDS.items():
        if is_first and name != asked:
            continue
        command = commands.add_parser(name, help=summary)
        if name == asked or name in loaded:
            module = importlib.import_module(f"qmpcheck.cli.{name.replace('-', '_')}")
            parser.command = command
            command.description = module.__doc__
            module.add_arguments(command)
            command.add_argument(
                "--color",
                choices=("auto", "always", "never"),
                default="auto",
                help="use colour: auto (the default) does on a terminal",
            )
            command.set_defaults(run=module.run, **_configured(module, arguments))
    return parser


def _configured(module: ModuleType, arguments: Sequence[str]) -> dict[str, Any]:
    """Return what a configuration file sets for a command; nothing for `--help`, which must always work."""
    keys = getattr(module, "CONFIGURED", None)
    if not keys or "-h" in arguments or "--help" in arguments:
        return {}
    from qmpcheck.cli import project

    if not project.may_be_configured():
        return {}
    from qmpcheck.cli import config

    return config.defaults(keys)
