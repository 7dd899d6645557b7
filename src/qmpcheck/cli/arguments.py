"""Arguments that several commands take."""

from __future__ import annotations

import argparse

from qmpcheck.diagnostic import CODES, Severity


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    """`--fail-on SEVERITY`."""
    parser.add_argument(
        "--fail-on",
        type=_severity,
        default=Severity.ERROR,
        metavar="SEVERITY",
        help="exit 1 for findings at least this bad: error (the default) or warning",
    )


def add_select(parser: argparse.ArgumentParser) -> None:
    """`--select` and `--ignore`, each with codes or the beginnings of codes."""
    metavar = "CODE[,CODE...]"
    parser.add_argument("--select", type=_codes, action="extend", metavar=metavar, help="only these findings")
    parser.add_argument(
        "--ignore",
        type=_codes,
        action="extend",
        default=[],
        metavar=metavar,
        help="not these; QMP1 means all QMP1xx",
    )


def selected(options: argparse.Namespace) -> frozenset[str]:
    """The codes that the two options leave."""
    return frozenset(CODES if options.select is None else options.select) - frozenset(options.ignore)


def _codes(text: str) -> list[str]:
    matching: list[str] = []
    for prefix in text.split(","):
        codes = [code for code in CODES if prefix and code.startswith(prefix)]
        if not codes:
            raise argparse.ArgumentTypeError(f"no code begins with {prefix!r}; `qmpcheck explain` lists them")
        matching += codes
    return matching


def _severity(text: str) -> Severity:
    try:
        return Severity[text.upper()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither error nor warning") from None
