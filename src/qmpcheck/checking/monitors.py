"""Monitors: each tracks one temporal rule through one stream, forward, one message after the other.

A monitor learns of triggers, of responses and of what lifts an absence, in their order; a message that is
two of these is a response first. `finish` tells it that the session is over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import chain
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import msgspec

from qmpcheck.checking.accessors import data_of
from qmpcheck.checking.session import LOOK_BACK, Key, Session, key_reader
from qmpcheck.checking.temporal_rule import RESUME, Excuse, TemporalRule
from qmpcheck.checking.timestamps import Seen
from qmpcheck.codes import RULE_CODES
from qmpcheck.finding import Finding
from qmpcheck.streams.messages import MICROSECONDS, Command, time_of
from qmpcheck.text import name, safe, shortened

MOST_OPEN = 10_000
"""Open triggers of one rule that are kept one by one; those after them are only counted."""

Outcome = Literal["met", "not needed", "late", "missing", "pending", "unpreceded", "present"]


class Judgement(NamedTuple):
    """What a monitor decided about one message.

    Attributes:
        rule: the rule.
        line: the line of the message.
        outcome: what was decided.
        response: the line of the response, early or late; None where none came.
        erratum: the known case that covers it, "" for none.
    """

    rule: TemporalRule
    line: int
    outcome: Outcome
    response: int | None = None
    erratum: str = ""


class Reporter(NamedTuple):
    """Where monitors report to.

    Attributes:
        finding: takes each finding.
        more: takes the code, the event, the number and the rule's title of findings that are only counted.
        judgement: takes each judgement, those without a finding, too; None where nobody wants them.
        name_of: gives the name of a message.
    """

    finding: Callable[[Finding], object]
    more: Callable[[str, str, int, str], object]
    judgement: Callable[[Judgement], object] | None
    name_of: Callable[[Any], str]


class Monitor:
    """Tracks one temporal rule through one stream.

    Attributes:
        rule: the rule.
        open: whether it waits for anything, by its truth.
    """

    open: Any = True

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        self.rule, self.session, self._reporter = rule, session, reporter
        self._trigger_key = key_reader(tuple(path for path, _ in rule.same))
        self._response_key = key_reader(tuple(path for _, path in rule.same))
        self._states = [
            (session.state(state), key_reader(tuple(path for path, _ in state.same)), is_wanted)
            for state, is_wanted in [(rule.during, True), *((each, False) for each in rule.unless)]
            if state
        ]

    def reconnected(self) -> None:
        """A client came back to the same process: messages can be missing before this."""

    def applies(self, trigger: Seen) -> bool:
        """Whether a trigger comes in a state that the rule is about."""
        return all(tracker.holds(key(trigger)) == is_wanted for tracker, key, is_wanted in self._states)

    def on_trigger(self, trigger: Seen) -> None:
        """A message that the rule is about."""

    def on_response(self, response: Seen) -> None:
        """One of its responses."""

    def on_until(self, until: Seen) -> None:
        """A message that lifts an absence for its key."""

    def on_until_all(self, until: Seen) -> None:
        """A message that lifts an absence for every key."""

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        """A command that was a trigger has a reply, on that line."""

    def on_situation(self, excuse: Excuse, begin: Seen) -> None:
        """The situation of an erratum begins."""

    def on_ending(self, shutdown: Seen) -> None:
        """The process begins to end."""

    def finish(self, end: int, complete: bool) -> None:
        """The session ends with line `end`, and is known to be over if `complete`; then forget all of it."""

    def overdue(self) -> Iterator[Finding]:
        """The triggers that can only be met late any more, each once, as pending."""
        return iter(())

    def _judge(self, outcome: Outcome, seen: Seen, response: Seen | None = None, erratum: str = "") -> None:
        if self._reporter.judgement:
            line = response.line if response else None
            self._reporter.judgement(Judgement(self.rule, seen.line, outcome, line, erratum))

    def _finding(
        self,
        outcome: Outcome,
        seen: Seen,
        said: str,
        erratum: str = "",
        searched: int | None = None,
    ) -> Finding:
        """The finding on a message.

        Args:
            outcome: what was decided.
            seen: the message.
            said: what happened, in words.
            erratum: the known case that covers it.
            searched: the line up to which a response was looked for.
        """
        data = data_of(seen.message)
        carries = safe(shortened(_to_json()(data), 200)) if data else ""
        is_command = seen.kind is Command
        about = f"its arguments are {carries}" if is_command else f"the event carries {carries}"
        if not carries:
            about = "it has no arguments" if is_command else "the event has no data"
        title = f"{safe(self.rule.name)}: " if self.rule.name else ""
        return Finding(
            RULE_CODES[outcome],
            seen.line,
            f"{title}{self.rule.text}, but {said}",
            name(self._reporter.name_of(seen.message)),
            spec_line=self.rule.line,
            spec_file=self.rule.file,
            searched=searched,
            carries=about,
            erratum=erratum,
            rule=safe(self.rule.title),
        )


@functools.cache
def _to_json() -> Callable[[Any], str]:
    import json  # a stream without findings needs none

    return json.JSONEncoder(default=str).encode


class Open(msgspec.Struct):
    """A trigger that waits for a response.

    Attributes:
        seen: the trigger.
        late: a response that was sent before it, but happened too late; None where there is none.
        is_uncertain: whether a response can have been missed, as a client reconnected since, or can have
            been dropped, as the process ended.
        reply: the line of the reply to a command; None where it has none yet.
        is_noted: whether it was reported that its bound has passed.
        erratum: the known case that covers it, "" for none.
    """

    seen: Seen
    late: Seen | None = None
    is_uncertain: bool = False
    reply: int | None = None
    is_noted: bool = False
    erratum: str = ""

    @property
    def replied(self) -> str:
        """Says that a command has no reply; "" if it has one, which the finding names, and for an event."""
        if self.seen.kind is not Command:
            return ""
        return "" if self.reply else " (it has no reply)"


class _Counted:
    """Open triggers of one key that are only counted: the lines and times of those that can be missing."""

    def __init__(self) -> None:
        from array import array  # hardly any stream has so many

        self.uncertain = 0
        self.lines, self.times = array("q"), array("q")

    def add(self, seen: Seen, now: int | None) -> None:
        self.lines.append(seen.line)
        self.times.append(_NO_TIME if now is None else now)

    def remove(self, line: int) -> None:
        """Forget the trigger on that line, if it is among them."""
        if line in self.lines:
            at = self.lines.index(line)
            del self.lines[at], self.times[at]

    def reconnected(self) -> None:
        """A client came back: none can be missing any more."""
        self.uncertain += len(self.lines)
        del self.lines[:], self.times[:]


_NO_TIME = (1 << 63) - 1
"""Later than any: the bound of a trigger without a clock never passes."""


class Response(Monitor):
    """After a trigger, one of the responses comes: any later one meets all that wait with its key."""

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        super().__init__(rule, session, reporter)
        self.open: dict[Key, list[Open]] = {}
        self._number_open = 0
        self._counted: dict[Key, _Counted] = {}
        self._meets_all = not rule.same and rule.within is None and not reporter.judgement
        self._needs_running = rule.needs_running
        self._looked_back_on = {each.name for each in rule.then} | ({RESUME} if rule.needs_running else set())

    def reconnected(self) -> None:
        for each in self._all_open():
            each.is_uncertain = True
        for counted in self._counted.values():
            counted.reconnected()

    def on_trigger(self, trigger: Seen) -> None:
        if self._needs_running and self._is_stopped(trigger):
            self._judge("not needed", trigger)
            return
        response = self._response_before(trigger) if self.rule.is_limited else None
        if response and not (self._is_late(trigger, response) and self._reaches_back(trigger)):
            self._judge("met", trigger, response)
            return
        key = self._trigger_key(trigger)
        if self._number_open == MOST_OPEN:
            now = None if self.rule.within is None else time_of(trigger.message)
            self._counted.setdefault(key, _Counted()).add(trigger, now)
            self.open.setdefault(key, [])  # responses of this key are awaited, too
            return
        self.open.setdefault(key, []).append(Open(trigger, response, erratum=self._erratum(trigger)))
        self._number_open += 1

    def on_response(self, response: Seen) -> None:
        if self._meets_all:
            self._forget()
            return
        key = self._response_key(response)
        if key is None:
            return
        met = self.open.pop(key, ())
        self._number_open -= len(met)
        for each in met:
            self._meet(each, response)
        counted, now = self._counted.pop(key, None), time_of(response.message)
        if counted and self.rule.within is not None and now is not None:
            self._more("late", sum(time < now - self.rule.within for time in counted.times))

    def on_situation(self, excuse: Excuse, begin: Seen) -> None:
        for each in self._all_open():
            if not each.erratum and self._is_excused(excuse, each.seen, begin):
                each.erratum = excuse.erratum

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        key = self._trigger_key(trigger)
        open = self.open.get(key, [])
        if not (failed and self.rule.error_closes):
            for each in open:
                if each.seen == trigger:
                    each.reply = reply
            return
        kept = [each for each in open if each.seen != trigger]
        self._number_open -= len(open) - len(kept)
        open[:] = kept
        if key in self._counted:
            self._counted[key].remove(trigger.line)

    def on_ending(self, shutdown: Seen) -> None:
        """A command is dropped that QEMU had no time for: no other was sent after its reply."""
        for each in self._all_open():
            had_time = each.reply is not None and each.reply < self.session.sent.last
            each.is_uncertain = each.is_uncertain or not had_time or self.rule.ends_with_process
        for counted in self._counted.values():
            counted.reconnected()

    def finish(self, end: int, complete: bool) -> None:
        for each in self._all_open():
            if each.late:
                self._tell_late(each, each.late)
            elif self._can_be_missing(each) and (complete or self._is_past(each.seen)):
                self._judge("missing", each.seen, erratum=each.erratum)
                self._reporter.finding(self._unmet("missing", each, "none came", end))
            else:
                self._judge("pending", each.seen, erratum=each.erratum)
                self._reporter.finding(self._unmet("pending", each, "none has come yet", end))
        for counted in self._counted.values():
            missing = self._missing(counted, complete)
            self._more("missing", missing)
            self._more("pending", len(counted.lines) + counted.uncertain - missing)
        self._forget()

    def overdue(self) -> Iterator[Finding]:
        for each in self._all_open():
            if not each.is_noted and self._can_be_missing(each) and self._is_past(each.seen):
                each.is_noted = True
                bound = (self.rule.within or 0) / MICROSECONDS
                yield self._finding("pending", each.seen, f"none came within {bound:g} s", each.erratum)

    def _forget(self) -> None:
        self.open.clear()
        self._number_open = 0
        self._counted.clear()

    def _all_open(self) -> Iterator[Open]:
        return chain.from_iterable(self.open.values())

    def _meet(self, each: Open, response: Seen) -> None:
        """A trigger that waits is met, perhaps too late."""
        if each.is_uncertain or not self._is_late(each.seen, response):
            self._judge("met", each.seen, response, each.erratum)
        else:
            self._tell_late(each, each.late or response)

    def _unmet(self, outcome: Outcome, each: Open, said: str, end: int) -> Finding:
        """The finding on a trigger that no response has met up to the line `end`."""
        finding = self._finding(outcome, each.seen, said + each.replied, each.erratum, end)
        return msgspec.structs.replace(finding, reply=each.reply)

    def _tell_late(self, each: Open, response: Seen) -> None:
        gap = (time_of(response.message) or 0) - (time_of(each.seen.message) or 0)
        bound = (self.rule.within or 0) / MICROSECONDS
        said = f"it came {gap / MICROSECONDS:.6f} s later, past the limit of {bound:g} s"
        self._judge("late", each.seen, response, each.erratum)
        self._reporter.finding(self._finding("late", each.seen, said, each.erratum))

    def _more(self, outcome: Outcome, number: int) -> None:
        if number:
            self._reporter.more(RULE_CODES[outcome], self.rule.trigger.name, number, self.rule.title)

    def _is_stopped(self, trigger: Seen) -> bool:
        """Whether the machine was stopped when the trigger happened."""
        return self.session.is_stopped(time_of(trigger.message) if self.rule.is_limited else None)

    def _response_before(self, trigger: Seen) -> Seen | None:
        """The first response that was sent before a trigger, but did not happen before it."""
        now, key = time_of(trigger.message), self._trigger_key(trigger)
        if now is None or key is None:
            return None
        found: tuple[int, Seen] | None = None
        for pattern in self.rule.then:
            for each in reversed(self.session.past[pattern.name]):
                then = time_of(each.message)
                if then is None:
                    continue
                if then < now:
                    break
                if pattern.condition.holds_where(each.value_of) and self._response_key(each) == key:
                    found = min(found or (then, each), (then, each), key=itemgetter(0))
        return found[1] if found else None

    def _reaches_back(self, trigger: Seen) -> bool:
        """Whether all that happened after a trigger is known; otherwise it is taken to be met in time."""
        now = time_of(trigger.message)
        pasts = (self.session.past[event] for event in self._looked_back_on)
        oldest = [time_of(past[0].message) for past in pasts if len(past) == LOOK_BACK]
        return now is None or all(each is None or each <= now for each in oldest)

    def _is_late(self, trigger: Seen, response: Seen) -> bool:
        if self.rule.within is None:
            return False
        first, second = time_of(trigger.message), time_of(response.message)
        return first is not None and second is not None and second - first > self.rule.within

    def _is_past(self, trigger: Seen) -> bool:
        """Whether the timestamp of a later message has passed the bound of a trigger."""
        now = None if self.rule.within is None else time_of(trigger.message)
        if self.rule.within is None or now is None:
            return False
        latest = self.session.latest.after(trigger.line)
        return latest is not None and latest - now > self.rule.within

    def _can_be_missing(self, each: Open) -> bool:
        was_dropped = self.session.is_ending and each.seen.kind is Command and each.reply is None
        return not each.is_uncertain and not self.rule.never_missing and not was_dropped

    def _missing(self, counted: _Counted, complete: bool) -> int:
        """How many triggers that are only counted are missing a response."""
        if self.rule.never_missing or (self.rule.within is None and not complete):
            return 0
        if complete:
            return len(counted.lines)
        assert self.rule.within is not None
        latest = map(self.session.latest.after, counted.lines)
        bounds = zip(latest, counted.times, strict=True)
        return sum(last is not None and last - self.rule.within > time for last, time in bounds)

    def _erratum(self, trigger: Seen) -> str:
        """The erratum that covers a trigger when it comes, "" for none."""
        for excuse in self.rule.excuses:
            situation = excuse.situation
            for begin in (
                self.session.begins(situation, trigger, self.rule.is_limited) if situation else (None,)
            ):
                if self._is_excused(excuse, trigger, begin):
                    return excuse.erratum
        return ""

    def _is_excused(self, excuse: Excuse, trigger: Seen, begin: Seen | None) -> bool:
        """Whether an erratum covers a trigger; if it is about a situation, one that begins with `begin`."""
        series = self.session.series
        if excuse.until and series and series > excuse.until:
            return False
        if not excuse.trigger.holds_where(trigger.value_of):
            return False
        situation = excuse.situation
        if situation is None or begin is None:
            return True
        return self.session.covers(situation, begin, trigger, self.rule.is_limited)


class Precedence(Monitor):
    """Before a trigger, one of the responses came."""

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        super().__init__(rule, session, reporter)
        self._seen: set[Key] = set()
        self._is_certain = True

    def reconnected(self) -> None:
        self._is_certain = False  # it can have come while nobody listened

    def on_response(self, response: Seen) -> None:
        key = self._response_key(response)
        if key is not None:
            self._seen.add(key)

    def on_trigger(self, trigger: Seen) -> None:
        if self._trigger_key(trigger) in self._seen:
            self._judge("met", trigger)
        elif self._is_certain:
            self._judge("unpreceded", trigger)
            self._reporter.finding(self._finding("unpreceded", trigger, "none came"))

    def finish(self, end: int, complete: bool) -> None:
        self._seen.clear()
        self._is_certain = True


class Absence(Monitor):
    """After a trigger none of the responses comes, or none until it is lifted."""

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        super().__init__(rule, session, reporter)
        self.open: set[Key] = set()
        """What is forbidden."""

    def reconnected(self) -> None:
        if self.rule.until or self.rule.until_all:
            self.open.clear()  # it can have been lifted while nobody listened

    def on_response(self, response: Seen) -> None:
        if self._response_key(response) in self.open:
            self._judge("present", response)
            erratum = next((each.erratum for each in self.rule.excuses), "")
            self._reporter.finding(self._finding("present", response, "this one did", erratum))

    def on_until(self, until: Seen) -> None:
        self.open.discard(self._response_key(until))

    def on_until_all(self, until: Seen) -> None:
        self.open.clear()

    def on_trigger(self, trigger: Seen) -> None:
        key = self._trigger_key(trigger)
        if key is not None:
            self.open.add(key)

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        if failed and self.rule.error_closes:
            self.open.discard(self._trigger_key(trigger))

    def finish(self, end: int, complete: bool) -> None:
        self.open.clear()


class Never(Monitor):
    """The trigger does not come."""

    def on_trigger(self, trigger: Seen) -> None:
        self._judge("present", trigger)
        self._reporter.finding(self._finding("present", trigger, "this one did"))


MONITORS: dict[str, type[Monitor]] = {
    "response": Response,
    "precedence": Precedence,
    "absence": Absence,
    "never": Never,
}
"""The monitor of each kind of rule."""
