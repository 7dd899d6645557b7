"""The monitor of the usual kind of rule: after a trigger, a response comes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from operator import itemgetter

import msgspec

from qmpcheck.checking.monitors import Monitor, Outcome, Reporter
from qmpcheck.checking.session import LOOK_BACK, Key, Session
from qmpcheck.checking.temporal_rule import RESUME, Excuse, TemporalRule
from qmpcheck.checking.timestamps import Seen
from qmpcheck.codes import RULE_CODES
from qmpcheck.finding import Finding
from qmpcheck.streams.messages import MICROSECONDS, Command, time_of

MOST_OPEN = 10_000
"""Open triggers of one rule that are kept one by one.

Those after them are only counted, in 16 bytes each: a hostile stream can have any number of triggers.
"""


class OpenTrigger(msgspec.Struct):
    """A trigger that waits for a response.

    Attributes:
        seen: the trigger.
        late: a response that was sent before it, but happened too late; None if there is none.
        is_uncertain: whether a response may have been missed, as a client reconnected since, or may have
            been dropped, as the process ended.
        reply: the line of the reply to a command; None if it has none yet.
        is_noted: whether `overdue` has reported it.
        erratum: the known erratum that covers it, "" for none.
    """

    seen: Seen
    late: Seen | None = None
    is_uncertain: bool = False
    reply: int | None = None
    is_noted: bool = False
    erratum: str = ""

    @property
    def reply_note(self) -> str:
        """The words for a command without a reply; "" for an event, and for a command with one."""
        if self.seen.kind is not Command:
            return ""
        return "" if self.reply else " (it has no reply)"


class _Counted:
    """Open triggers of one key that are only counted.

    Attributes:
        uncertain: how many can only be pending, as their response may have been missed.
        lines: the lines of the others.
        times: when these happened, in microseconds.
    """

    def __init__(self) -> None:
        from array import array  # hardly any stream has so many

        self.uncertain = 0
        self.lines, self.times = array("q"), array("q")

    def add(self, seen: Seen, now: int | None) -> None:
        self.lines.append(seen.line)
        self.times.append(_NO_TIME if now is None else now)

    def remove(self, line: int) -> None:
        """Forget the trigger on a line, if it is among those that are certain."""
        if line in self.lines:
            at = self.lines.index(line)
            del self.lines[at], self.times[at]

    def make_uncertain(self) -> None:
        """Make sure that none is reported as missing: all can only be pending."""
        self.uncertain += len(self.lines)
        del self.lines[:], self.times[:]


_NO_TIME = (1 << 63) - 1
"""The time of a trigger without a clock: later than any other, so that its bound never passes."""


class Response(Monitor):
    """After a trigger, one of the responses comes. A response meets all open triggers with its key.

    Attributes:
        open: the open triggers, by key.
    """

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        super().__init__(rule, session, reporter)
        self.open: dict[Key, list[OpenTrigger]] = {}
        self._number_open = 0
        self._counted: dict[Key, _Counted] = {}
        # Without keys, bounds and judgements, a response closes everything: nothing has to be compared.
        self._meets_all = not rule.same and rule.within is None and not reporter.judgement
        self._needs_running = rule.needs_running
        self._needed_past = {each.name for each in rule.then} | ({RESUME} if rule.needs_running else set())

    def reconnected(self) -> None:
        for each in self._all_open():
            each.is_uncertain = True
        for counted in self._counted.values():
            counted.make_uncertain()

    def on_trigger(self, trigger: Seen) -> None:
        if self._needs_running and self._is_stopped(trigger):
            self._judge("not needed", trigger)
            return
        # QEMU may delay a rate-limited trigger until after its own response.
        response = self._response_before(trigger) if self.rule.is_limited else None
        if response and not (self._is_late(trigger, response) and self._knows_all_since(trigger)):
            self._judge("met", trigger, response)
            return
        key = self._trigger_key(trigger)
        if self._number_open == MOST_OPEN:
            now = None if self.rule.within is None else time_of(trigger.message)
            self._counted.setdefault(key, _Counted()).add(trigger, now)
            self.open.setdefault(key, [])  # `open` must be true while some trigger is only counted
            return
        self.open.setdefault(key, []).append(OpenTrigger(trigger, response, erratum=self._erratum(trigger)))
        self._number_open += 1

    def on_response(self, response: Seen) -> None:
        if self._meets_all:
            self._forget()
            return
        key = self._response_key(response)
        if key is None:
            return  # `self.open[None]` has the triggers that lack a member: nothing meets these
        met = self.open.pop(key, ())
        self._number_open -= len(met)
        for each in met:
            self._meet(each, response)
        counted, now = self._counted.pop(key, None), time_of(response.message)
        if counted and self.rule.within is not None and now is not None:  # the others were met in time
            self._count("late", sum(time < now - self.rule.within for time in counted.times))

    def on_situation(self, excuse: Excuse, begin: Seen) -> None:
        assert excuse.situation
        for each in self._all_open():
            if each.erratum or not self._may_excuse(excuse, each.seen):
                continue
            if self.session.covers(excuse.situation, begin, each.seen, self.rule.is_limited):
                each.erratum = excuse.erratum

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        # The trigger may be met already: then it is not in the list, and nothing changes.
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
        elif not kept:
            self.open.pop(key, None)  # else a stream of commands that fail would grow it for ever

    def on_ending(self, shutdown: Seen) -> None:
        """Excuse the commands whose work QEMU may have dropped as the process ends."""
        for each in self._all_open():
            # A command that was sent after the reply shows that QEMU went on, and could send the response.
            had_time = each.reply is not None and each.reply < self.session.sent.last
            each.is_uncertain = each.is_uncertain or not had_time or self.rule.ends_with_process
        for counted in self._counted.values():
            counted.make_uncertain()

    def finish(self, end: int, complete: bool) -> None:
        for each in self._all_open():
            if each.late:
                self._report_late(each, each.late)
            elif self._can_be_missing(each) and (complete or self._is_past(each.seen)):
                self._judge("missing", each.seen, erratum=each.erratum)
                self._reporter.finding(self._unmet("missing", each, "none came", end))
            else:
                self._judge("pending", each.seen, erratum=each.erratum)
                self._reporter.finding(self._unmet("pending", each, "none has come yet", end))
        for counted in self._counted.values():
            missing = self._number_missing(counted, complete)
            self._count("missing", missing)
            self._count("pending", len(counted.lines) + counted.uncertain - missing)
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

    def _all_open(self) -> Iterator[OpenTrigger]:
        return chain.from_iterable(self.open.values())

    def _meet(self, each: OpenTrigger, response: Seen) -> None:
        """Judge an open trigger that a response meets, perhaps too late."""
        if each.is_uncertain or not self._is_late(each.seen, response):
            self._judge("met", each.seen, response, each.erratum)
        else:
            self._report_late(each, each.late or response)

    def _unmet(self, outcome: Outcome, each: OpenTrigger, observed: str, end: int) -> Finding:
        """Return the finding on a trigger that no response has met up to the line `end`."""
        finding = self._finding(outcome, each.seen, observed + each.reply_note, each.erratum, end)
        return msgspec.structs.replace(finding, reply=each.reply)

    def _report_late(self, each: OpenTrigger, response: Seen) -> None:
        gap = (time_of(response.message) or 0) - (time_of(each.seen.message) or 0)
        bound = (self.rule.within or 0) / MICROSECONDS
        observed = f"it came {gap / MICROSECONDS:.6f} s later, past the limit of {bound:g} s"
        self._judge("late", each.seen, response, each.erratum)
        self._reporter.finding(self._finding("late", each.seen, observed, each.erratum))

    def _count(self, outcome: Outcome, number: int) -> None:
        if number:
            self._reporter.more(RULE_CODES[outcome], self.rule.trigger.name, number, self.rule.title)

    def _is_stopped(self, trigger: Seen) -> bool:
        """Return whether the machine was stopped when the trigger happened."""
        return self.session.is_stopped(time_of(trigger.message) if self.rule.is_limited else None)

    def _response_before(self, trigger: Seen) -> Seen | None:
        """Return the first response that was sent before a trigger, but did not happen before it."""
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
                if pattern.condition.matches(each.value_of) and self._response_key(each) == key:
                    found = min(found or (then, each), (then, each), key=itemgetter(0))
        return found[1] if found else None

    def _knows_all_since(self, trigger: Seen) -> bool:
        """Return whether the session remembers every event it needs since a trigger happened.

        If it does not, an earlier response may be forgotten, and a late one proves nothing.
        """
        now = time_of(trigger.message)
        pasts = (self.session.past[event] for event in self._needed_past)
        oldest = [time_of(past[0].message) for past in pasts if len(past) == LOOK_BACK]
        return now is None or all(each is None or each <= now for each in oldest)

    def _is_late(self, trigger: Seen, response: Seen) -> bool:
        if self.rule.within is None:
            return False
        first, second = time_of(trigger.message), time_of(response.message)
        return first is not None and second is not None and second - first > self.rule.within

    def _is_past(self, trigger: Seen) -> bool:
        """Return whether the timestamp of a later message is past the bound of a trigger."""
        now = None if self.rule.within is None else time_of(trigger.message)
        if self.rule.within is None or now is None:
            return False
        latest = self.session.latest.after(trigger.line)
        return latest is not None and latest - now > self.rule.within

    def _can_be_missing(self, each: OpenTrigger) -> bool:
        # When QEMU ends, it drops the commands that it has not handled.
        was_dropped = self.session.is_ending and each.seen.kind is Command and each.reply is None
        return not each.is_uncertain and not self.rule.never_missing and not was_dropped

    def _number_missing(self, counted: _Counted, complete: bool) -> int:
        """Return how many triggers that are only counted lack their response for certain."""
        if self.rule.never_missing or (self.rule.within is None and not complete):
            return 0
        if complete:
            return len(counted.lines)
        assert self.rule.within is not None
        latest = map(self.session.latest.after, counted.lines)
        bounds = zip(latest, counted.times, strict=True)
        return sum(last is not None and last - self.rule.within > time for last, time in bounds)

    def _erratum(self, trigger: Seen) -> str:
        """Return the erratum that covers a trigger when it comes, "" for none.

        One whose situation begins only later is found by `on_situation`.
        """
        for excuse in self.rule.excuses:
            situation = excuse.situation
            # Hardly any trigger comes in one of these situations, so that is looked at first.
            is_in = situation is None or self.session.is_in(situation, trigger, self.rule.is_limited)
            if is_in and self._may_excuse(excuse, trigger):
                return excuse.erratum
        return ""

    def _may_excuse(self, excuse: Excuse, trigger: Seen) -> bool:
        """Return whether an erratum covers a trigger if the trigger comes in the erratum's situation."""
        series = self.session.series
        if excuse.until and series and series > excuse.until:
            return False
        return excuse.trigger.matches(trigger.value_of)
