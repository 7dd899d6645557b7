"""Say what a code means, why it matters, and show a bad and a good example; without one, list the codes."""

from __future__ import annotations

import argparse
import textwrap

from qmpcheck.codes import CODES, Code
from qmpcheck.printable import quoted
from qmpcheck.rulebase import SpecError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE")


def run(options: argparse.Namespace) -> int:
    if options.code is None:
        for code, about in CODES.items():
            print(f"{code}  {_level(about):9}{about.slug}")
        return 0
    code = _code(options.code)
    about = CODES[code]
    print(f"{code} {about.slug} ({_level(about)})\n")
    print(textwrap.fill(about.means, 88), end="\n\n")
    print(textwrap.fill(about.why, 88))
    if not about.good:
        return 0
    print()
    for what, content in (("own.toml", about.rules), ("own.json", about.spec), ("The old spec", about.old)):
        if content:
            print(f"{what}:\n\n{textwrap.indent(content, '    ')}\n")
    print(f"Bad ({about.against}):\n\n{textwrap.indent(about.bad, '    ')}\n")
    print(f"Good:\n\n{textwrap.indent(about.good, '    ')}")
    return 0


def _level(about: Code) -> str:
    """How bad its findings are; of a change, what it means for a tolerant client."""
    return str(about.severity if about.tolerant is None else about.tolerant)


def _code(text: str) -> str:
    for code, about in CODES.items():
        if text.upper() == code or text.lower() == about.slug:
            return code
    raise SpecError(f"no code is called {quoted(text)}; `qmpcheck explain` lists them")
