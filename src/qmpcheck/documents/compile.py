"""Entries to rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from qmpcheck.documents.entries import EventEntry, example_data
from qmpcheck.documents.member import MemberText
from qmpcheck.documents.nesting import nest
from qmpcheck.documents.note import Sentence
from qmpcheck.rulebase import Enum, EventRule, FollowUp, Member, Object, RateLimit, RuleBase


def rule_base(entries: Sequence[EventEntry]) -> RuleBase:
    """The rules that the entries state. Of two entries for one event, the first counts."""
    events: dict[str, EventRule] = {}
    for entry in entries:
        payload = data(entry)
        stated = follow_ups(entry.sentences, payload)
        limit = rate_limit(entry.sentences)
        for name in entry.names:
            events.setdefault(name, EventRule(payload, tuple(stated[name]), limit, entry.line))
    return RuleBase(events)


def data(entry: EventEntry) -> Object:
    """What the entry says that its events carry."""
    whole = next((text for text in entry.members if is_whole_data(text)), None)
    if whole:
        return Object(open=True, of=whole.of)
    if not describes_data(entry):
        return Object(open=True)
    keys = (key for said in entry.data for key in said.members)
    members: dict[str, Member] = {}
    for member in (*keys, *nest(entry.members, example_data(entry))):
        members.setdefault(member.name, member)
    return Object(tuple(members.values()))


def describes_data(entry: EventEntry) -> bool:
    """Whether the entry says anything about its events' data."""
    return bool(entry.members) or any(said.none or said.members for said in entry.data)


def is_whole_data(text: MemberText) -> bool:
    """Whether the line describes `data` itself: its name stands without quotes."""
    return text.name == "data" and not text.quoted


class Missing:
    """What rules speak of and an event does not have."""

    def __init__(self, payload: Object) -> None:
        self._open = payload.open
        self._values = {
            member.name: frozenset(member.type.values) if isinstance(member.type, Enum) else None
            for member in payload.members
        }

    def members(self, rule: FollowUp | RateLimit) -> list[str]:
        """Members that the rule speaks of and the event does not have."""
        names = rule.when if isinstance(rule, FollowUp) else (*rule.key, *rule.unless)
        return [] if self._open else [name for name in names if name not in self._values]

    def values(self, rule: FollowUp | RateLimit) -> list[str]:
        """Values in the rule's condition that the member cannot take."""
        when = rule.when if isinstance(rule, FollowUp) else rule.unless
        allowed = {name: self._values.get(name) for name in when}
        return [
            value
            for name, values in when.items()
            for value in values
            if (closed := allowed[name]) is not None and value not in closed
        ]


def rate_limit(sentences: Iterable[Sentence]) -> RateLimit | None:
    """The rate limit that sentences state; the first, if there are several."""
    for sentence in sentences:
        for stated in sentence.rules:
            if isinstance(stated, RateLimit):
                return msgspec.structs.replace(stated, line=sentence.lines[0])
    return None


def follow_ups(sentences: Iterable[Sentence], payload: Object) -> dict[str, list[FollowUp]]:
    """The follow-ups that sentences state and that can hold, by the event they follow."""
    stated: defaultdict[str, list[FollowUp]] = defaultdict(list)
    missing = Missing(payload)
    for sentence in sentences:
        for rule in sentence.rules:
            if isinstance(rule, FollowUp) and not missing.members(rule) and not missing.values(rule):
                stated[sentence.event].append(msgspec.structs.replace(rule, line=sentence.lines[0]))
    return stated
