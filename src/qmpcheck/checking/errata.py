"""Known cases in which QEMU does not follow its own spec: `errata.json` beside the rule bases."""

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
"""How long before its situation a trigger may come; 0.02 to 6.2 ms were seen."""


class _SituationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time from an event, if it has these values, to the first of others.

    `child`: a member of the trigger that names a device, a member of the event that must be the path of a
    part of that device, and the part's name.
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
    """A version that shows a case, and the recording of that in `corpora/`."""

    version: str
    recording: str


class Erratum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case.

    Attributes:
        id: its name.
        event: the event whose rule QEMU does not follow.
        happens: what QEMU does instead.
        seen: where it was seen.
        rule: the name of a rule about a command; "" if the case is about a follow-up or a value.
        source: the kind of spec that it is about; "" for every kind.
        until: the last release that shows it, such as "8.2"; "" if the newest one does.
        when, then: the follow-up; `then` is empty if the case is about a value.
        instead: events that come in place of those in `then`, and count as responses.
        data: a condition on the trigger beyond that of the follow-up.
        situation: the situation in which the trigger must come; None for any.
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
        """Whether the case is about this rule."""
        if self.rule or rule.name:
            return self.rule == rule.name
        return (
            rule.kind == "response"
            and rule.trigger.name == self.event
            and frozenset(each.name for each in rule.then) == self.then
            and set(condition(self.when).when) <= set(rule.trigger.condition.when)
        )

    def applied_to(self, rule: TemporalRule) -> TemporalRule:
        """Return the rule with the case as an excuse."""
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
    """Return all known cases."""
    return msgspec.json.decode(catalogue.rules_file("errata.json"), type=tuple[Erratum, ...])


def of_spec(rule_base: RuleBase) -> tuple[Erratum, ...]:
    """Return the known cases about specs of this kind."""
    return tuple(each for each in all_errata() if each.source in ("", rule_base.source))


def with_errata(rule: TemporalRule, known: tuple[Erratum, ...]) -> TemporalRule:
    """Return the rule with the cases that are about it as excuses."""
    for each in known:
        if each.is_about(rule):
            rule = each.applied_to(rule)
    return rule


def noted(finding: Finding, data: Any, known: tuple[Erratum, ...]) -> Finding:
    """Return the finding about an event with that data, with the name of the case that covers it, if any."""
    for each in known:
        is_about = each.event == finding.event and finding.path == ("data", each.member)
        if is_about and finding.code == "QMP205" and data[each.member] in each.values:
            return msgspec.structs.replace(finding, erratum=each.id)
    return finding
