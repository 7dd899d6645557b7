"""Known cases in which QEMU does not follow its own spec: `errata.json` beside the rule bases.

An erratum about a follow-up becomes an `Excuse` of the temporal rule: monitors decide whether it covers a
trigger. One about a value is looked up when the value has been found to be wrong. Either way the finding
becomes a warning that names the erratum; it does not disappear. Only where QEMU sends other events instead,
these are responses like those that the spec names.
"""

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
"""Members, as dotted paths, and the values that each may have."""

BEFORE = MICROSECONDS // 10
"""How many microseconds before its situation a trigger may come; 20 to 6200 were seen."""


class _SituationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Situation` as the file describes it.

    Attributes:
        begin: the event that begins it.
        ends: the events that end it.
        when: the values that the event `begin` must have.
        child: a member of the trigger that names a device, a member of `begin` that must be the path of a
            part of that device, and the part's name; None for any.
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
    """A version that shows an erratum, and a recording in `corpora/` of that."""

    version: str
    recording: str


class Erratum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case in which QEMU does not follow its spec: about a follow-up, a rule about a command, or a value.

    Attributes:
        id: its name.
        event: the event whose rule QEMU does not follow.
        happens: what QEMU does instead.
        seen: where it was seen.
        rule: the name of a rule about a command; "" if it is about a follow-up or a value.
        source: the kind of spec that it is about; "" for every kind.
        until: the last release that shows it, such as "8.2"; "" if the newest one does.
        when, then: the follow-up that it is about; `then` is empty if it is about none.
        instead: events that come in place of those in `then`, and count as responses.
        data: a condition on the trigger beyond that of the follow-up.
        situation: the situation in which the trigger must come; None for any.
        member, values: a member of the event's data, and values that QEMU sends although the spec lacks them.
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
        """Return whether the erratum is about a rule."""
        if self.rule or rule.name:
            return self.rule == rule.name  # only follow-ups of specs have no name
        return (
            rule.kind == "response"
            and rule.trigger.name == self.event
            and frozenset(each.name for each in rule.then) == self.then
            and set(condition(self.when).when) <= set(rule.trigger.condition.when)
        )

    def applied_to(self, rule: TemporalRule) -> TemporalRule:
        """Return the rule with the erratum as an excuse, or with other responses."""
        if self.instead:
            # No excuse: if neither the stated nor this event comes, that is an error.
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
    """Return all known errata."""
    return msgspec.json.decode(catalogue.rules_file("errata.json"), type=tuple[Erratum, ...])


def of_spec(rule_base: RuleBase) -> tuple[Erratum, ...]:
    """Return the known errata about specs of this kind."""
    return tuple(each for each in all_errata() if each.source in ("", rule_base.source))


def with_errata(rule: TemporalRule, known: tuple[Erratum, ...]) -> TemporalRule:
    """Return the rule with the errata that are about it."""
    for each in known:
        if each.is_about(rule):
            rule = each.applied_to(rule)
    return rule


def with_erratum(finding: Finding, data: Any, known: tuple[Erratum, ...]) -> Finding:
    """Return a finding about a payload, with the name of the erratum that covers it, if any.

    Args:
        finding: what is wrong with the event.
        data: the event's data.
        known: the errata about the spec.
    """
    for each in known:
        is_about = each.event == finding.event and finding.path == ("data", each.member)
        if is_about and finding.code == "QMP205" and data[each.member] in each.values:
            return msgspec.structs.replace(finding, erratum=each.id)
    return finding
