"""Say what a code means, why it matters, and show a bad and a good example; without one, list the codes.

A known erratum and a rule about commands are explained by their names.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from qmpcheck import catalogue
from qmpcheck.diagnostic import CODES, Severity
from qmpcheck.drift.change import KINDS
from qmpcheck.gate.codes import KINDS as OF_A_GATE
from qmpcheck.printable import quoted
from qmpcheck.reports.driftexplanations import DRIFT
from qmpcheck.reports.explanations import EXPLANATIONS
from qmpcheck.rulebase import SpecError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE|ERRATUM|RULE")


def run(options: argparse.Namespace) -> int:
    if options.code is None:
        for each, (slug, level) in _codes().items():
            print(f"{each}  {level:9}{slug}")
        return 0
    code = _code(options.code)
    if code is None:
        print(_named(options.code))
        return 0
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


if TYPE_CHECKING:
    from qmpcheck.checking.command_rules import CommandRule
    from qmpcheck.checking.errata import Erratum


class _Described(NamedTuple):
    """A code's name in words, and how bad it is."""

    slug: str
    level: str


def _codes() -> dict[str, _Described]:
    found = {code: _Described(each.slug, str(each.severity)) for code, each in CODES.items()}
    changes = {code: _Described(each.slug, str(each.tolerant)) for code, each in KINDS.items()}
    gates = {code: _Described(each.slug, str(Severity.ERROR)) for code, each in OF_A_GATE.items()}
    return dict(sorted((found | changes | gates).items()))


def _code(text: str) -> str | None:
    """The code of that name; None where it is the name of something else."""
    for code, described in _codes().items():
        if text.upper() == code or text.lower() == described.slug:
            return code
    return None


def _named(text: str) -> str:
    """What an erratum, or a rule about commands, says.

    Raises:
        SpecError: there is none of that name.
    """
    from qmpcheck.checking import command_rules, errata  # most ask for codes

    known = {each.id: each for each in errata.all_errata()}
    if text in known:
        return "\n".join(_erratum(known[text]))
    rules = [each for each in command_rules.all_rules() if each.name == text]
    if rules:
        return "\n\n".join("\n".join(_rule(each)) for each in rules)
    names = [*known, *(each.name for each in command_rules.all_rules()), *_codes()]
    names += [described.slug for described in _codes().values()]
    near = catalogue.near_names(text, dict.fromkeys(names))
    hint = f" (near: {', '.join(near)})" if near else ""
    reason = f"no code, erratum or rule is called {quoted(text)}{hint}"
    raise SpecError(f"{reason}; `qmpcheck explain` lists the codes")


def _erratum(erratum: Erratum) -> Iterator[str]:
    yield f"{erratum.id} (erratum about {erratum.event})\n"
    yield textwrap.fill(erratum.happens, 88) + "\n"
    yield f"Seen in {erratum.seen.version}: corpora/{erratum.seen.recording}"
    if erratum.rule:
        yield f"The rule that is not kept: {erratum.rule}"
    if erratum.until:
        yield f"The last release that shows it: {erratum.until}"
    yield "Such findings are warnings; --literal makes them what they are without it."


def _rule(rule: CommandRule) -> Iterator[str]:
    from qmpcheck.checking import command_rules

    released = f"before {rule.before}" if rule.before else ""
    yield f"{rule.name} ({rule.level} rule, {' '.join(filter(None, ['since', rule.since, released]))})\n"
    yield textwrap.fill(command_rules.text(command_rules.of_newest(rule)), 88, break_on_hyphens=False) + "\n"
    yield f"The schema says so: {rule.cites}" if rule.cites else "No document says so: QEMU does it."
    if rule.during:
        yield f"It is about triggers while the stream has shown this state: {rule.during}"
    if rule.guest:
        yield "A response is never missing, only pending: it does not depend on QEMU alone."
    if rule.ends_with_process:
        yield "The end of the process drops it."
