"""Find the releases that allow what a finding is about, such as "member since 2.10".

In a build that is newer than all known releases, some of it may simply be new, and is only a warning.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from qmpcheck.codes import CODES, Allowance, Severity
from qmpcheck.finding import Finding, Severities
from qmpcheck.keypath import KeyPath, of_any_item
from qmpcheck.rulebase import (
    JSON_TYPES,
    Alternate,
    Enum,
    EventRule,
    Integer,
    Number,
    Object,
    RuleBase,
    String,
    Type,
    resolve,
)
from qmpcheck.specs import catalogue
from qmpcheck.text import quoted
from qmpcheck.wording import release_ranges_text

MAY_BE_NEW = frozenset(code for code, each in CODES.items() if each.evidence and each.evidence.may_be_new)
"""The codes of findings that a newer spec may not have: an unknown event, member or value."""


def severities_of_newer(own: Severities) -> Severities:
    """Return the severities for a build newer than all known releases: what may be new is a warning.

    Args:
        own: the severities that the user sets, whatever the build is.
    """
    return {**dict.fromkeys(MAY_BE_NEW, Severity.WARNING), **own}


@functools.cache
def availability_for(spec: str, newer: str = "") -> Availability:
    """Return the lookup of what breaks the rules of one spec in all other releases.

    Args:
        spec: its `id`.
        newer: the release of the build, if the catalogue does not have it yet.
    """
    return Availability(spec, newer)


class Availability:
    """Looks up findings about one spec in the releases before and after it."""

    def __init__(self, spec: str, newer: str = "") -> None:
        self._id = spec
        self._newer = newer
        self._text = functools.lru_cache(_MOST_KEPT)(self._look_up)

    def with_drift(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings, each with the releases that allow it, if there are any."""
        return tuple(
            msgspec.structs.replace(finding, drift=self.drift(finding))
            if CODES[finding.code].evidence
            else finding
            for finding in findings
        )

    def drift(self, finding: Finding) -> str | None:
        """Return a phrase such as `member since 2.10`; None if no other release allows it."""
        known = None
        if evidence := CODES[finding.code].evidence:
            keys = of_any_item(finding.path[1:])
            known = self._text(_FindingSubject(evidence.allowed_by, finding.event, keys, finding.got))
        may_be_new = self._newer and finding.code in MAY_BE_NEW
        return f"may be new in {self._newer}" if may_be_new and not known else known

    def _look_up(self, subject: _FindingSubject) -> str | None:
        line = catalogue.releases()
        words = [_word(subject, spec.rule_base) for spec in line]
        return _phrase(words, [spec.name for spec in line], self._place)

    @functools.cached_property
    def _place(self) -> tuple[int, int] | None:
        """How many releases are older than the spec, and how many are not newer; None if it has no date."""
        entry = next((each for each in catalogue.entries() if each.id == self._id), None)
        ids = [spec.id for spec in catalogue.releases()]
        if entry is None:
            return None
        if entry.id in ids:
            begin = ids.index(entry.id)
            return begin, begin + ids.count(entry.id)
        dates = {each.id: each.date for each in catalogue.entries()}
        # A release without a date is one that the user added, which is newer than any text.
        before = sum("" < dates[id] <= entry.date for id in ids)
        return before, before


_MOST_KEPT = 4096

_UNTIL = {
    **dict.fromkeys(("event", "member", "value"), "removed in {}"),
    **dict.fromkeys(("optional", "no such member"), "mandatory since {}"),
}
"""The phrase for each word if only earlier releases allow it; {} is the first release that does not."""


def _phrase(words: Sequence[str], names: Sequence[str], place: tuple[int, int] | None) -> str | None:
    """Return the phrase for the releases that allow something, "member since 2.10"; None if none does.

    Args:
        words: for each release, the word for what it allows; "" if it does not.
        names: the names of the releases.
        place: the place of the spec among them.
    """
    allowed = [at for at, word in enumerate(words) if word]
    if not allowed:
        return None
    first, last = allowed[0], allowed[-1]
    # Only older releases allow it.
    if place and last < place[0]:
        return _UNTIL.get(words[last], f"{words[last]} until {names[last]}").format(names[last + 1])
    # All newer releases from some point on allow it; the spec itself and older ones do not.
    if place and first >= place[1] and len(allowed) == len(words) - first:
        return f"{words[first]} since {names[first]}"
    word = words[first] if len({words[at] for at in allowed}) == 1 else "may be absent"
    return f"{word} in {release_ranges_text([*map(bool, words)], names)}"


class _FindingSubject(NamedTuple):
    """What a finding is about; the keys lead into the event's data."""

    allowed_by: Allowance
    event: str
    keys: KeyPath
    got: str


def _word(subject: _FindingSubject, rule_base: RuleBase) -> str:
    """Return the word for what a spec has that allows the subject of a finding; "" if it has nothing."""
    rule = rule_base.events.get(subject.event)
    if rule is None:
        return ""
    types = _types(rule, subject.keys)
    match subject.allowed_by:
        case Allowance.EVENT:
            return "event"
        case Allowance.ABSENCE:
            return _word_for_absence(rule, subject)
        case Allowance.MEMBER:
            return "member" if types else ""
        case Allowance.TYPE:
            return subject.got if any(_is_of(each, subject.got) for each in types) else ""
        case Allowance.VALUE:
            return "value" if any(_has(each, subject.got) for each in types) else ""


def _word_for_absence(rule: EventRule, subject: _FindingSubject) -> str:
    if not subject.keys:
        return "" if rule.needs_data else "optional"
    holders = [each for each in _types(rule, subject.keys[:-1]) if isinstance(each, Object) and not each.open]
    members = [each.member for each in resolve(rule.data, subject.keys)]
    if holders and not members:
        return "no such member"
    return "optional" if any(member and member.may_be_absent for member in members) else ""


def _types(rule: EventRule, keys: KeyPath) -> list[Type]:
    """Return the types of a value at these keys, in any branch of a union."""
    return [each.type for each in resolve(rule.data, keys) if not isinstance(each.type, Alternate)]


def _is_of(described: Type, json_type: str) -> bool:
    return json_type == JSON_TYPES.get(type(described)) or (
        isinstance(described, Number) and json_type == "integer"
    )


def _has(described: Type, value: str) -> bool:
    """Whether a type names a value or, for a number, allows it; a type that allows any string names none."""
    match described:
        case Enum(values) | String(values):
            return value in map(quoted, values)
        case Integer() if _INTEGER.fullmatch(value):
            least, greatest = described.range or (int(value), int(value))
            return least <= int(value) <= greatest
        case _:
            return isinstance(described, Number) and bool(_INTEGER.fullmatch(value))


_INTEGER = re.compile(r"-?[0-9]+")
