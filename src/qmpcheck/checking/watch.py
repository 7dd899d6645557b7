"""What the rules over time take from a stretch of decoded events: a part of a session, not yet settled.

Runs over every event, so it works on whole stretches where it can: each is written down as a text, a
letter a line, and searched for the letters that matter. Of a rule that any answer settles, all before
the last answer is settled and not looked at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from qmpcheck.checking import session
from qmpcheck.checking.followup import RESPONSE, RESUME, SENT_LATE_BEHIND, Rule
from qmpcheck.checking.letters import Alphabet, Wanted, Written
from qmpcheck.checking.members import Carrying, carrying
from qmpcheck.checking.occurrence import Occurrence
from qmpcheck.checking.rows import Rows
from qmpcheck.checking.session import Found, Part, Timing, Trace, Untold
from qmpcheck.diagnostic import Diagnostic


class _Watched(NamedTuple):
    """A rule, and the events that it searches for.

    Attributes:
        letter: of those that it is about, where they are decoded.
        trigger: those that it is about.
        others: those that matter whatever they carry.
        looked_back_on: those of them that may spare a trigger behind them an answer.
        cases: those that make a case in which it is known not to be kept, one entry a case.
        settling: the letters of the answers, if any of them settles all triggers before it.
        resuming: if such an answer halts the machine, so that triggers behind it need none: what ends that.
    """

    rule: Rule
    letter: str
    trigger: Carrying
    others: Wanted
    looked_back_on: Wanted
    cases: list[Carrying]
    settling: str
    resuming: Wanted | None

    def may_be_broken(self, written: Written) -> bool:
        """Whether a trigger waits for an answer at the end of a whole session, or may be wrong in it."""
        if self.letter not in written.letters and not written.has_refused:
            return False
        begin = self._begin(written)
        triggers = self.trigger.places(written, begin)
        if triggers and begin and self.resuming:
            return max(triggers) > next(written.places(self.resuming, begin), len(written.events))
        return bool(triggers)

    def trace(self, written: Written, occurrence: Callable[[int], Occurrence]) -> Trace:
        """The occurrences that matter."""
        begin = self._begin(written)
        places = {*self.trigger.places(written, begin), *written.places(self.others, begin)}
        places.update(self._looked_back_on(written, begin), self._cases(written))
        return Trace(kept=tuple(map(occurrence, sorted(places))))

    def _begin(self, written: Written) -> int:
        """Where the last answer stands that settles all before it."""
        return max((0, *map(written.letters.rfind, self.settling)))

    def _looked_back_on(self, written: Written, begin: int) -> Iterator[int]:
        """What a trigger behind that place may look back on before it, if it is sent late."""
        return islice(written.backwards(self.looked_back_on, begin), SENT_LATE_BEHIND * self.rule.limited)

    def _cases(self, written: Written) -> Iterator[int]:
        """The first event of each case, wherever it stands."""
        for case in self.cases:
            yield from sorted(case.places(written))[:1]


def _watched(rule: Rule, alphabet: Alphabet) -> _Watched:
    condition = rule.when if rule.trigger not in rule.others else ()
    settling = alphabet.letters(rule.then) if _any_answer_settles(rule) else ""
    return _Watched(
        rule,
        alphabet.letters([rule.trigger]),
        carrying(alphabet, rule.trigger, condition),
        alphabet.any_of(rule.others),
        alphabet.any_of(rule.looked_back_on),
        [carrying(alphabet, *erratum.beside) for erratum in rule.errata if erratum.beside],
        settling,
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

    def see(self, written: Written) -> tuple[Part, list[Diagnostic]]:
        """A part of a session, not yet settled, and what is wrong with its timestamps."""
        occurrence = functools.cache(written.occurrence)  # rules watch the same ones
        traces = [watched.trace(written, occurrence) for watched in self._watched]
        clocks, findings = self._rows.clocks(written)
        return Part(tuple(traces), clocks), findings

    def begin(self, written: Written) -> tuple[Part, Found]:
        """The begin of a session, and what is wrong in it."""
        part, findings = self.see(written)
        begun, found = session.join(self._timing, session.empty(self._timing, whole_before=True), part)
        return begun, Found(findings + found.told, found.untold)

    def judge(self, written: Written) -> Found:
        """What is wrong in a whole session that is over.

        Most keep to the rules, and need not be taken apart: a rule is broken only where its trigger waits.
        """
        told = [*self._rows.findings(written)]
        broken = [watched for watched in self._watched if watched.may_be_broken(written)]
        if not told and not broken:
            return _NOTHING
        untold = Untold()
        for watched in broken:
            trace = watched.trace(written, written.occurrence)
            found = session.judge(watched.rule, trace, len(written.events))
            told += found.told
            untold += found.untold
        return Found(told, untold)


_NOTHING = Found([])
