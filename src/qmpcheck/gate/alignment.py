"""Align the events that came with those that a scenario expects, with the fewest differences.

This is the usual edit distance, over steps that may be optional, alternative or repeated. An *account*
explains the first events that came by the steps so far. Each step turns a list of the best accounts, those of
no event, of the first event, of the first two, and so on, into the next such list.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from qmpcheck.gate.expectations import Either, Expectation, Expectations, Expected, Repeated, Since

Event = dict[str, Any]

LONGEST = 500
"""How many events are compared; no scenario leads to a tenth of that, and the time grows with it."""


class MetExpectation(NamedTuple):
    """An expected event that came in its place."""

    expected: Expected
    event: Event


class MissingEvent(NamedTuple):
    """An expected event that did not come in its place, which is after so many of the events that came."""

    expected: Expected
    after: int


class UnexpectedEvent(NamedTuple):
    """An event that came where none was expected, after so many others."""

    event: Event
    after: int


Difference = MissingEvent | UnexpectedEvent


class _Account(NamedTuple):
    """How many differences an account has, and a linked list of what it says, the last first."""

    differences: int
    last: tuple[Any, MetExpectation | Difference] | None

    def but(self, difference: Difference) -> _Account:
        """The account with one more difference at its end."""
        return _Account(self.differences + 1, (self.last, difference))

    def met(self, expected: Expected, event: Event) -> _Account:
        """The account with one more event at its end that is as expected."""
        return _Account(self.differences, (self.last, MetExpectation(expected, event)))


_Accounts = list[_Account]


def differences(steps: Expectations, events: Sequence[Event]) -> list[Difference]:
    """The fewest differences between what should come and what came, in order."""
    return [each for each in aligned(steps, events) if not isinstance(each, MetExpectation)]


def aligned(steps: Expectations, events: Sequence[Event]) -> list[MetExpectation | Difference]:
    """What should come and what came, aligned with the fewest differences, in order."""
    compared = events[:LONGEST]
    # Before the first step, every event is unexpected.
    accounts = [_Account(0, None)]
    for at, event in enumerate(compared):
        accounts.append(accounts[-1].but(UnexpectedEvent(event, at)))
    last = _past(steps, accounts, compared)[-1]
    rest = (UnexpectedEvent(event, at) for at, event in enumerate(events[LONGEST:], LONGEST))
    return [*reversed([*_unwound(last)]), *rest]


def _past(steps: Expectations, accounts: _Accounts, events: Sequence[Event]) -> _Accounts:
    """The best accounts after more steps."""
    return functools.reduce(lambda before, step: _past_one(step, before, events), steps, accounts)


def _past_one(step: Expectation, accounts: _Accounts, events: Sequence[Event]) -> _Accounts:
    match step:
        case Either(ways):
            return _best(*(_past(way, accounts, events) for way in ways))
        case Repeated(again):
            return _repeated(again, accounts, events)
        case Since():
            raise TypeError("`of_build` has not chosen the steps of one build")
        case Expected():
            return _expected(step, accounts, events)


def _best(*ways: _Accounts) -> _Accounts:
    return [min(accounts, key=_count) for accounts in zip(*ways, strict=True)]


def _repeated(steps: Expectations, accounts: _Accounts, events: Sequence[Event]) -> _Accounts:
    """Take steps once more, until that explains nothing better."""
    better = _best(accounts, _past(steps, accounts, events))
    while [*map(_count, better)] != [*map(_count, accounts)]:
        accounts, better = better, _best(better, _past(steps, better, events))
    return accounts


def _expected(step: Expected, before: _Accounts, events: Sequence[Event]) -> _Accounts:
    """The expected event came as the last one, or earlier with others after it, or not at all."""
    after = [before[0].but(MissingEvent(step, 0))]
    for at, event in enumerate(events):
        ways = [before[at].met(step, event)] if step.is_met_by(event) else []
        ways += [after[at].but(UnexpectedEvent(event, at)), before[at + 1].but(MissingEvent(step, at + 1))]
        # Of ways with as few differences, the first counts: that the event is as expected.
        after.append(min(ways, key=_count))
    return after


def _count(account: _Account) -> int:
    return account.differences


def _unwound(account: _Account) -> Iterator[MetExpectation | Difference]:
    """What an account says, from its end."""
    rest = account.last
    while rest:
        rest, said = rest
        yield said
