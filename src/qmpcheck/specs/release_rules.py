"""Add to the rules of a binary what introspection omits: the follow-ups and rate limits of its release."""

from __future__ import annotations

import msgspec

from qmpcheck import rulebase
from qmpcheck.rulebase import EventRule, FollowUp, RuleBase


def with_release_rules(rule_base: RuleBase, release: RuleBase) -> RuleBase:
    """Return the rule base with the follow-ups and rate limits of a release for the same events.

    Those about an event, a member or a value that the rule base does not have are omitted. The others get no
    line, since theirs count in the release's document.
    """
    events = {
        name: _with_rules_of(release.events[name], rule, rule_base) if name in release.events else rule
        for name, rule in rule_base.events.items()
    }
    return msgspec.structs.replace(rule_base, events=events)


def _with_rules_of(lender: EventRule, rule: EventRule, rule_base: RuleBase) -> EventRule:
    follow_ups = tuple(
        msgspec.structs.replace(each, line=None)
        for each in lender.follow_ups
        if _is_about(each, rule, rule_base)
    )
    limit = lender.rate_limit
    if limit and not all(map(rule.data.member, (*limit.key, *limit.unless))):
        limit = None
    return msgspec.structs.replace(
        rule, follow_ups=follow_ups, rate_limit=limit and msgspec.structs.replace(limit, line=None)
    )


def _is_about(follow_up: FollowUp, rule: EventRule, rule_base: RuleBase) -> bool:
    # A build without a feature lacks its events: nothing can follow there.
    follows = all(event in rule_base.events for event in follow_up.then)
    return follows and all(_has(rule, member, values) for member, values in follow_up.when.items())


def _has(rule: EventRule, name: str, values: tuple[str, ...]) -> bool:
    """Whether the event has a member of this name, and the member can have these values."""
    member = rule.data.member(name)
    match member and member.type:
        case None:
            return False
        case rulebase.Enum(values=known):
            return set(values) <= set(known)
        case _:
            return True
