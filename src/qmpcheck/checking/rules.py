"""The follow-ups and rate limits of a spec, ready to be watched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from qmpcheck import ratelimits
from qmpcheck.checking import clock
from qmpcheck.checking.errata import FollowUpErratum
from qmpcheck.checking.followup import Rule
from qmpcheck.checking.occurrence import MICROSECONDS
from qmpcheck.checking.session import Timing
from qmpcheck.printable import quoted
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.wording import follow_up_text


def timing(
    rule_base: RuleBase,
    assumed: Collection[str] = (),
    within: float | None = None,
    errata: Sequence[FollowUpErratum] = (),
    more: Sequence[Rule] = (),
) -> Timing:
    """The rules over time to hold a stream to.

    Args:
        rule_base: the spec.
        assumed: command-line options that QEMU is known to have been given; a follow-up that depends on
            another one is not watched.
        within: seconds that the spec's follow-ups may take; None for any.
        errata: cases in which they are known not to be kept.
        more: rules beside the spec's.
    """
    late = clock.sent_late(rule_base)
    rules = (*_spec_rules(rule_base, assumed, within, late), *more)
    kept = {event: ratelimits.kept(event, rule.rate_limit) for event, rule in rule_base.events.items()}
    limits = {event: limit for event, limit in kept.items() if limit}
    return Timing(tuple(_with_errata(rule, errata) for rule in rules), limits, late)


def _spec_rules(
    rule_base: RuleBase, assumed: Collection[str], within: float | None, late: Collection[str]
) -> Iterator[Rule]:
    for event, rule in rule_base.events.items():
        for follow_up in rule.follow_ups:
            if not follow_up.option or follow_up.option in assumed:
                yield Rule(
                    text=follow_up_text(follow_up),
                    trigger=event,
                    then=frozenset(follow_up.then),
                    when=tuple(((member,), values) for member, values in follow_up.when.items()),
                    within=None if within is None else round(within * MICROSECONDS),
                    limited=event in late,
                    line=follow_up.line,
                    file=rule.file,
                )


def _with_errata(rule: Rule, errata: Sequence[FollowUpErratum]) -> Rule:
    covering = tuple(each.erratum for each in errata if each.concerns(rule))
    return msgspec.structs.replace(rule, errata=covering) if covering else rule


def assumed(rule_base: RuleBase, given: Iterable[str]) -> list[str]:
    """The command-line options that QEMU is said to have been given, without dashes.

    Raises:
        SpecError: no follow-up of the spec depends on one of them.
    """
    known = options(rule_base)
    for option in given:
        if option.lstrip("-") not in known:
            which = f"only on {', '.join(sorted(known))}" if known else "on none"
            raise SpecError(f"assume: {quoted(option)}: the spec's follow-ups depend {which}")
    return [option.lstrip("-") for option in given]


def options(rule_base: RuleBase) -> set[str]:
    """The command-line options that follow-ups of a spec depend on."""
    return {each.option for rule in rule_base.events.values() for each in rule.follow_ups if each.option}
