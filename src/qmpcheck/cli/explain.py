"""Explain what a code means, why it matters and what to do, with a bad and a good example.

Without a code, or with the beginning of codes (QMP2), list them. Names of known errata and of rules about
commands are explained, too.

Examples: qmpcheck explain QMP203
          qmpcheck explain cont-resumes
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qmpcheck.codes import CODES, Code
from qmpcheck.rulebase import SpecError
from qmpcheck.text import quoted
from qmpcheck.wording import did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "code", nargs="?", metavar="CODE|ERRATUM|RULE", help="such as QMP203, QMP2 or cont-resumes"
    )


def run(options: argparse.Namespace) -> int:
    code = _code(options.code) if options.code else None
    matching = [each for each in CODES if each.startswith((options.code or "").upper())]
    if code is None and matching:
        for each in matching:
            print(f"{each}  {_level(CODES[each]):9}{CODES[each].slug}")
        return 0
    if code is None:
        print(_named(options.code))
        return 0
    about = CODES[code]
    print(f"{code} {about.slug} ({_level(about)})\n")
    print("\n\n".join(textwrap.fill(each, 88, break_on_hyphens=False) for each in about.paragraphs))
    for title, text in about.examples:
        print(f"\n{title}:\n\n{textwrap.indent(text, '    ')}")
    return 0


if TYPE_CHECKING:
    from qmpcheck.checking.command_rules import CommandRule
    from qmpcheck.checking.errata import Erratum


def _level(about: Code) -> str:
    """Return the severity of a code; of a change, its impact on a tolerant client."""
    return str(about.change.tolerant if about.change else about.severity)


def _code(text: str) -> str | None:
    """Return the code of a name; None if it is the name of something else."""
    for code, about in CODES.items():
        if text.upper() == code or text.lower() == about.slug:
            return code
    return None


def _named(text: str) -> str:
    """Return the explanation of an erratum or of a rule about commands.

    Raises:
        SpecError: there is none of this name.
    """
    from qmpcheck.checking import command_rules, errata  # most ask for codes

    known = {each.id: each for each in errata.all_errata()}
    if text in known:
        return "\n".join(_erratum(known[text]))
    rules = [each for each in command_rules.all_rules() if each.name == text]
    if rules:
        return "\n\n".join("\n".join(_rule(each)) for each in rules)
    names = [*known, *(each.name for each in command_rules.all_rules()), *CODES]
    names += [about.slug for about in CODES.values()]
    from qmpcheck.specs import catalogue

    if text in catalogue.find("latest").rule_base.events:
        raise SpecError(
            f"{text} is an event: see `qmpcheck show latest {text}` and `qmpcheck history {text}`"
        )
    hint = did_you_mean(text, dict.fromkeys(names))
    reason = f"no code, erratum or rule is called {quoted(text)}{hint}"
    raise SpecError(f"{reason}; `qmpcheck explain` lists the codes")


def _erratum(erratum: Erratum) -> Iterator[str]:
    yield f"{erratum.id} (erratum about {erratum.event})\n"
    yield textwrap.fill(erratum.happens, 88) + "\n"
    yield f"Seen in {erratum.seen.version}: corpora/{erratum.seen.recording}"
    if erratum.rule:
        yield f"The rule that QEMU breaks: {erratum.rule}"
    if erratum.until:
        yield f"The last release that shows it: {erratum.until}"
    yield "Such findings are warnings; with --literal they have their usual severity."


def _rule(rule: CommandRule) -> Iterator[str]:
    from qmpcheck.checking import command_rules

    released = f"since {rule.since}" + (f", before {rule.before}" if rule.before else "")
    yield f"{rule.name} ({rule.level} rule, {released})\n"
    yield textwrap.fill(command_rules.text(command_rules.of_newest(rule)), 88, break_on_hyphens=False) + "\n"
    yield f"The schema states it: {rule.cites}" if rule.cites else "QEMU does it, but no document states it."
    if rule.during:
        yield f"It applies only while the stream shows that this is so: {rule.during}"
    if rule.guest:
        yield "A response is never missing, only pending: it does not depend on QEMU alone."
    if rule.ends_with_process:
        yield "The end of the process cancels it."
