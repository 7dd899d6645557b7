"""Add events and members that a project declares, as its QEMU has them beside those of the spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from qmpcheck import keypath
from qmpcheck.rulebase import DEEPEST, Any, EventRule, Member, Object, RuleBase, SpecError
from qmpcheck.text import name, quoted, shortened


def extended(rule_base: RuleBase, items: Iterable[str]) -> RuleBase:
    """Return the rules with what is declared besides.

    Args:
        rule_base: the rules.
        items: `EVENT`, which may have any data if the rules do not know it, or `EVENT.member` or
            `EVENT.member.member`, which is optional and may have any value. What the rules have already
            stays.

    Raises:
        SpecError: an item is empty, or is inside a member that is no object.
    """
    events = dict(rule_base.events)
    for item in items:
        event, *members = keypath.names(item)
        if not event or not all(members):
            raise SpecError(f"extra: {quoted(item)} is neither EVENT nor EVENT.member")
        if len(members) >= DEEPEST:
            raise SpecError(f"extra: {quoted(shortened(item, 60))}: more than {DEEPEST} levels of members")
        # Of an event that is declared with members, all members are known.
        rule = events.get(event) or EventRule(Object(open=not members))
        events[event] = msgspec.structs.replace(rule, data=_with(rule.data, members, item))
    return msgspec.structs.replace(rule_base, events=events) if events != rule_base.events else rule_base


def _with(holder: Object, members: Sequence[str], item: str) -> Object:
    """Return the object with an optional member, or with one inside of its members."""
    # An open object may have any member anyway.
    if not members or (holder.open and holder.member(members[0]) is None):
        return holder
    first, *inside = members
    known = holder.member(first)
    if known is None:
        if any(branch.member(first) for branch in holder.branches.values()):
            raise SpecError(
                f"extra: {quoted(item)}: {name(first)} is a member of one of its branches already"
            )
        added = Member(first, _with(Object(), inside, item) if inside else Any(), optional=True)
        return msgspec.structs.replace(holder, members=(*holder.members, added))
    if not inside:
        return holder
    if not isinstance(known.type, Object):
        raise SpecError(f"extra: {quoted(item)}: {name(first)} is not an object")
    changed = msgspec.structs.replace(known, type=_with(known.type, inside, item))
    members_now = tuple(changed if each is known else each for each in holder.members)
    return msgspec.structs.replace(holder, members=members_now)
