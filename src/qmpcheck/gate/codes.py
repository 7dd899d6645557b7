"""What a gate finds, by codes."""

from __future__ import annotations

from typing import NamedTuple

from qmpcheck.diagnostic import STREAM_CODES
from qmpcheck.drift import change
from qmpcheck.drift.change import Level
from qmpcheck.gate.trouble import CRASHED, FAILED, HUNG


class Kind(NamedTuple):
    """What one code stands for: its name in words, what it means, and why it matters."""

    slug: str
    means: str
    why: str


NOT_SEEN, REPEATED, UNEXPECTED, MISPLACED = "QMP401", "QMP405", "QMP406", "QMP407"
UNTIMELY, KEY_TWICE = "QMP408", "QMP409"

KINDS: dict[str, Kind] = {
    NOT_SEEN: Kind(
        "event-not-seen",
        "A scenario made something happen of which an event tells, and that event did not come.",
        "A client that waits for it waits for ever.",
    ),
    "QMP402": Kind(
        "build-crashed",
        "The process ended in the middle of a scenario, by a signal or with a message of its own.",
        "It is a fault of the build whatever its events say; what it had sent until then was checked.",
    ),
    "QMP403": Kind(
        "build-hung",
        "The process did not answer within the scenario's time limit, and was killed.",
        "It is a fault of the build whatever its events say; what it had sent until then was checked.",
    ),
    "QMP404": Kind(
        "scenario-failed",
        "The process answered a command in a way that the scenario cannot go on from.",
        "What the scenario should have shown was not seen, so it says nothing about the build.",
    ),
    REPEATED: Kind(
        "event-repeated",
        "An event came again with the same data and the same timestamp, to the microsecond.",
        "What happened once is told twice: a client that counts events, or acts on each, goes wrong.",
    ),
    UNEXPECTED: Kind(
        "event-unexpected",
        "An event came to which nothing in the scenario leads, or once more than it leads to it.",
        "A client takes what it is told for what happened. "
        "A warning on releases on which the scenarios were never played.",
    ),
    MISPLACED: Kind(
        "event-out-of-order",
        "An event came before one that it follows in the scenario, or after one that follows it.",
        "A client that acts on each event in turn sees states that never were. "
        "A warning on releases on which the scenarios were never played.",
    ),
    UNTIMELY: Kind(
        "event-untimely",
        "An event came long after its timestamp, or before it, or its timestamp says that there is no clock.",
        "A client learns too late what happened, or is told a wrong time.",
    ),
    KEY_TWICE: Kind(
        "key-twice",
        "An object in an event has the same key more than once.",
        "Which of the values a client sees depends on its JSON library.",
    ),
}
"""The codes of what is no finding about an event: errors, but where a user or `fault` says otherwise."""

_UNTOLD = {"QMP512", "QMP513", "QMP514", "QMP515"}
"""Follow-ups and rate limits: introspection does not tell them."""

_CHANGES = {code for code, kind in change.KINDS.items() if kind.tolerant is not Level.DOC} - _UNTOLD
"""Changes in what a build tells of itself that are more than its options."""

CODES = STREAM_CODES.union(KINDS, _CHANGES)
"""The codes of all that may be found."""

OF_TROUBLE = {CRASHED: "QMP402", HUNG: "QMP403", FAILED: "QMP404"}
"""The code of each kind of trouble; a build that lacks something is no fault."""
