"""Follow-up rules, and what a part of a session leaves open of them.

A part of a session is a trace: the occurrences in it that matter to a rule, in the order of their lines.
`settle` decides all that can be decided whatever stood before and comes after, says what it found, and
keeps no more of the trace than may still matter. So a trace stays short, and settling traces part by
part, in any grouping, comes to the same as settling them all at once.

Known exception: rate-limited triggers, under a bound or excused by a STOP, where a clock was set back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import msgspec

from qmpcheck.checking.occurrence import Occurrence, member
from qmpcheck.rulebase import Line

RESPONSE, PRECEDENCE, ABSENCE = "response", "precedence", "absence"

STOP, RESUME = "STOP", "RESUME"

Path = tuple[str, ...]

Condition = tuple[tuple[Path, tuple[Any, ...]], ...]
"""Paths into an event's data, and the values that each may have."""


def holds(condition: Condition, data: Any) -> bool:
    """Whether a condition holds for an event's data."""
    return all(any(map(_same_value, values, repeat(member(data, path)))) for path, values in condition)


def _same_value(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same: in Python, `true` is also 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


class Erratum(msgspec.Struct, frozen=True):
    """A case in which QEMU is known not to keep to a rule.

    Attributes:
        id: its name.
        data: a condition on the trigger.
        beside: an event that makes the case, wherever it stands in the session, and a condition on it.
    """

    id: str
    data: Condition = ()
    beside: tuple[str, Condition] | None = None

    def covers(self, trigger: Occurrence, kept: Sequence[Occurrence]) -> bool:
        """Whether the case is that of a trigger, seen what its rule keeps."""
        return holds(self.data, trigger.data) and (not self.beside or any(map(self.is_beside, kept)))

    def is_beside(self, occurrence: Occurrence) -> bool:
        """Whether this is the event that makes the case."""
        if self.beside is None:
            return False
        event, condition = self.beside
        return occurrence.event == event and holds(condition, occurrence.data)


class Rule(msgspec.Struct, frozen=True):
    """One follow-up rule, ready to be watched.

    Attributes:
        text: the rule in words.
        trigger: the event it is about.
        then: the events any of which answers it.
        kind: `response`: one of `then` comes after; `precedence`: came before; `absence`: does not come
            before one of `until`.
        when: a condition on the trigger.
        same: paths whose values are the same in the trigger and in what answers it.
        within: microseconds that a response may take; None for any.
        limited: whether the trigger is rate-limited, and so may stand behind what answered it.
        until: ends an absence, of whatever is the `same`.
        line: of the spec's document, or None.
        errata: known cases in which the rule is not kept.
    """

    text: str
    trigger: str
    then: frozenset[str]
    kind: str = RESPONSE
    when: Condition = ()
    same: tuple[Path, ...] = ()
    within: int | None = None
    limited: bool = False
    until: frozenset[str] = frozenset()
    line: Line = None
    errata: tuple[Erratum, ...] = ()

    @property
    def events(self) -> frozenset[str]:
        """The events that it watches."""
        return self.others | {self.trigger}

    @property
    def others(self) -> frozenset[str]:
        """Those of them that matter whatever they carry."""
        halts = {STOP, RESUME} if self.needs_running else set()
        beside = {erratum.beside[0] for erratum in self.errata if erratum.beside}
        return self.then | self.until | halts | beside

    @property
    def needs_running(self) -> bool:
        """Whether only a running machine can answer: a stopped one does not stop again."""
        return self.kind == RESPONSE and self.then == {STOP}

    def triggered_by(self, occurrence: Occurrence) -> bool:
        """Whether the rule applies to an occurrence."""
        return occurrence.event == self.trigger and holds(self.when, occurrence.data)

    def key(self, occurrence: Occurrence) -> tuple[str, ...]:
        """What trigger and answer must have in common."""
        return tuple(repr(member(occurrence.data, path)) for path in self.same)


class Verdict(msgspec.Struct, frozen=True):
    """A rule that was not kept, or not yet.

    Attributes:
        rule: the rule.
        how: `missing`, `pending`, `late`, `unpreceded` or `present`.
        at: the occurrence that the finding stands on: the trigger, or what should be absent.
        other: what came late, or what forbids; None elsewhere.
    """

    rule: Rule
    how: str
    at: Occurrence
    other: Occurrence | None = None


class Settled(msgspec.Struct, frozen=True):
    """What became of one rule in a trace.

    Attributes:
        verdicts: what is broken, whatever else the session holds.
        open: the triggers that wait for an answer.
        kept: the occurrences that may still matter, `open` not among them.
    """

    verdicts: list[Verdict]
    open: list[Occurrence]
    kept: list[Occurrence]


def settle(rule: Rule, trace: Sequence[Occurrence], whole_before: bool) -> Settled:
    """Decide what can be decided.

    Args:
        rule: the rule.
        trace: occurrences in the order of their lines.
        whole_before: whether the session begins here, so that nothing stood before the trace.
    """
    return _SETTLE[rule.kind](rule, trace, whole_before)


_Key = tuple[str, ...]


def _settle_response(rule: Rule, trace: Sequence[Occurrence], whole_before: bool) -> Settled:
    settled = Settled([], [], [])
    waiting: dict[_Key, list[Occurrence]] = {}
    answers: dict[_Key, list[Occurrence]] = {}
    answered: list[tuple[Occurrence, Occurrence]] = []
    for occurrence in trace:
        if occurrence.event in rule.then:
            key = rule.key(occurrence)
            answers.setdefault(key, []).append(occurrence)
            answered += ((trigger, occurrence) for trigger in waiting.pop(key, ()))
        if rule.triggered_by(occurrence):
            key = rule.key(occurrence)
            earlier = delayed_behind(occurrence, answers.get(key, ())) if rule.limited else None
            if not earlier or _is_late(rule, occurrence, earlier):  # there may be one in time behind it
                waiting.setdefault(key, []).append(occurrence)
    open = sorted((each for triggers in waiting.values() for each in triggers), key=_line)
    if rule.needs_running:
        changes = [each for each in trace if each.event in (STOP, RESUME)]
        open = [each for each in open if not _halted(each, rule, changes)]
        settled.kept.extend(_changes(changes, whole_before))
    settled.open.extend(open)
    for each in answers.values():
        settled.kept.extend(_answers_to_keep(rule, each, whole_before))
    for erratum in rule.errata:
        settled.kept.extend([each for each in trace if erratum.is_beside(each)][:1])
    if rule.within is not None:
        _bound(rule, answered, trace, whole_before, settled)
    return settled


def _bound(
    rule: Rule,
    answered: Sequence[tuple[Occurrence, Occurrence]],
    trace: Sequence[Occurrence],
    whole_before: bool,
    settled: Settled,
) -> None:
    """Look for answers that came too late."""
    changes = [each for each in trace if each.event in (STOP, RESUME)] if rule.needs_running else []
    for trigger, answer in answered:
        if not _is_late(rule, trigger, answer) or _halted(trigger, rule, changes):
            continue
        if whole_before or not (rule.limited or rule.needs_running):
            settled.verdicts.append(Verdict(rule, "late", trigger, answer))
        else:  # before this trace there may be an answer in time, or what halted the machine
            before = [change for change in changes if _precedes(change, trigger, rule)]
            settled.kept.extend((*before[-1:], trigger, answer))


def unanswered(rule: Rule, open: Sequence[Occurrence], later: Sequence[Occurrence]) -> list[Occurrence]:
    """The open triggers that answers behind them leave open, whenever those came."""
    answered = {rule.key(each) for each in later}
    return [trigger for trigger in open if rule.key(trigger) not in answered]


def _line(occurrence: Occurrence) -> int:
    return occurrence.line


def delayed_behind(trigger: Occurrence, answers: Sequence[Occurrence]) -> Occurrence | None:
    """The first answer that did not come before the trigger happened, though it stands before it."""
    if trigger.time is None:
        return None
    before = (each for each in answers if each.line < trigger.line and each.time is not None)
    return min((each for each in before if _time(each) >= trigger.time), key=_time, default=None)


def _time(occurrence: Occurrence) -> int:
    return occurrence.time or 0


def _is_late(rule: Rule, trigger: Occurrence, answer: Occurrence) -> bool:
    if rule.within is None or trigger.time is None or answer.time is None:
        return False
    return answer.time - trigger.time > rule.within


_REMEMBERED = 256
"""Answers remembered for rate-limited triggers yet to come, where a bound asks for the first one in time."""


def _answers_to_keep(rule: Rule, answers: list[Occurrence], whole_before: bool) -> list[Occurrence]:
    """The first for triggers before this trace; the last ones for triggers that are sent late."""
    kept = [] if whole_before else answers[:1]
    if rule.limited:
        kept += answers[-_REMEMBERED:] if rule.within is not None else [max(answers, key=_time)]
    return kept


def _changes(trace: Sequence[Occurrence], whole_before: bool) -> list[Occurrence]:
    """What halted the machine or set it running, from the last STOP on: that one answers all before it."""
    changes: list[Occurrence] = []
    running = True if whole_before else None
    for occurrence in trace:
        if occurrence.event == STOP:
            changes, running = [occurrence], False
        elif occurrence.event == RESUME and not running:
            changes.append(occurrence)
            running = True
    return changes


def _halted(trigger: Occurrence, rule: Rule, changes: Sequence[Occurrence]) -> bool:
    """Whether the machine is known to have been halted when the trigger happened."""
    before = [change for change in changes if _precedes(change, trigger, rule)]
    return bool(before) and before[-1].event != RESUME


def _precedes(change: Occurrence, trigger: Occurrence, rule: Rule) -> bool:
    """Whether a change stands before a trigger and, if the trigger may be sent late, happened before it."""
    if change.line >= trigger.line:
        return False
    if rule.limited and change.time is not None and trigger.time is not None:
        return change.time <= trigger.time
    return True


def _settle_precedence(rule: Rule, trace: Sequence[Occurrence], whole_before: bool) -> Settled:
    settled = Settled([], [], [])
    seen: set[_Key] = set()
    for occurrence in trace:
        if rule.triggered_by(occurrence) and rule.key(occurrence) not in seen:
            if whole_before:
                settled.verdicts.append(Verdict(rule, "unpreceded", occurrence))
            else:
                settled.kept.append(occurrence)
        if occurrence.event in rule.then and rule.key(occurrence) not in seen:
            seen.add(rule.key(occurrence))
            settled.kept.append(occurrence)
    return settled


def _settle_absence(rule: Rule, trace: Sequence[Occurrence], whole_before: bool) -> Settled:
    settled = Settled([], [], [])
    forbidding: dict[_Key, Occurrence] = {}
    lifted: Occurrence | None = None
    for occurrence in trace:
        if occurrence.event in rule.then:
            forbids = forbidding.get(rule.key(occurrence))
            if forbids:
                settled.verdicts.append(Verdict(rule, "present", occurrence, forbids))
            elif lifted is None and not whole_before:
                settled.kept.append(occurrence)
        if occurrence.event in rule.until:
            forbidding.clear()
            lifted = occurrence
        if rule.triggered_by(occurrence):
            forbidding.setdefault(rule.key(occurrence), occurrence)
    settled.kept.extend(forbidding.values())
    if lifted and not whole_before:
        settled.kept.append(lifted)
    return settled


_SETTLE = {RESPONSE: _settle_response, PRECEDENCE: _settle_precedence, ABSENCE: _settle_absence}
