"""Compile the entries of a document to rules."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import msgspec

from qmpcheck.rulebase import (
    Alternate,
    Any,
    Enum,
    EventRule,
    FollowUp,
    Member,
    Object,
    RateLimit,
    RuleBase,
    String,
    Type,
)
from qmpcheck.specs.documents.entries import EventEntry, example_data
from qmpcheck.specs.documents.member import MemberText
from qmpcheck.specs.documents.nesting import nest
from qmpcheck.specs.documents.note import Sentence


def rule_base(entries: Sequence[EventEntry], not_understood: Sequence[int]) -> RuleBase:
    """Return the rules that the entries state. If an event has two entries, the first counts.

    Args:
        entries: in the document's order.
        not_understood: the lines of the document that are not understood, in order.
    """
    ends = [*(entry.line for entry in entries[1:]), math.inf]  # each entry ends where the next one begins
    events: dict[str, EventRule] = {}
    for entry, end in zip(entries, ends, strict=True):
        lost = tuple(
            not_understood[bisect_left(not_understood, entry.line) : bisect_left(not_understood, end)]
        )
        payload = data(entry)
        stated = follow_ups(entry.sentences, entry.names, payload)
        limit = rate_limit(entry.sentences, entry.names)
        # What a heading with several names says holds for each of them.
        for name in entry.names:
            events.setdefault(
                name, EventRule(payload, tuple(stated[name]), limit, entry.line, not_understood=lost)
            )
    return RuleBase(events, not_understood=len(not_understood))


def data(entry: EventEntry) -> Object:
    """Return what the events of an entry carry."""
    whole = next((text for text in entry.members if is_whole_data(text)), None)
    if whole:
        return Object(open=True, of=whole.of)
    if not describes_data(entry):
        return Object(open=True)
    # What `Data:` itself names counts before the members that are described below it.
    keys = (key for said in entry.data for key in said.members)
    members: dict[str, Member] = {}
    for member in (*keys, *nest(entry.members, example_data(entry))):
        members.setdefault(member.name, member)
    return Object(tuple(members.values()))


def describes_data(entry: EventEntry) -> bool:
    """Whether an entry says anything about its events' data."""
    return bool(entry.members) or any(said.none or said.members for said in entry.data)


def is_whole_data(text: MemberText) -> bool:
    """Whether a line describes `data` itself: its name has no quotes then."""
    return text.name == "data" and not text.quoted


class UnknownReferences:
    """Finds what rules refer to and an event does not have."""

    def __init__(self, payload: Object) -> None:
        self._open = payload.open
        self._values = {member.name: _values(member.type) for member in payload.members}

    def members(self, rule: FollowUp | RateLimit) -> list[str]:
        """Return the members that a rule refers to and the event does not have."""
        names = rule.when if isinstance(rule, FollowUp) else (*rule.key, *rule.unless)
        return [] if self._open else [name for name in names if name not in self._values]

    def values(self, rule: FollowUp | RateLimit) -> list[str]:
        """Return the values in a rule's condition that the member cannot have."""
        when = rule.when if isinstance(rule, FollowUp) else rule.unless
        allowed = {name: self._values.get(name) for name in when}
        return [
            value
            for name, values in when.items()
            for value in values
            if (closed := allowed[name]) is not None and value not in closed
        ]


def _values(described: Type) -> frozenset[str] | None:
    """Return the strings that a type allows; None for any."""
    match described:
        case Enum(values):
            return frozenset(values)
        case String() | Any() | Alternate():
            return None
        case _:
            return frozenset()


def rate_limit(sentences: Iterable[Sentence], names: Collection[str]) -> RateLimit | None:
    """Return the first rate limit that sentences state for events of these names; None if there is none."""
    for sentence in sentences:
        for stated in sentence.rules:
            if isinstance(stated, RateLimit) and (not sentence.event or sentence.event in names):
                return msgspec.structs.replace(stated, line=sentence.lines[0])
    return None


def follow_ups(
    sentences: Iterable[Sentence], names: Collection[str], payload: Object
) -> dict[str, list[FollowUp]]:
    """Return the follow-ups that sentences state and that can apply, by the event that they follow.

    Args:
        sentences: from the text about the events.
        names: of these events; a sentence that names none is about all of them.
        payload: what they carry.
    """
    stated: defaultdict[str, list[FollowUp]] = defaultdict(list)
    # A rule about a member or a value that the event lacks could never apply; `lint` reports it.
    missing = UnknownReferences(payload)
    for sentence in sentences:
        for rule in sentence.rules:
            if isinstance(rule, FollowUp) and not missing.members(rule) and not missing.values(rule):
                for name in [sentence.event] if sentence.event else names:
                    stated[name].append(msgspec.structs.replace(rule, line=sentence.lines[0]))
    return stated
