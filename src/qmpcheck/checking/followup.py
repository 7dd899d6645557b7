"""Follow-up rules, and what a part of a session leaves open of them.

A part of a session is a trace: the occurrences in it that matter to a rule, in the order of their lines.
`settle` decides all that can be decided whatever stood before and comes after, says what it found, and
keeps no more of the trace than may still matter. So a trace stays short, and settling traces part by
part, in any grouping, comes to the same as settling them all at once.

A rate-limited trigger is sent late: what happened after it may stand before it. So it looks back on the
last events that could answer it or halt the machine, `SENT_LATE_BEHIND` of them and no more. Where all
of these happened after it, the first answer may stand before them: it is taken to have come in time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any

import msgspec

from qmpcheck.checking.occurrence import Occurrence, member
from qmpcheck.rulebase import Line

RESPONSE, PRECEDENCE, ABSENCE = "response", "precedence", "absence"

STOP, RESUME = "STOP", "RESUME"

SENT_LATE_BEHIND = 16
"""So many answers, STOPs and RESUMEs a trigger may stand behind that happened after it."""

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


class Rule(msgspec.Struct, frozen=True, dict=True):
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
        line, file: of the spec's document, or None and "".
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
    file: str = ""
    errata: tuple[Erratum, ...] = ()

    @functools.cached_property
    def others(self) -> frozenset[str]:
        """The events that matter to it whatever they carry."""
        return self.then | self.until | self.looked_back_on

    @functools.cached_property
    def needs_running(self) -> bool:
        """Whether only a running machine can answer: a stopped one does not stop again."""
        return self.kind == RESPONSE and self.then == {STOP}

    @functools.cached_property
    def looked_back_on(self) -> frozenset[str]:
        """The events before a trigger that may spare it an answer behind it."""
        halts = frozenset((STOP, RESUME)) if self.needs_running else frozenset()
        return halts | (self.then if self.limited else frozenset())

    @functools.cached_property
    def reach(self) -> int:
        """How many of these, at most, are looked back on; one tells all where order is that of lines."""
        return SENT_LATE_BEHIND if self.limited else int(self.needs_running)

    def is_reread(self, whole_before: bool) -> bool:
        """Whether open triggers are settled anew when more of the trace is known, before them or behind."""
        return self.within is not None or (self.reach > 0 and not whole_before)

    def triggered_by(self, occurrence: Occurrence) -> bool:
        """Whether the rule applies to an occurrence."""
        is_one = occurrence.event == self.trigger and not occurrence.judged
        return is_one and holds(self.when, occurrence.data)

    def context(self, kept: Iterable[Occurrence]) -> Iterable[Occurrence]:
        """Occurrences kept for what they answer, excuse or explain: none of them is to trigger again."""
        return map(self._judged, kept) if self._keeps_triggers else kept

    @functools.cached_property
    def _keeps_triggers(self) -> bool:
        explaining = {each.beside[0] for each in self.errata if each.beside}
        return self.trigger in self.others | explaining

    def _judged(self, occurrence: Occurrence) -> Occurrence:
        is_trigger = occurrence.event == self.trigger
        return msgspec.structs.replace(occurrence, judged=True) if is_trigger else occurrence

    def key(self, occurrence: Occurrence) -> tuple[str, ...]:
        """What trigger and answer must have in common."""
        return () if not self.same else tuple(repr(member(occurrence.data, path)) for path in self.same)


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
    triggered = any(each.event == rule.trigger for each in trace)
    return (_settle_triggered if triggered else _settle_untriggered)(rule, trace, whole_before)


def _settle_triggered(rule: Rule, trace: Sequence[Occurrence], whole_before: bool) -> Settled:
    reach, looked_back_on = rule.reach, rule.looked_back_on
    past: list[Occurrence] = []
    waiting: dict[_Key, list[tuple[Occurrence, range]]] = {}
    late: list[tuple[Occurrence, range, Occurrence]] = []
    first_answers: dict[_Key, Occurrence] = {}
    for occurrence in trace:
        if occurrence.event in rule.then:
            key = rule.key(occurrence)
            first_answers.setdefault(key, occurrence)
            late += (
                (*each, occurrence) for each in waiting.pop(key, ()) if _is_late(rule, each[0], occurrence)
            )
        if rule.triggered_by(occurrence):
            behind = range(max(0, len(past) - reach), len(past))
            if not (reach and _needs_no_answer(rule, occurrence, past[behind.start :])):
                waiting.setdefault(rule.key(occurrence), []).append((occurrence, behind))
        if occurrence.event in looked_back_on:
            past.append(occurrence)
    open = sorted(chain.from_iterable(waiting.values()), key=lambda each: each[0].line)
    settled = Settled([], [trigger for trigger, _ in open], [])
    windows = [range(max(0, len(past) - reach), len(past))]
    if rule.is_reread(whole_before):
        windows += (behind for _, behind in open)
    if whole_before or not reach:
        settled.verdicts.extend(Verdict(rule, "late", trigger, answer) for trigger, _, answer in late)
    else:  # before this trace there may be an answer in time, or what halted the machine
        windows += (behind for _, behind, _ in late)
        settled.kept.extend(each for trigger, _, answer in late for each in (trigger, answer))
    if not whole_before:
        settled.kept.extend(rule.context(first_answers.values()))
    settled.kept.extend(rule.context(_cases(rule, trace)))
    settled.kept.extend(rule.context(map(past.__getitem__, _union(windows))))
    return settled


def _settle_untriggered(rule: Rule, trace: Sequence[Occurrence], whole_before: bool) -> Settled:
    """The same where nothing is to be answered, as in most parts of a stream."""
    looked_back_on = rule.looked_back_on
    past = [each for each in trace if each.event in looked_back_on]
    kept = past[max(0, len(past) - rule.reach) :]
    if not whole_before:
        first_answers: dict[_Key, Occurrence] = {}
        for each in trace:
            if each.event in rule.then:
                first_answers.setdefault(rule.key(each), each)
        kept += first_answers.values()
    return Settled([], [], [*rule.context((*kept, *_cases(rule, trace)))])


def _cases(rule: Rule, trace: Sequence[Occurrence]) -> Iterator[Occurrence]:
    """The first event that makes each case in which the rule is known not to be kept."""
    for erratum in rule.errata:
        yield from islice(filter(erratum.is_beside, trace), 1)


def _union(ranges: list[range]) -> Iterator[int]:
    """What is in any of the ranges, each once."""
    end = 0
    for each in sorted(ranges, key=lambda each: each.stop):
        yield from range(max(end, each.start), each.stop)
        end = max(end, each.stop)


def unanswered(rule: Rule, open: Sequence[Occurrence], later: Sequence[Occurrence]) -> list[Occurrence]:
    """The open triggers that answers behind them leave open, whenever those came."""
    answered = set(map(rule.key, later))
    return [trigger for trigger in open if rule.key(trigger) not in answered] if answered else [*open]


def late_before(rule: Rule, trigger: Occurrence, kept: Sequence[Occurrence]) -> Occurrence | None:
    """What answered an open trigger before it was sent, but after its bound."""
    if not rule.limited or rule.within is None:
        return None
    past = [each for each in kept if each.event in rule.looked_back_on and each.line < trigger.line]
    return _answer_behind(rule, trigger, past[-rule.reach :])


def _needs_no_answer(rule: Rule, trigger: Occurrence, past: Sequence[Occurrence]) -> bool:
    """Whether what stands before a trigger meets or excuses it."""
    if rule.needs_running and _halted(rule, trigger, past):
        return True
    answer = _answer_behind(rule, trigger, past) if rule.limited else None
    if answer is None or not _is_late(rule, trigger, answer):
        return answer is not None
    return len(past) == rule.reach and _is_younger(past[0], trigger)  # what answered first is out of sight


def _halted(rule: Rule, trigger: Occurrence, past: Sequence[Occurrence]) -> bool:
    """Whether the machine is known to have been halted when the trigger happened."""
    changes = (each for each in reversed(past) if each.event in (STOP, RESUME))
    last = next((each for each in changes if not rule.limited or not _is_younger(each, trigger)), None)
    return last is not None and last.event == STOP


def _answer_behind(rule: Rule, trigger: Occurrence, past: Sequence[Occurrence]) -> Occurrence | None:
    """The first answer that did not come before the trigger happened, though it stands before it."""
    if trigger.time is None:
        return None
    key, then = rule.key(trigger), rule.then
    answers = [
        each for each in past if each.event in then and rule.key(each) == key and each.time is not None
    ]
    return min((each for each in answers if _time(each) >= trigger.time), key=_time, default=None)


def _is_younger(a: Occurrence, b: Occurrence) -> bool:
    return a.time is not None and b.time is not None and a.time > b.time


def _time(occurrence: Occurrence) -> int:
    return occurrence.time or 0


def _is_late(rule: Rule, trigger: Occurrence, answer: Occurrence) -> bool:
    if rule.within is None or trigger.time is None or answer.time is None:
        return False
    return answer.time - trigger.time > rule.within


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
            settled.kept.extend(rule.context([occurrence]))
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
