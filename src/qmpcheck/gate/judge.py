"""The verdict on a build: what its events say, which did not come, and how it differs from the spec."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from qmpcheck.catalogue import Spec
from qmpcheck.checking import errata, rules
from qmpcheck.checking.check import Checker
from qmpcheck.checking.fold import Checked
from qmpcheck.checking.summary import Terms
from qmpcheck.diagnostic import STREAM_CODES, Severity
from qmpcheck.drift.change import Change, Level
from qmpcheck.drift.compare import compare
from qmpcheck.gate.build import Build
from qmpcheck.gate.run import events
from qmpcheck.gate.scenario import Expected, Outcome, Recording
from qmpcheck.gate.trouble import LACKS
from qmpcheck.rulebase import RuleBase


class Judged(NamedTuple):
    """A scenario's outcome, and each of its recordings checked; `seen` counts its events by name."""

    outcome: Outcome
    checked: tuple[Checked, ...]
    seen: Counter[str]

    @property
    def skipped(self) -> bool:
        """Whether the build does not have what the scenario needs."""
        return self.outcome.trouble is not None and self.outcome.trouble.kind == LACKS

    @property
    def missing(self) -> tuple[Expected, ...]:
        """The events that should have been seen; none where the scenario was skipped."""
        return () if self.skipped else self.outcome.missing

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(checked.summary.count(Severity.ERROR) for checked in self.checked)

    @property
    def is_well(self) -> bool:
        """Whether nothing speaks against the build."""
        return not (self.errors or self.missing or (self.outcome.trouble and not self.skipped))


class Verdict(NamedTuple):
    """All that is known of a build.

    Attributes:
        build: the build.
        spec: what its events were held against.
        judged: the scenarios.
        changes: how what the build says of itself differs from the spec, or from the release `since`.
        since: the release before the build, from which it may differ; None where it may not.
    """

    build: Build
    spec: Spec
    judged: tuple[Judged, ...]
    changes: tuple[Change, ...]
    since: Spec | None = None

    @property
    def events(self) -> int:
        """How many events were checked."""
        return sum(each.seen.total() for each in self.judged)

    @property
    def is_well(self) -> bool:
        """Whether nothing speaks against the build."""
        breaks = any(change.level() is Level.BREAKING for change in self.changes)
        return (self.since is not None or not breaks) and all(each.is_well for each in self.judged)


def judge(build: Build, spec: Spec, outcomes: Sequence[Outcome], since: Spec | None = None) -> Verdict:
    """Hold what a build sent against a spec, and what it says of itself against that or an older release."""
    checkers = functools.cache(functools.partial(_checker, spec.rule_base))
    judged = tuple(_judged(outcome, checkers(outcome.scenario.assumes)) for outcome in outcomes)
    return Verdict(build, spec, judged, _changes(build, (since or spec).rule_base), since)


def _checker(rule_base: RuleBase, assumes: tuple[str, ...]) -> Checker:
    known = errata.entries()
    timing = rules.timing(rule_base, assumes, errata=errata.follow_ups(known))
    return Checker(rule_base, Terms(STREAM_CODES, timing=timing), known)


def _judged(outcome: Outcome, checker: Checker) -> Judged:
    seen = Counter(message["event"] for recording in outcome.recordings for message in events(recording))
    return Judged(outcome, tuple(_checked(recording, checker) for recording in outcome.recordings), seen)


def _checked(recording: Recording, checker: Checker) -> Checked:
    """Where a process was killed, or crashed, what should have followed is only pending."""
    summary = checker.begin() + checker.check(recording.data)
    return Checked(recording.name, summary.ended(complete=recording.ended))


_UNTOLD = frozenset({"QMP512", "QMP513", "QMP514", "QMP515"})
"""Follow-ups and rate limits: introspection does not tell them."""


def _changes(build: Build, rule_base: RuleBase) -> tuple[Change, ...]:
    """The changes from the spec to the build, in what a build tells, that are more than its options."""
    if not build.is_system:
        rule_base = _of_the_same_files(rule_base, build.rule_base)
    changes = compare(rule_base, build.rule_base)
    return tuple(
        change for change in changes if change.level() is not Level.DOC and change.code not in _UNTOLD
    )


def _of_the_same_files(rule_base: RuleBase, build: RuleBase) -> RuleBase:
    """What the spec says in those of its files that a storage daemon is built from, in part at least."""
    files = {rule.file for event, rule in rule_base.events.items() if event in build.events}
    events = {event: rule for event, rule in rule_base.events.items() if rule.file in files}
    return msgspec.structs.replace(rule_base, events=events)
