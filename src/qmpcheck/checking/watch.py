"""What the rules over time take from a stretch of decoded events: a part of a session, not yet settled.

Runs over every event, so it works on whole stretches where it can: each is written down as a text, a
letter an event, and searched for the letters that matter. Of a rule that any answer settles, all before
the last answer is settled and not looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from qmpcheck.checking import session
from qmpcheck.checking.alphabet import Alphabet
from qmpcheck.checking.followup import RESPONSE, RESUME, Rule
from qmpcheck.checking.members import Carrying, carrying
from qmpcheck.checking.rows import Rows
from qmpcheck.checking.session import Found, Part, Timing, Trace, Untold
from qmpcheck.checking.written import Wanted, Written
from qmpcheck.diagnostic import Diagnostic


class _Watched(NamedTuple):
    """A rule, and the events that it searches for.

    Attributes:
        trigger: those that it is about.
        others: those that matter whatever they carry.
        looked_back_on: those of them that may spare a trigger behind them an answer.
        cases: those that make a case in which it is known not to be kept, one entry a case.
        settling: the letters of the answers, if any of them settles all triggers before it.
        waiting: finds triggers that no such answer stands behind.
        resuming: if such an answer halts the machine, so that triggers behind it need none: what ends that.
    """

    rule: Rule
    trigger: Carrying
    others: Wanted
    looked_back_on: Wanted
    cases: list[Carrying]
    settling: str
    waiting: re.Pattern[str]
    resuming: Wanted | None

    def judge(self, written: Written) -> Found:
        """What breaks the rule in whole sessions that are over: those are taken apart in which it may be."""
        told: list[Diagnostic] = []
        untold = Untold()
        for one in written.sessions(self._suspects(written)):
            found = session.judge(self.rule, self.trace(one), one.end)
            told += found.told
            untold += found.untold
        return Found(told, untold)

    def _suspects(self, written: Written) -> Iterator[int]:
        """Places in whole sessions in which a trigger waits for an answer at their end, or may be wrong."""
        unanswered = [*written.unanswered(self.waiting)]
        triggers = [-1, *sorted(self.trigger.places(written) if unanswered else ())]
        for begin, end in unanswered:
            last = triggers[bisect_left(triggers, end) - 1]
            if last >= begin and not self._is_halted(written, begin, last):
                yield begin

    def _is_halted(self, written: Written, begin: int, at: int) -> bool:
        """Whether the answer before `begin`, if one stands there, has halted the machine until then."""
        if not self.resuming or written.letters[begin - 1] not in self.settling:
            return False
        return next(written.places(self.resuming, begin, at), None) is None

    def trace(self, written: Written) -> Trace:
        """The occurrences that matter."""
        begin = self._begin(written)
        places = {*self.trigger.places(written, begin), *written.places(self.others, begin)}
        places.update(self._looked_back_on(written, begin), self._cases(written))
        return Trace(kept=tuple(map(written.occurrence, sorted(places))))

    def _begin(self, written: Written) -> int:
        """Where the last answer stands that settles all before it."""
        return max((0, *map(written.letters.rfind, self.settling)))

    def _looked_back_on(self, written: Written, begin: int) -> Iterator[int]:
        """What is looked back on before that place by a trigger that is sent late, or is the answer there."""
        needed = begin > 0 and (self.rule.limited or self.rule.trigger in self.rule.then)
        return islice(written.backwards(self.looked_back_on, begin), self.rule.reach * needed)

    def _cases(self, written: Written) -> Iterator[int]:
        """The first event of each case, wherever it stands."""
        for case in self.cases:
            yield from sorted(case.places(written))[:1]


def _watched(rule: Rule, alphabet: Alphabet) -> _Watched:
    condition = rule.when if rule.trigger not in rule.others else ()
    settling = rule.then if _any_answer_settles(rule) else ()
    return _Watched(
        rule,
        carrying(alphabet, rule.trigger, condition),
        alphabet.any_of(rule.others),
        alphabet.any_of(rule.looked_back_on),
        [carrying(alphabet, *erratum.beside) for erratum in rule.errata if erratum.beside],
        alphabet.letters(settling),
        alphabet.waiting(rule.trigger, settling),
        alphabet.any_of({RESUME}) if settling and rule.needs_running else None,
    )


def _any_answer_settles(rule: Rule) -> bool:
    """Whether any answer settles all triggers before it, whatever it carries and whenever it came."""
    return rule.kind == RESPONSE and not rule.same and rule.within is None


class Watch:
    """Holds what is read of a stream to the rules over time.

    Args:
        timing: the rules.
        alphabet: the letters of events.
    """

    def __init__(self, timing: Timing, alphabet: Alphabet) -> None:
        self._timing = timing
        self._watched = [_watched(rule, alphabet) for rule in timing.rules]
        self._rows = Rows(timing, alphabet)

    def see(self, written: Written) -> tuple[Part, Found]:
        """A part of a session, not yet settled, and what is wrong with its timestamps."""
        traces = [watched.trace(written) for watched in self._watched]
        clocks, found = self._rows.clocks(written)
        return Part(tuple(traces), clocks), found

    def begin(self, written: Written) -> tuple[Part, Found]:
        """The begin of a session, and what is wrong in it."""
        part, found = self.see(written)
        begun, settled = session.join(self._timing, session.empty(self._timing, whole_before=True), part)
        return begun, found + settled

    def judge(self, written: Written) -> Found:
        """What is wrong in whole sessions that are over.

        Most keep to the rules, and need not be taken apart: all are searched at once for those that may not.
        """
        found = self._rows.judge(written)
        for watched in self._watched:
            found += watched.judge(written)
        return found
