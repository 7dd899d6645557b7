"""Parts of a session, and how adjoining parts become one."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from qmpcheck.checking import clock, followup
from qmpcheck.checking.clock import Clocks, Limits
from qmpcheck.checking.followup import Rule, Verdict
from qmpcheck.checking.occurrence import MICROSECONDS, Occurrence
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.printable import name, safe, shortened

MOST_OPEN = 10_000
"""Open triggers of one rule that are kept one by one; those after them are counted."""


class Timing(msgspec.Struct, frozen=True):
    """The rules over time that a check is held to.

    Attributes:
        rules: the follow-ups.
        limits: the events that the spec says are rate-limited.
        late: the events that may be sent late, by the spec or by what is known of QEMU.
    """

    rules: tuple[Rule, ...] = ()
    limits: Limits = {}
    late: frozenset[str] = frozenset()


More = dict[tuple[str, ...], "array[int]"]


class Trace(msgspec.Struct, frozen=True):
    """What one rule keeps of a part of a session.

    Attributes:
        open: triggers that wait for an answer, the first of them.
        kept: other occurrences that may still matter; of a part just read, triggers among them.
        more: when the triggers happened that are open, too, by what an answer must have in common with them;
            microseconds, -1 where there is no clock. Only where nothing stood before the part.
    """

    open: tuple[Occurrence, ...] = ()
    kept: tuple[Occurrence, ...] = ()
    more: More = {}

    def down(self, lines: int) -> Trace:
        """The same, so many lines further down."""
        return Trace(_down(self.open, lines), _down(self.kept, lines), self.more)


def _down(occurrences: tuple[Occurrence, ...], lines: int) -> tuple[Occurrence, ...]:
    return tuple(occurrence.down(lines) for occurrence in occurrences)


class Part(msgspec.Struct, frozen=True):
    """A part of one session.

    Attributes:
        traces: for each rule what it keeps.
        clocks: the timestamps at both ends.
        whole_before: whether the session begins with this part.
        ended: the line of the greeting that ends the session; None where it may go on.
    """

    traces: tuple[Trace, ...]
    clocks: Clocks = Clocks()
    whole_before: bool = False
    ended: int | None = None

    def down(self, lines: int) -> Part:
        """The same, so many lines further down."""
        traces = tuple(trace.down(lines) for trace in self.traces)
        ended = None if self.ended is None else self.ended + lines
        return Part(traces, self.clocks.down(lines), self.whole_before, ended)


Untold = Counter[tuple[str, str, str]]


class Found(msgspec.Struct, frozen=True):
    """Findings, and how many more there are that are not told one by one, by code, event and erratum."""

    told: list[Diagnostic]
    untold: Untold = msgspec.field(default_factory=Counter)

    def __add__(self, other: Found) -> Found:
        return Found(self.told + other.told, self.untold + other.untold)


def empty(timing: Timing, whole_before: bool = False) -> Part:
    """A part without an event."""
    return Part((Trace(),) * len(timing.rules), whole_before=whole_before)


def join(timing: Timing, before: Part, after: Part) -> tuple[Part, Found]:
    """Two parts as one, and what shows only where they are seen together. Lines count from one start."""
    clocks, told = clock.join(before.clocks, after.clocks)
    untold: Untold = Counter()
    traces: list[Trace] = []
    for rule, left, right in zip(timing.rules, before.traces, after.traces, strict=True):
        trace, verdicts, late = _join_traces(rule, left, right, before.whole_before)
        traces.append(trace)
        told += map(_diagnostic, verdicts)
        if late:
            untold[_CODES["late"], name(rule.trigger), ""] += late
    joined = Part(tuple(traces), clocks, before.whole_before, after.ended)
    if not joined.whole_before or joined.ended is None:
        return joined, Found(told, untold)
    closed = close(timing, joined, joined.ended - 1, complete=True)
    return empty(timing, whole_before=True), Found(told + closed.told, untold + closed.untold)


def judge(rule: Rule, trace: Trace, end: int) -> Found:
    """What breaks a rule in a session that is known from its greeting to its last line, `end`."""
    settled = followup.settle(rule, trace.kept, whole_before=True)
    open, rest = settled.open[:MOST_OPEN], settled.open[MOST_OPEN:]
    left = Trace(tuple(open), _in_order(settled.kept), _counted(rule, rest))
    return Found([*map(_diagnostic, settled.verdicts)]) + _close_trace(rule, left, (), end, complete=True)


def _join_traces(
    rule: Rule, left: Trace, right: Trace, whole_before: bool
) -> tuple[Trace, list[Verdict], int]:
    """Two traces as one, what is settled by it, and how many of the left one's `more` were answered late."""
    if not (right.open or right.kept or right.more):
        return left, [], 0
    answers = [each for each in right.kept if each.event in rule.then]
    if rule.is_reread(whole_before) and (left.kept or rule.within is not None):  # else none looked back
        open, trace = [], _in_order(left.open, left.kept, right.open, right.kept)
    else:
        open = followup.unanswered(rule, left.open, answers)
        trace = _in_order(left.kept, right.open, right.kept)
    settled = followup.settle(rule, trace, whole_before)
    open += settled.open
    more, late = _still_open(rule, left.more, answers)
    cut = MOST_OPEN if whole_before else len(open)
    more = _both(_both(more, right.more), _counted(rule, open[cut:]))
    return Trace(tuple(open[:cut]), _in_order(settled.kept), more), settled.verdicts, late


def _still_open(rule: Rule, more: More, answers: Iterable[Occurrence]) -> tuple[More, int]:
    """Those that answers behind them leave open, and how many are answered late."""
    first: dict[tuple[str, ...], Occurrence] = {}
    for answer in answers if more else ():
        first.setdefault(rule.key(answer), answer)
    late = 0
    for key, answer in first.items():
        if key in more and rule.within is not None and answer.time is not None:
            in_time = answer.time - rule.within
            late += sum(0 <= time < in_time for time in more[key])
    return {key: times for key, times in more.items() if key not in first} if first else more, late


def _counted(rule: Rule, triggers: Iterable[Occurrence]) -> More:
    counted: More = {}
    for each in triggers:
        counted.setdefault(rule.key(each), array("q")).append(-1 if each.time is None else each.time)
    return counted


def _both(before: More, after: More) -> More:
    if not after:
        return before
    return before | {key: before.get(key, _NONE) + times for key, times in after.items()}


_NONE = array("q")


def _in_order(*groups: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    """Each occurrence once, in the order of lines; one that is both is not judged yet."""
    by_line: dict[int, Occurrence] = {}
    for each in chain(*groups):
        if each.line not in by_line or not each.judged:
            by_line[each.line] = each
    return tuple(by_line[line] for line in sorted(by_line))


def close(timing: Timing, part: Part, end: int, complete: bool) -> Found:
    """What a session leaves open, at line `end`; as broken where it is known to be over.

    A trigger whose bound has passed, by any later timestamp, is broken in any case.
    """
    told: list[Diagnostic] = []
    untold: Untold = Counter()
    for rule, trace in zip(timing.rules, part.traces, strict=True):
        closed = _close_trace(rule, trace, part.clocks.peaks, end, complete)
        told += closed.told
        untold += closed.untold
    return Found(told, untold)


def overdue(timing: Timing, part: Part, told: Container[tuple[int, str]]) -> Iterator[Diagnostic]:
    """The triggers that no answer can meet in time any more, though one may come yet.

    Args:
        timing: the rules over time.
        part: a session from its begin on.
        told: those that are known already: their lines, and the rules in words.
    """
    for rule, trace in zip(timing.rules, part.traces, strict=True):
        for trigger in trace.open if rule.within is not None else ():
            is_new = (trigger.line, rule.text) not in told
            if is_new and _is_past(rule, trigger, part.clocks.peaks):
                yield _diagnostic(Verdict(rule, "overdue", trigger), trace.kept)


def _close_trace(rule: Rule, trace: Trace, peaks: clock.Peaks, end: int, complete: bool) -> Found:
    """The same of one rule."""
    told: list[Diagnostic] = []
    for trigger in trace.open:
        late = followup.late_before(rule, trigger, trace.kept)
        if late:
            told.append(_diagnostic(Verdict(rule, "late", trigger, late), trace.kept))
        else:
            how = "missing" if complete or _is_past(rule, trigger, peaks) else "pending"
            told.append(_diagnostic(Verdict(rule, how, trigger), trace.kept, searched=end))
    return Found(told, _of_more(rule, trace.more, peaks, complete))


def _is_past(rule: Rule, trigger: Occurrence, peaks: clock.Peaks) -> bool:
    """Whether a timestamp behind a trigger has passed its bound."""
    if rule.within is None or trigger.time is None:
        return False
    latest = next((time for line, time in peaks if line > trigger.line), None)
    return latest is not None and latest - trigger.time > rule.within


def _of_more(rule: Rule, more: More, peaks: clock.Peaks, complete: bool) -> Untold:
    """The findings about triggers that are counted only. They are the last ones: the last peak is behind."""
    open = sum(map(len, more.values()))
    missing = open if complete else 0
    if rule.within is not None and peaks and not complete:
        past = peaks[-1][1] - rule.within
        missing = sum(0 <= time < past for times in more.values() for time in times)
    counts = {"missing": missing, "pending": open - missing}
    return Counter({(_CODES[how], name(rule.trigger), ""): count for how, count in counts.items() if count})


_CODES = {
    "missing": "QMP301",
    "pending": "QMP302",
    "overdue": "QMP302",
    "late": "QMP303",
    "unpreceded": "QMP306",
    "present": "QMP307",
}


def _diagnostic(verdict: Verdict, kept: Sequence[Occurrence] = (), searched: int | None = None) -> Diagnostic:
    rule, at = verdict.rule, verdict.at
    return Diagnostic(
        _CODES[verdict.how],
        at.line,
        f"{rule.text}: {_how(verdict)}; it carries {_payload(at)}",
        name(at.event),
        spec_line=rule.line,
        spec_file=rule.file,
        searched=searched,
        erratum=next((each.id for each in rule.errata if each.covers(at, kept)), ""),
        rule=rule.text,
    )


def _how(verdict: Verdict) -> str:
    match verdict.how:
        case "late":
            gap = (verdict.other.time or 0) - (verdict.at.time or 0) if verdict.other else 0
            return f"it came {gap / MICROSECONDS:.6f} s after this one"
        case "unpreceded":
            return "none did"
        case "present":
            return "this one did"
        case "missing":
            return "none did"
        case "overdue":
            return f"none has within {(verdict.rule.within or 0) / MICROSECONDS:g} s"
        case _:
            return "none has yet"


def _payload(occurrence: Occurrence) -> str:
    if not occurrence.data:
        return "no data"
    import json

    return safe(shortened(json.dumps(occurrence.data, default=str), 200))
