"""Reword argparse's errors: one line in plain words, with a suggestion for what was mistyped."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

from qmpcheck.text import quoted
from qmpcheck.wording import alternatives, did_you_mean

_ARGUMENT = re.compile(r"argument (?P<name>.*?): (?P<reason>.*)", re.DOTALL)
_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)", re.DOTALL)
_OPTION = re.compile(r"unrecognized arguments: (?:.* )?(--?[a-zA-Z][\w-]*)")
_UNEXPECTED = "unrecognized arguments: "
_REQUIRED = "the following arguments are required: "


def reworded(message: str, commands: Iterable[str], parser: argparse.ArgumentParser) -> str:
    """Return an error in plain words, with a suggestion if there is one.

    Args:
        message: the error as argparse writes it.
        commands: the names of all commands, to suggest one.
        parser: the parser with the options to suggest.
    """
    if found := _OPTION.match(message):
        return f"unknown option {found[1]}{did_you_mean(found[1], _options(parser))}"
    if message.startswith(_UNEXPECTED):
        return f"unexpected argument: {message.removeprefix(_UNEXPECTED)}"
    if message.startswith(_REQUIRED):
        return f"missing argument: {re.sub('-[a-z]/', '', message.removeprefix(_REQUIRED))}"
    if found := _ARGUMENT.fullmatch(message):
        name = found["name"].rpartition("/")[2]  # of -o/--output, the long one
        return _about(name, found["reason"], commands) + _or_report(name, found["reason"], parser)
    return message


def _or_report(name: str, reason: str, parser: argparse.ArgumentParser) -> str:
    """A hint for `--format sarif`: that is for `--report`, if the command has it there."""
    chosen = _CHOICE.fullmatch(reason)
    if name != "--format" or not chosen or chosen[1] not in (parser.get_default("report_formats") or ()):
        return ""
    return f"; for a report, write --report {chosen[1]}=FILE, where - is standard output"


def _about(name: str, reason: str, commands: Iterable[str]) -> str:
    if found := _CHOICE.fullmatch(reason):
        if name == "COMMAND":
            return f"unknown command {quoted(found[1])}{did_you_mean(found[1], commands)}"
        choices = re.findall(r"[\w.-]+", found[2])
        wrong = f"{name}: unknown value {quoted(found[1])}{did_you_mean(found[1], choices)}"
        return f"{wrong}; expected {alternatives(choices)}"
    if re.match("expected (?:one|at least one) argument", reason):
        return f"{name} needs a value; one that begins with - is written {name}=-VALUE"
    if reason.startswith("ignored explicit argument"):
        return f"{name} takes no value"
    if reason.startswith("not allowed with argument "):
        other = reason.removeprefix("not allowed with argument ").rpartition("/")[2]
        return f"{name} and {other} cannot be used together"
    return f"{name}: {reason}"


def _options(parser: argparse.ArgumentParser) -> list[str]:
    # From the usage, as argparse has no public list of a parser's options.
    return sorted({*re.findall(r"--[a-z][\w-]*", parser.format_usage())})
