"""QMP4xx: what the gate finds about a build, apart from the payload of its events."""

from __future__ import annotations

from qmpcheck.codes.code import Code, Severity

_SAME_QEMU = 'exec qemu-system-x86_64 "$@"'
"""A script in place of QEMU that changes nothing."""

CODES: dict[str, Code] = {
    "QMP401": Code(
        "event-not-seen",
        Severity.ERROR,
        "A scenario made something happen that an event reports, and that event did not come.",
        "A client that waits for it waits forever.",
        bad="qemu-system-x86_64 \"$@\" | sed -u 's/host-qmp-quit/guest-panic/'",
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="not seen",
    ),
    "QMP402": Code(
        "build-crashed",
        Severity.ERROR,
        "The process ended in the middle of a scenario, by a signal or with a message of its own.",
        "This is a fault of the build, whatever its events say. What it had sent until then was checked.",
        bad="kill -SEGV $$",
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="crashed",
    ),
    "QMP403": Code(
        "build-hung",
        Severity.ERROR,
        "The process did not answer within the scenario's time limit, and was killed.",
        "This is a fault of the build, whatever its events say. What it had sent until then was checked.",
        bad="sleep 1000",
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="hung",
    ),
    "QMP404": Code(
        "scenario-failed",
        Severity.ERROR,
        "The process answered a command in a way that keeps the scenario from going on.",
        "The scenario could not show what it is for, so it says nothing about the build.",
        bad="""qemu-system-x86_64 "$@" | sed -u \\
  's/{"return": {}, "id": 2}/{"error": {"class": "GenericError", "desc": "no"}, "id": 2}/'""",
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="failed",
    ),
    "QMP405": Code(
        "event-repeated",
        Severity.ERROR,
        "An event came again with the same data and the same timestamp, to the microsecond.",
        "What happened once is reported twice: a client that counts events, or acts on each, goes wrong.",
        bad='qemu-system-x86_64 "$@" | sed -u \'/"STOP"/p\'',
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="sent again",
    ),
    "QMP406": Code(
        "event-unexpected",
        Severity.ERROR,
        "An event came that nothing in the scenario causes, or came more often than the scenario causes it.",
        "Clients believe that what an event reports has happened. It is a warning on releases on which the "
        "scenarios were never played.",
        bad='qemu-system-x86_64 "$@" | sed -u \'/"STOP"/{p;s/STOP/WAKEUP/}\'',
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="unexpected",
    ),
    "QMP407": Code(
        "event-out-of-order",
        Severity.ERROR,
        "Two events came in another order than the one in which the scenario causes them.",
        "A client that acts on each event in turn sees states that never existed. It is a warning on "
        "releases on which the scenarios were never played.",
        bad='qemu-system-x86_64 "$@" | sed -u \'/virtio-backend/{h;d};/"DEVICE_DELETED"/G\'',
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only unplug-pci",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="out of order",
    ),
    "QMP408": Code(
        "event-untimely",
        Severity.ERROR,
        "An event came before its timestamp, or long after it, or its timestamp says that the host has no "
        "clock.",
        "A client learns too late what happened, or gets a wrong time.",
        bad='qemu-system-x86_64 "$@" |\n  sed -u \'/"STOP"/s/seconds": [0-9]*/seconds": -1/g\'',
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Play the scenario alone (--only NAME --save FOLDER), and look at its recording and at what "
        "QEMU printed.",
        in_brief="untimely",
    ),
    "QMP409": Code(
        "key-twice",
        Severity.ERROR,
        "An object in an event has the same key more than once.",
        "Which of the values a client sees depends on its JSON library.",
        bad='qemu-system-x86_64 "$@" | sed -u \'s/"event": "STOP"/"event": "RESUME", "event": "STOP"/\'',
        good=_SAME_QEMU,
        against="a script in QEMU's place, --only life-cycle",
        remedy="Find the code that emits the event; the excerpt shows the key.",
        in_brief="key twice",
    ),
    "QMP410": Code(
        "scenario-lost",
        Severity.ERROR,
        "A scenario was skipped that --require or --fail-on-skipped demands, or that the build in the "
        "--profile played.",
        "The build has lost a device, a driver, a machine, a command or an event that somebody relies on.",
        bad="spice: QMP410 lost: lacks the event SPICE_CONNECTED; QEMU 7.2.22 played it",
        good="spice: played",
        against="a build without SPICE, --profile of one with it",
        remedy="Add to the build what the report says is missing. If it was removed on purpose, save a new "
        "profile (--save-profile).",
        in_brief="lost",
    ),
    "QMP411": Code(
        "event-lost",
        Severity.ERROR,
        "A scenario was played to its end without an event that the build in the --profile sent there.",
        "Clients could rely on the event, and now it is gone, although no spec says that it must come.",
        bad="migration: QMP411 MIGRATION_PASS: not sent any more: QEMU 10.1.0 sent it",
        good="migration: MIGRATION_PASS came",
        against="a build, --profile of another one",
        remedy="Find out which change to QEMU removed the event. If it was removed on purpose, save a new "
        "profile (--save-profile).",
        in_brief="not sent any more",
    ),
}
