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
        "The line is not JSON, or not UTF-8, or more than QEMU's own parser accepts: nested more than "
        "1024 levels deep, or longer than 64 MiB. Columns count characters from 1.",
        "A client that reads line by line loses this message, and may lose the connection.",
        '{"event": "STOP", "timestamp": }',
        STOP,
        remedy="Look at the column: the line may be cut off, or mixed with other output. If the file is a "
        "log, name its format with --input.",
    ),
    "QMP102": Code(
        "not-an-object",
        Severity.ERROR,
        "The line is JSON, but not an object.",
        "Every message of the protocol is an object; something else wrote into the stream.",
        '["STOP"]',
        STOP,
        remedy="Find out what else writes into the file. If it is a log, name its format with --input.",
    ),
    "QMP103": Code(
        "not-a-message",
        Severity.ERROR,
        "The object is not an event, a greeting, a reply or a command: it has none of their keys, or a "
        "name that is not a string.",
        "A client cannot tell what to do with it.",
        '{"happened": "STOP"}',
        STOP,
        remedy="Remove what is not QMP from the recording. If the file is a log, name its format with "
        "--input.",
    ),
    "QMP104": Code(
        "bad-timestamp",
        Severity.ERROR,
        "An event's timestamp is missing, is not two integers, or has microseconds outside 0 to 999999. "
        "-1 for both is allowed: the host had no clock.",
        "Clients order events, and measure between them, by this value.",
        '{"event": "STOP", "timestamp": {"seconds": 1700000000, "microseconds": 1000000}}',
        STOP,
        remedy="If a tool rewrote the messages, record them as QEMU sends them, with `qmpcheck record`. "
        "Otherwise this is a fault of QEMU.",
    ),
    "QMP105": Code(
        "unknown-envelope-key",
        Severity.ERROR,
        "An event has a key other than event, data and timestamp.",
        "The protocol defines only these three; a strict client rejects the message.",
        '{"event": "STOP", "vm": 7, "timestamp": {"seconds": 1700000000, "microseconds": 5}}',
        STOP,
        remedy="If a tool added the key, record the messages as QEMU sends them, with `qmpcheck record`. "
        "Otherwise this is a fault of QEMU.",
    ),
    "QMP106": Code(
        "truncated-line",
        Severity.WARNING,
        "A message is incomplete: the recording stops in the middle of its last line, or the log cut the "
        "message off.",
        "What the message said is lost, and with it perhaps an event. Usually a process was killed, or "
        "the log limits the length of lines.",
        f"{STOP}\n{STOP[:40]}",
        STOP,
        remedy="Record until QEMU ends, or raise the log's limit.",
    ),
    "QMP107": Code(
        "bad-greeting",
        Severity.ERROR,
        "A greeting is malformed. QMP, its version and the qemu in that must be objects, and major, minor "
        "and micro integers from 0 to 9999. The version may be missing, and in 0.12 qemu was a string.",
        "Clients decide by the version which commands and events to expect.",
        f"{_GREETING.replace('10', '999999')}\n{STOP}",
        f"{_GREETING}\n{STOP}",
        remedy="If a tool rewrote the greeting, record it as QEMU sends it, with `qmpcheck record`. "
        "Otherwise this is a fault of QEMU.",
    ),
}
