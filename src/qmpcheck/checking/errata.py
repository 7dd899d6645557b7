"""Cases in which QEMU is known not to keep to its own spec: `errata.json` beside the rule bases."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from qmpcheck import keypath
from qmpcheck.checking.temporal_rule import Excuse, Pattern, Situation, TemporalRule, condition
from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs import catalogue
from qmpcheck.streams.messages import MICROSECONDS
from qmpcheck.text import name

Values = dict[str, tuple[str, ...]]
"""Members, and the values that each may have."""

BEFORE = MICROSECONDS // 10
"""How long before its situation a trigger may come: causes were seen to lie 0.02 to 6.2 ms away."""


class _SituationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time from an event, if it carries those values, to the first of others.

    `child` is a member of the trigger that names a device, a member of the event that must be the path of a
    part of that, and the part's name.
    """

    begin: str
    ends: frozenset[str] = frozenset()
    when: Values = {}
    child: tuple[str, str, str] | None = None

    @property
    def compiled(self) -> Situation:
        begin = Pattern(self.begin, condition(self.when))
        if self.child is None:
            return Situation(begin, self.ends, BEFORE)
        device, path, part = self.child
        child = tuple(keypath.names(device)), tuple(keypath.names(path)), part
        return Situation(begin, self.ends, BEFORE, child)


class _Sighting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that showed a case, and the file in `corpora/` that shows it."""

    version: str
    recording: str


class Erratum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case.

    Attributes:
        id: its name.
        event: the event whose rule is not kept.
        happens: what QEMU does instead.
        seen: where it was seen.
        rule: the name of the rule about a command that is not kept; "" where it is a follow-up or a value.
        source: the kind of spec that it is about; "" for every kind.
        until: the last release that shows it, such as "8.2"; "" where the newest does.
        when, then: the follow-up that is not kept; `then` is empty where the case is about a value.
        instead: events that come in place of those of `then`: responses, too.
        data: a condition on the trigger beyond that of the follow-up.
        situation: what the trigger must lie in; None where it need not.
        member, values: a member of the event's data, and the values that QEMU sends against the spec.
    """

    id: str
    event: str
    happens: str
    seen: _Sighting
    rule: str = ""
    source: str = ""
    until: str = ""
    when: Values = {}
    then: frozenset[str] = frozenset()
    instead: tuple[str, ...] = ()
    data: Values = {}
    situation: _SituationTable | None = None
    member: str = ""
    values: tuple[str, ...] = ()

    def is_about(self, rule: TemporalRule) -> bool:
        """Whether it is about this rule."""
        if self.rule or rule.name:
            return self.rule == rule.name
        return (
            rule.kind == "response"
            and rule.trigger.name == self.event
            and frozenset(each.name for each in rule.then) == self.then
            and set(condition(self.when).when) <= set(rule.trigger.condition.when)
        )

    def applied_to(self, rule: TemporalRule) -> TemporalRule:
        """The rule with this case known."""
        if self.instead:
            then = (*rule.then, *map(Pattern, self.instead))
            text = f"{rule.text} (or {' or '.join(map(name, self.instead))}: erratum {self.id})"
            return msgspec.structs.replace(rule, then=then, text=text)
        major, _, minor = self.until.partition(".")
        excuse = Excuse(
            self.id,
            condition(self.data),
            self.situation.compiled if self.situation else None,
            (int(major), int(minor)) if self.until else None,
        )
        return msgspec.structs.replace(rule, excuses=(*rule.excuses, excuse))


@functools.cache
def all_errata() -> tuple[Erratum, ...]:
    """All known cases."""
    return msgspec.json.decode(catalogue.rules_file("errata.json"), type=tuple[Erratum, ...])


def of_spec(rule_base: RuleBase) -> tuple[Erratum, ...]:
    """The known cases that are about a spec of this kind."""
    return tuple(each for each in all_errata() if each.source in ("", rule_base.source))


def with_errata(rule: TemporalRule, known: tuple[Erratum, ...]) -> TemporalRule:
    """The rule with those of the cases that are about it."""
    for each in known:
        if each.is_about(rule):
            rule = each.applied_to(rule)
    return rule


def noted(finding: Finding, value: Any, known: tuple[Erratum, ...]) -> Finding:
    """The finding about a value, with the name of the case that covers it, if one does."""
    for each in known:
        if each.event == finding.event and finding.path == ("data", each.member) and value in each.values:
            return msgspec.structs.replace(finding, erratum=each.id)
    return finding
