"""Entries to rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from qmpcheck.documents.entries import EventEntry, example_data
from qmpcheck.documents.member import MemberText
from qmpcheck.documents.nesting import nest
from qmpcheck.rulebase import Enum, EventRule, FollowUp, Object, RateLimit, RuleBase


def rule_base(entries: Sequence[EventEntry]) -> RuleBase:
    """The rules that the entries state. Of two entries for one event, the first counts."""
    events: dict[str, EventRule] = {}
    for entry in entries:
        payload = data(entry)
        follow_ups = _follow_ups(entry, payload)
        limit = next(_rate_limits(entry), None)
        for name in entry.names:
            events.setdefault(name, EventRule(payload, follow_ups.get(name, ()), limit, entry.line))
    return RuleBase(events)


def data(entry: EventEntry) -> Object:
    """What the entry says that its events carry."""
    whole = next((text for text in entry.members if is_whole_data(text)), None)
    if whole:
        return Object(open=True, of=whole.of)
    if not describes_data(entry):
        return Object(open=True)
    members = nest(entry.members, example_data(entry))
    named = {member.name for member in members}
    keys = (key for said in entry.data for key in said.members if key.name not in named)
    return Object((*keys, *members))


def describes_data(entry: EventEntry) -> bool:
    """Whether the entry says anything about its events' data."""
    return bool(entry.data or entry.members)


def is_whole_data(text: MemberText) -> bool:
    """Whether the line describes `data` itself: its name stands without quotes."""
    return text.name == "data" and not text.quoted


def missing_members(rule: FollowUp | RateLimit, payload: Object) -> list[str]:
    """Members that the rule speaks of and the event does not have."""
    names = rule.when if isinstance(rule, FollowUp) else rule.key
    return [] if payload.open else [name for name in names if not payload.member(name)]


def missing_values(follow_up: FollowUp, payload: Object) -> list[str]:
    """Values in the rule's condition that the member cannot take."""
    missing: list[str] = []
    for name, values in follow_up.when.items():
        member = payload.member(name)
        if member and isinstance(member.type, Enum):
            missing += [value for value in values if value not in member.type.values]
    return missing


def _rate_limits(entry: EventEntry) -> Iterator[RateLimit]:
    for sentence in entry.sentences:
        for stated in sentence.rules:
            if isinstance(stated, RateLimit):
                yield msgspec.structs.replace(stated, line=sentence.lines[0])


def _follow_ups(entry: EventEntry, payload: Object) -> dict[str, tuple[FollowUp, ...]]:
    """The follow-ups that can hold, by the event they follow."""
    stated: dict[str, tuple[FollowUp, ...]] = {}
    for sentence in entry.sentences:
        for rule in sentence.rules:
            if isinstance(rule, FollowUp) and not (
                missing_members(rule, payload) or missing_values(rule, payload)
            ):
                placed = msgspec.structs.replace(rule, line=sentence.lines[0])
                stated[sentence.event] = (*stated.get(sentence.event, ()), placed)
    return stated
