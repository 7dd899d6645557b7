"""Arguments that several commands take, and the values made from them."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from qmpcheck.codes import Severity
from qmpcheck.keypath import is_vendors
from qmpcheck.rulebase import EventRule, RuleBase, SpecError
from qmpcheck.text import quoted
from qmpcheck.wording import did_you_mean

if TYPE_CHECKING:
    from qmpcheck.validation.recipe import Recipe


class AppendOverDefault(argparse.Action):
    """Collects all values of a flag in a list that replaces the default, even one from a configuration."""

    def __call__(  # noqa: D102 -- argparse calls it
        self, _: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, __: str | None = None
    ) -> None:
        so_far = getattr(namespace, self.dest)
        # The default itself, and not an equal list: the first value replaces it, others are added.
        given = values if isinstance(values, list) else [values]
        setattr(namespace, self.dest, given if so_far is self.default else so_far + given)


def add_spec_and_event(parser: argparse.ArgumentParser) -> None:
    """Add `SPEC [EVENT]`."""
    parser.add_argument("spec", metavar="SPEC", help="a release, or any other spec; see `qmpcheck specs`")
    parser.add_argument("event", nargs="?", metavar="EVENT", help="only this event; all if not given")


def chosen_events(rule_base: RuleBase, event: str | None) -> dict[str, EventRule]:
    """Return the event of this name, or all events.

    Raises:
        SpecError: the spec has no such event.
    """
    if event is None:
        return rule_base.events
    if event in rule_base.events:
        return {event: rule_base.events[event]}
    raise SpecError(f"the spec has no event {quoted(event)}{did_you_mean(event, rule_base.events)}")


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    """Add `--fail-on SEVERITY` and `--exit-zero`."""
    parser.add_argument(
        "--fail-on",
        type=_severity,
        default=Severity.ERROR,
        metavar="SEVERITY",
        help="exit 1 for findings at least this severe: error (the default) or warning",
    )
    parser.add_argument(
        "--exit-zero",
        action="store_true",
        help="exit 0 even if there are findings; for input that cannot be read, the exit status is still 2",
    )


def add_terms(parser: argparse.ArgumentParser, known: Collection[str]) -> None:
    """Add the options for how streams are checked, and for which findings are reported."""
    add_select(parser, known)
    add_fail_on(parser)
    parser.add_argument(
        "--within",
        type=_seconds,
        metavar="SECONDS",
        help="report follow-ups that come later than this as late",
    )
    parser.add_argument(
        "--rules",
        action=AppendOverDefault,
        default=[],
        metavar="FILE",
        help="also check the temporal rules in this TOML file: in each [[rule]] event or command, when, has, "
        "lacks, then, same, within, kind and until, which docs/rules.md explains by ten examples",
    )
    parser.add_argument(
        "--command-rules",
        choices=("all", "strict", "none"),
        default="strict",
        help="which rules to check about commands, if a stream has commands: strict (the default), those "
        "that QEMU's schema states; all, also those that QEMU keeps without stating them; none",
    )
    parser.set_defaults(severities={}, extra=[])


def recipe(options: argparse.Namespace, codes: frozenset[str]) -> Recipe:
    """Return the recipe that the options of `add_terms` describe; a command adds its own ones.

    Args:
        options: the command's options.
        codes: the codes of the findings to report.
    """
    from qmpcheck.validation.recipe import Recipe

    return Recipe(
        codes=codes,
        severities=options.severities,
        within=options.within,
        rules=tuple(options.rules),
        command_rules=options.command_rules,
        selected=named_rules(options, "select"),
        ignored=named_rules(options, "ignore") | {each for each in options.ignore if ":" in each},
        timeline=any(each.format == "html" for each in options.reports),
    )


def named_rules(options: argparse.Namespace, option: str) -> frozenset[str]:
    """Return the names of rules among the values of `--select` or `--ignore`; the others are codes.

    Args:
        options: the command's options.
        option: `select` or `ignore`.

    Raises:
        SpecError: a name is that of no rule.
    """
    names = _not_codes(getattr(options, option))
    if not names:
        return names  # as is usual: the files of rules are not read just for this
    from qmpcheck.checking import command_rules, user_rules

    known = {each.name for each in command_rules.all_rules()}
    known.update(name for path in options.rules for name in user_rules.names(path))
    for each in sorted(names - known):
        hint = did_you_mean(each, sorted(known))
        raise SpecError(f"{option}: {quoted(each)} is neither a code nor the name of a rule{hint}")
    return names


def expect_events(options: argparse.Namespace, *specs: RuleBase) -> None:
    """Refuse `--ignore CODE:EVENT` with an event that no spec has: it would ignore nothing.

    Args:
        options: the command's options.
        specs: the specs that streams are checked by, which may have more events than the catalogue.

    Raises:
        SpecError: no spec has the event, no vendor may have added it, and the finding to ignore is not that
            the event is unknown.
    """
    ignored = [each.split(":", 1) for each in options.ignore if ":" in each]
    named = {event for _, event in ignored} - {event for code, event in ignored if code == _UNKNOWN_EVENT}
    if not named:
        return
    from qmpcheck.specs import catalogue

    known = {event for spec in specs for event in spec.events}
    known.update(each.partition(".")[0] for each in options.extra)
    if not named <= known:
        known.update(catalogue.find("latest").rule_base.events)
    if not named <= known:  # then all specs are loaded, which takes a moment
        known.update(event for spec in catalogue.releases() for event in spec.rule_base.events)
    for event in sorted(named - known):
        if not is_vendors(event):
            raise SpecError(
                f"ignore: no spec has an event {quoted(event)}{did_you_mean(event, sorted(known))}"
            )


_UNKNOWN_EVENT = "QMP201"


def _not_codes(chosen: Sequence[str] | None) -> frozenset[str]:
    return frozenset(each for each in chosen or () if not is_code(each))


def is_code(text: str) -> bool:
    """Return whether a value can only be a code: names of rules do not begin with QMP."""
    return text[:3].upper() == "QMP"


def add_select(parser: argparse.ArgumentParser, known: Collection[str], of_streams: bool = True) -> None:
    """Add `--select` and `--ignore`, each with codes or beginnings of codes.

    Args:
        parser: gets the options.
        known: the codes that the command can report.
        of_streams: whether findings are about streams: then they can also be chosen by the names of rules,
            and ignored for one event.
    """

    def codes(text: str) -> list[str]:
        matching: list[str] = []
        for prefix in text.split(","):
            code, colon, event = prefix.partition(":") if is_code(prefix) else (prefix, "", "")
            found = beginning(code, known)
            if not of_streams and colon:
                raise argparse.ArgumentTypeError(f"expected a code without an event, not {quoted(prefix)}")
            if not found and (is_code(code) or not code or not of_streams):
                raise argparse.ArgumentTypeError(f"no code here begins with {quoted(code)}")
            matching += [each + colon + event for each in found] or [prefix]
        return matching

    def whole_codes(text: str) -> list[str]:
        if any(is_code(each) and ":" in each for each in text.split(",")):
            raise argparse.ArgumentTypeError("CODE:EVENT is for --ignore only")
        return codes(text)

    parser.add_argument(
        "--select",
        type=whole_codes,
        action=AppendOverDefault,
        metavar="CODE|RULE[,...]" if of_streams else "CODE[,...]",
        help="report only findings with these codes (the beginning of a code means all that begin so)"
        + (" or of these rules" if of_streams else ""),
    )
    parser.add_argument(
        "--ignore",
        type=codes,
        action=AppendOverDefault,
        default=[],
        metavar="CODE|RULE[,...]" if of_streams else "CODE[,...]",
        help="do not report findings with these codes"
        + (" or of these rules; QMP203:STOP means QMP203 about the event STOP" if of_streams else ""),
    )


def beginning(prefix: str, known: Collection[str]) -> list[str]:
    """Return the codes with this beginning, in order."""
    return [code for code in sorted(known) if prefix and code.startswith(prefix)]


def selected(options: argparse.Namespace, known: Collection[str]) -> frozenset[str]:
    """Return the codes that `--select` and `--ignore` leave.

    Args:
        options: the command's options.
        known: the codes that the command can report.

    Raises:
        SpecError: they leave none.
    """
    chosen = frozenset(known if options.select is None else options.select)
    left = chosen.intersection(known).difference(options.ignore)
    if not left and not _not_codes(options.select):
        raise SpecError("select and ignore leave no code: nothing would be reported")
    return left


FOREVER = 1e9
"""Seconds that `--within` must be less than."""


def whole_number(text: str) -> int:
    """Return the number in an option's value.

    Raises:
        ArgumentTypeError: it is none, or so large that it can only be a mistake.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected a whole number, not {quoted(text)}")
    if len(text) > _MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"expected a number of {_MOST_DIGITS} digits at most")
    return int(text)


_MOST_DIGITS = 18


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < FOREVER:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, not {quoted(text)}")
    return seconds


def _severity(text: str) -> Severity:
    try:
        return Severity[text.upper()]
    except KeyError:
        hint = did_you_mean(text, ("error", "warning"))
        raise argparse.ArgumentTypeError(
            f"unknown severity {quoted(text)}{hint}; expected error or warning"
        ) from None
