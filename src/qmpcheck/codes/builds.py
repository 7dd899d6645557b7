"""QMP4xx: what the gate finds about a build, apart from the payload of its events."""

from __future__ import annotations

from qmpcheck.codes.code import Code, Severity

CODES: dict[str, Code] = {
    "QMP401": Code(
        "event-not-seen",
        Severity.ERROR,
        "A scenario made something happen that an event reports, and that event did not come.",
        "A client that waits for it waits for ever.",
    ),
    "QMP402": Code(
        "build-crashed",
        Severity.ERROR,
        "The process ended in the middle of a scenario, by a signal or with a message of its own.",
        "It is a fault of the build whatever its events say; what it had sent until then was checked.",
    ),
    "QMP403": Code(
        "build-hung",
        Severity.ERROR,
        "The process did not answer within the scenario's time limit, and was killed.",
        "It is a fault of the build whatever its events say; what it had sent until then was checked.",
    ),
    "QMP404": Code(
        "scenario-failed",
        Severity.ERROR,
        "The process answered a command in a way that the scenario cannot go on from.",
        "What the scenario should have shown was not seen, so it says nothing about the build.",
    ),
    "QMP405": Code(
        "event-repeated",
        Severity.ERROR,
        "An event came again with the same data and the same timestamp, to the microsecond.",
        "What happened once is reported twice: a client that counts events, or acts on each, goes wrong.",
    ),
    "QMP406": Code(
        "event-unexpected",
        Severity.ERROR,
        "An event came to which nothing in the scenario leads, or once more than it leads to it.",
        "A client takes what an event says for what happened. "
        "A warning on releases on which the scenarios were never played.",
    ),
    "QMP407": Code(
        "event-out-of-order",
        Severity.ERROR,
        "An event came before one that it follows in the scenario, or after one that follows it.",
        "A client that acts on each event in turn sees states that never were. "
        "A warning on releases on which the scenarios were never played.",
    ),
    "QMP408": Code(
        "event-untimely",
        Severity.ERROR,
        "An event came long after its timestamp, or before it, or its timestamp says that there is no clock.",
        "A client learns too late what happened, or gets a wrong time.",
    ),
    "QMP409": Code(
        "key-twice",
        Severity.ERROR,
        "An object in an event has the same key more than once.",
        "Which of the values a client sees depends on its JSON library.",
    ),
}
