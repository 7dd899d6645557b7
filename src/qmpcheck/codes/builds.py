"""QMP4xx: what the gate finds about a build, apart from the payload of its events."""

from __future__ import annotations

from qmpcheck.codes.code import Code, Severity

_AS_IT_IS = 'exec qemu-system-x86_64 "$@"'
"""What stands in QEMU's place and changes nothing."""

CODES: dict[str, Code] = {
    "QMP401": Code(
        "event-not-seen",
        Severity.ERROR,
        "A scenario made something happen that an event reports, and that event did not come.",
        "A client that waits for it waits for ever.",
        bad="qemu-system-x86_64 \"$@\" | sed -u 's/host-qmp-quit/guest-panic/'",
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP402": Code(
        "build-crashed",
        Severity.ERROR,
        "The process ended in the middle of a scenario, by a signal or with a message of its own.",
        "It is a fault of the build whatever its events say; what it had sent until then was checked.",
        bad="kill -SEGV $$",
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP403": Code(
        "build-hung",
        Severity.ERROR,
        "The process did not answer within the scenario's time limit, and was killed.",
        "It is a fault of the build whatever its events say; what it had sent until then was checked.",
        bad="sleep 1000",
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP404": Code(
        "scenario-failed",
        Severity.ERROR,
        "The process answered a command in a way that the scenario cannot go on from.",
        "What the scenario should have shown was not seen, so it says nothing about the build.",
        bad="""qemu-system-x86_64 "$@" | sed -u \\
  's/{"return": {}, "id": 2}/{"error": {"class": "GenericError", "desc": "no"}, "id": 2}/'""",
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP405": Code(
        "event-repeated",
        Severity.ERROR,
        "An event came again with the same data and the same timestamp, to the microsecond.",
        "What happened once is reported twice: a client that counts events, or acts on each, goes wrong.",
        bad='qemu-system-x86_64 "$@" | sed -u \'/"STOP"/p\'',
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP406": Code(
        "event-unexpected",
        Severity.ERROR,
        "An event came to which nothing in the scenario leads, or once more than it leads to it.",
        "A client takes what an event says for what happened. "
        "A warning on releases on which the scenarios were never played.",
        bad='qemu-system-x86_64 "$@" | sed -u \'/"STOP"/{p;s/STOP/WAKEUP/}\'',
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP407": Code(
        "event-out-of-order",
        Severity.ERROR,
        "An event came before one that it follows in the scenario, or after one that follows it.",
        "A client that acts on each event in turn sees states that never were. "
        "A warning on releases on which the scenarios were never played.",
        bad='qemu-system-x86_64 "$@" | sed -u \'/virtio-backend/{h;d};/"DEVICE_DELETED"/G\'',
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only unplug-pci",
    ),
    "QMP408": Code(
        "event-untimely",
        Severity.ERROR,
        "An event came long after its timestamp, or before it, or its timestamp says that there is no clock.",
        "A client learns too late what happened, or gets a wrong time.",
        bad='qemu-system-x86_64 "$@" |\n  sed -u \'/"STOP"/s/seconds": [0-9]*/seconds": -1/g\'',
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP409": Code(
        "key-twice",
        Severity.ERROR,
        "An object in an event has the same key more than once.",
        "Which of the values a client sees depends on its JSON library.",
        bad='qemu-system-x86_64 "$@" | sed -u \'s/"event": "STOP"/"event": "RESUME", "event": "STOP"/\'',
        good=_AS_IT_IS,
        against="a script in QEMU's place, --only life-cycle",
    ),
    "QMP410": Code(
        "scenario-lost",
        Severity.ERROR,
        "A scenario was skipped that must be played, as --require or --fail-on-skipped says, or as the build "
        "played it whose --profile was saved.",
        "The build has lost a device, a driver, a machine, a command or an event that somebody relies on.",
        bad="spice: QMP410 lost: lacks the event SPICE_CONNECTED; QEMU 7.2.22 played it",
        good="spice: played",
        against="a build without SPICE, --profile of one with it",
    ),
    "QMP411": Code(
        "event-lost",
        Severity.ERROR,
        "A scenario was played to its end without an event that the build sent whose --profile was saved.",
        "What clients could rely on is gone, although nothing says that the build must have it.",
        bad="migration: QMP411 MIGRATION_PASS: not sent any more: QEMU 10.1.0 sent it",
        good="migration: MIGRATION_PASS came",
        against="a build, --profile of another one",
    ),
}
