"""Say what a code means, why it matters, and show a bad and a good example; without one, list the codes."""

from __future__ import annotations

import argparse
import textwrap
from typing import NamedTuple

from qmpcheck.diagnostic import CODES, Severity
from qmpcheck.drift.change import KINDS
from qmpcheck.gate.codes import KINDS as OF_A_GATE
from qmpcheck.printable import quoted
from qmpcheck.reports.driftexplanations import DRIFT
from qmpcheck.reports.explanations import EXPLANATIONS
from qmpcheck.rulebase import SpecError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE")


def run(options: argparse.Namespace) -> int:
    if options.code is None:
        for code, (slug, level) in _codes().items():
            print(f"{code}  {level:9}{slug}")
        return 0
    code = _code(options.code)
    print(f"{code} {_codes()[code].slug} ({_codes()[code].level})\n")
    if code in OF_A_GATE:
        print(textwrap.fill(OF_A_GATE[code].means, 88), end="\n\n")
        print(textwrap.fill(OF_A_GATE[code].why, 88))
        return 0
    explained = (EXPLANATIONS | DRIFT)[code]
    print(textwrap.fill(explained.means, 88), end="\n\n")
    print(textwrap.fill(explained.why, 88), end="\n\n")
    for what, content in (
        ("own.toml", explained.rules),
        ("own.json", explained.spec),
        ("The old spec", explained.old),
    ):
        if content:
            print(f"{what}:\n\n{textwrap.indent(content, '    ')}\n")
    print(f"Bad ({explained.against}):\n\n{textwrap.indent(explained.bad, '    ')}\n")
    print(f"Good:\n\n{textwrap.indent(explained.good, '    ')}")
    return 0


class _Described(NamedTuple):
    """A code's name in words, and how bad it is."""

    slug: str
    level: str


def _codes() -> dict[str, _Described]:
    found = {code: _Described(each.slug, str(each.severity)) for code, each in CODES.items()}
    changes = {code: _Described(each.slug, str(each.tolerant)) for code, each in KINDS.items()}
    gates = {code: _Described(each.slug, str(Severity.ERROR)) for code, each in OF_A_GATE.items()}
    return dict(sorted((found | changes | gates).items()))


def _code(text: str) -> str:
    for code, described in _codes().items():
        if text.upper() == code or text.lower() == described.slug:
            return code
    raise SpecError(f"no code is called {quoted(text)}; `qmpcheck explain` lists them")
