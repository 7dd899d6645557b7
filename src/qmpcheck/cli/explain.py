"""Say what a code means, why it matters, and show a bad and a good example; without one, list the codes."""

from __future__ import annotations

import argparse
import textwrap

from qmpcheck.diagnostic import CODES
from qmpcheck.printable import quoted
from qmpcheck.reports.explanations import EXPLANATIONS
from qmpcheck.rulebase import SpecError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE")


def run(options: argparse.Namespace) -> int:
    if options.code is None:
        for code, described in CODES.items():
            print(f"{code}  {described.severity!s:8}{described.slug}")
        return 0
    code = _code(options.code)
    explained = EXPLANATIONS[code]
    print(f"{code} {CODES[code].slug} ({CODES[code].severity})\n")
    print(textwrap.fill(explained.means, 88), end="\n\n")
    print(textwrap.fill(explained.why, 88), end="\n\n")
    for file, content in (("own.toml", explained.rules), ("own.json", explained.spec)):
        if content:
            print(f"{file}:\n\n{textwrap.indent(content, '    ')}\n")
    print(f"Bad ({explained.against}):\n\n{textwrap.indent(explained.bad, '    ')}\n")
    print(f"Good:\n\n{textwrap.indent(explained.good, '    ')}")
    return 0


def _code(text: str) -> str:
    for code, described in CODES.items():
        if text.upper() == code or text.lower() == described.slug:
            return code
    raise SpecError(f"no code is called {quoted(text)}; `qmpcheck explain` lists them")
