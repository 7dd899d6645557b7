"""QMP1xx: one line of a stream."""

from __future__ import annotations

from qmpcheck.codes.code import Code, Severity

STOP = '{"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "STOP"}'
"""A line without a finding, in the examples of several codes."""

_GREETING = '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 10}}, "capabilities": []}}'

CODES: dict[str, Code] = {
    "QMP101": Code(
        "malformed-json",
        Severity.ERROR,
        "The line is not JSON, or not UTF-8, or more than QEMU's own parser takes: nested more than 1024 "
        "deep, or longer than 64 MiB. The column counts characters from 1.",
        "A client that reads line by line loses this message, and may lose the connection.",
        '{"event": "STOP", "timestamp": }',
        STOP,
    ),
    "QMP102": Code(
        "not-an-object",
        Severity.ERROR,
        "The line is JSON, but not an object.",
        "Every message of the protocol is an object; something else wrote into the stream.",
        '["STOP"]',
        STOP,
    ),
    "QMP103": Code(
        "not-a-message",
        Severity.ERROR,
        "The object is no event, greeting, reply or command: it has none of their keys, or a name that is "
        "not a string.",
        "A client cannot tell what to do with it.",
        '{"happened": "STOP"}',
        STOP,
    ),
    "QMP104": Code(
        "bad-timestamp",
        Severity.ERROR,
        "An event's timestamp is missing, or is not two integers, or has microseconds outside 0 to 999999. "
        "Both at -1 is allowed: the host had no clock.",
        "Clients order events, and measure between them, by this value.",
        '{"event": "STOP", "timestamp": {"seconds": 1700000000, "microseconds": 1000000}}',
        STOP,
    ),
    "QMP105": Code(
        "unknown-envelope-key",
        Severity.ERROR,
        "An event has a key beside event, data and timestamp.",
        "The protocol names these three; a strict client rejects the message.",
        '{"event": "STOP", "vm": 7, "timestamp": {"seconds": 1700000000, "microseconds": 5}}',
        STOP,
    ),
    "QMP106": Code(
        "truncated-line",
        Severity.WARNING,
        "The last line has no newline and is not whole: the recording stops in its middle.",
        "Usually the process or the recorder was killed. What the line would have said is lost.",
        f"{STOP}\n{STOP[:40]}",
        STOP,
    ),
    "QMP107": Code(
        "bad-greeting",
        Severity.ERROR,
        "A greeting does not say what it should: QMP, its version and the qemu in that are objects, and "
        "major, minor and micro are integers from 0 to 9999. The version can be missing, and 0.12 "
        "had a string for qemu.",
        "Clients decide by the version which commands and events to expect.",
        f"{_GREETING.replace('10', '999999')}\n{STOP}",
        f"{_GREETING}\n{STOP}",
    ),
}
