"""The life of every event, release by release: what charts of all releases are made from."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from qmpcheck.codes import Impact
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.drift.history import spec_line
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs.catalogue import TEXT_DOCUMENT

CAME, WENT = "QMP502", "QMP501"

_YEARS = {
    "0.12": 2009, "0.13": 2010, "0.14": 2011, "0.15": 2011, "1.0": 2011, "1.1": 2012, "1.2": 2012,
    "1.3": 2012, "1.4": 2013, "1.5": 2013, "1.6": 2013, "1.7": 2013, "2.0": 2014,
}  # fmt: skip
"""When a release came whose spec is a text: the catalogue dates the text, which is older."""


class ReleaseDrift(NamedTuple):
    """A release, and what it changed.

    Attributes:
        name: of the release.
        year: when it came; None if that is not known of a release that the user added.
        source: what kind its spec is of, in words.
        rule_base: its rules.
        changes: from the release before it, but for those in which only the documents differ.
    """

    name: str
    year: int | None
    source: str
    rule_base: RuleBase
    changes: tuple[Change, ...]

    def levels(self) -> Counter[Impact]:
        """How many changes are of each level."""
        return Counter(change.level() for change in self.changes)

    def number(self, code: str) -> int:
        """How many changes have a code."""
        return sum(change.code == code for change in self.changes)


class Lifeline(NamedTuple):
    """The life of an event. Releases are given by their places.

    Attributes:
        event: its name.
        first: the first release that has it.
        end: the first one after those that have it.
        deprecated: the first one in which it is deprecated; `end` or later if it never is.
        changes: what each release changed of it, its coming and going among them.
    """

    event: str
    first: int
    end: int
    deprecated: int
    changes: dict[int, tuple[Change, ...]]


@functools.cache
def releases() -> tuple[ReleaseDrift, ...]:
    """All releases, oldest first; the first has no changes."""
    stages = [(name, stage) for stage in spec_line() for name in stage.entry.releases]
    found = []
    # The first release is compared with itself, as there is none before it.
    for (_, before), (name, stage) in pairwise([stages[0], *stages]):
        changes = compare(before.rule_base, stage.rule_base) if before is not stage else ()
        is_text = stage.entry.source == TEXT_DOCUMENT
        found.append(
            ReleaseDrift(
                name=name,
                year=_YEARS.get(name) or int(stage.entry.date[:4] or 0) or None,
                source=TEXT_DOCUMENT if is_text else "QAPI schema",
                rule_base=stage.rule_base,
                changes=tuple(each for each in changes if each.level() is not Impact.DOC),
            )
        )
    return tuple(found)


def lifelines(line: Sequence[ReleaseDrift]) -> list[Lifeline]:
    """The life of each event, the one first that came first."""
    changes: dict[str, dict[int, list[Change]]] = defaultdict(lambda: defaultdict(list))
    for at, release in enumerate(line):
        for change in release.changes:
            changes[change.event][at].append(change)
    events = dict.fromkeys(event for release in line for event in release.rule_base.events)
    return [
        _lifeline(event, line, {at: tuple(each) for at, each in changes[event].items()}) for event in events
    ]


def _lifeline(event: str, line: Sequence[ReleaseDrift], changes: dict[int, tuple[Change, ...]]) -> Lifeline:
    rules = [release.rule_base.events.get(event) for release in line]
    present = [at for at, rule in enumerate(rules) if rule]
    first, end = present[0], present[-1] + 1
    assert len(present) == end - first, "an event that came back: a chart draws one bar an event"
    deprecated = next((at for at, rule in enumerate(rules) if rule and rule.marks.deprecated), len(line))
    return Lifeline(event, first, end, deprecated, changes)
