"""Cases in which QEMU is known not to keep to its own spec: `errata.json` beside the rule bases."""

from __future__ import annotations

from typing import Any

import msgspec

from qmpcheck import catalogue
from qmpcheck.checking.followup import Condition, Erratum, Rule
from qmpcheck.diagnostic import Diagnostic

Values = dict[str, tuple[str, ...]]
"""Members, and the values that each may have."""


class _Beside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event: str
    data: Values = {}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case.

    Attributes:
        id: its name.
        event: the event whose rule is not kept.
        happens: what QEMU does instead.
        recording: a file in `corpora/` that shows it.
        specs: the specs it concerns, in words.
        when, then: which follow-up it is; `then` is empty where it is about a value.
        data: a condition on the trigger beyond that of the rule.
        beside: an event that makes the case, wherever it stands in the session.
        member, values: the member of `data`, and the values that are sent though the spec has them not.
    """

    id: str
    event: str
    happens: str
    recording: str
    specs: str
    when: Values = {}
    then: tuple[str, ...] = ()
    data: Values = {}
    beside: _Beside | None = None
    member: str = ""
    values: tuple[str, ...] = ()


class FollowUpErratum(msgspec.Struct, frozen=True):
    """A case, and the follow-ups that it concerns."""

    entry: Entry

    @property
    def erratum(self) -> Erratum:
        """The case as a rule holds it."""
        beside = self.entry.beside
        return Erratum(
            self.entry.id,
            _condition(self.entry.data),
            (beside.event, _condition(beside.data)) if beside else None,
        )

    def concerns(self, rule: Rule) -> bool:
        """Whether it is about this rule."""
        about = (rule.trigger, rule.then) == (self.entry.event, frozenset(self.entry.then))
        return about and set(_condition(self.entry.when)) <= set(rule.when)


def _condition(values: Values) -> Condition:
    return tuple(((member,), allowed) for member, allowed in values.items())


def entries() -> tuple[Entry, ...]:
    """All known cases."""
    return msgspec.json.decode(catalogue.rules_file("errata.json"), type=tuple[Entry, ...])


def follow_ups(known: tuple[Entry, ...]) -> tuple[FollowUpErratum, ...]:
    """The cases that are about follow-ups."""
    return tuple(FollowUpErratum(entry) for entry in known if entry.then)


def noted(finding: Diagnostic, value: Any, known: tuple[Entry, ...]) -> Diagnostic:
    """The finding, with the name of the case that covers it, if one does; `value` is what stood there."""
    for entry in known:
        if entry.event == finding.event and finding.path == f"data.{entry.member}" and value in entry.values:
            return msgspec.structs.replace(finding, erratum=entry.id)
    return finding
