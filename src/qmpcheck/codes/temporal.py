"""QMP3xx: several messages over time."""

from __future__ import annotations

from qmpcheck.codes.code import Code, Severity
from qmpcheck.codes.lines import STOP
from qmpcheck.codes.payload import GOOD_IO_ERROR, io_error

_SHUTDOWN = '{"timestamp": {"seconds": 1700000009, "microseconds": 5}, "event": "SHUTDOWN"}'
_GREETING = '{"QMP": {"version": {}, "capabilities": []}}'
_STOPPING = io_error('{"device": "disk0", "operation": "read", "action": "stop"}')


def _offsets(*offsets: str) -> str:
    return "\n".join(
        STOP.replace('"STOP"', f'"RTC_CHANGE", "data": {{"offset": {offset}}}') for offset in offsets
    )


CODES: dict[str, Code] = {
    "QMP301": Code(
        "follow-up-missing",
        Severity.ERROR,
        "A follow-up that the spec states can no longer come: the session is over, or its bound has passed.",
        "Clients wait for the second event and would wait forever.",
        f"{_STOPPING}\n{_SHUTDOWN}\n{_GREETING}\n{STOP}",
        f"{_STOPPING}\n{STOP}\n{_SHUTDOWN}\n{_GREETING}\n{STOP}",
        outcome="missing",
        of_absence=True,
    ),
    "QMP302": Code(
        "follow-up-pending",
        Severity.WARNING,
        "A follow-up has not come by the end of the stream. It may still: a recording can end anywhere. "
        "--complete says that the session is over.",
        "It shows what a client of this stream is still waiting for.",
        _STOPPING,
        f"{_STOPPING}\n{STOP}",
        outcome="pending",
        of_absence=True,
    ),
    "QMP303": Code(
        "follow-up-late",
        Severity.ERROR,
        "A follow-up came, but later than --within allows.",
        "A client with that patience has given up by then.",
        f"{_STOPPING}\n{STOP.replace('0000000, ', '0000009, ')}",
        f"{_STOPPING}\n{STOP}",
        "a stream, --spec v2 --within 5",
        outcome="late",
        of_absence=True,
    ),
    "QMP304": Code(
        "rate-limit-exceeded",
        Severity.WARNING,
        "Three rate-limited events of one kind happened within a second. The spec says that such events are "
        "sent at most once a second, so the first and the third of any three are at least that far apart.",
        "Clients rely on the limit to be safe from floods.",
        _offsets("1", "2", "3"),
        _offsets("1", "2"),
        "a stream, --spec 2.8:txt",
    ),
    "QMP305": Code(
        "time-backwards",
        Severity.WARNING,
        "An event happened more than a second before the one that it follows. Events that are "
        "rate-limited may, because they are sent late, and are not meant.",
        "The host's clock was set back, or the recording is not in the order of sending.",
        f"{STOP}\n{STOP.replace('17000', '16000')}",
        f"{STOP}\n{STOP}",
    ),
    "QMP306": Code(
        "precedence-missing",
        Severity.ERROR,
        "A rule of yours says that another event comes before this one, and in this session none did.",
        "Whatever should prepare for the event was not told to.",
        GOOD_IO_ERROR,
        f"{STOP}\n{GOOD_IO_ERROR}",
        "a stream, --spec v2 --rules own.toml",
        '[[rule]]\nevent = "BLOCK_IO_ERROR"\nkind = "precedence"\nthen = "STOP"',
        outcome="unpreceded",
        of_absence=True,
    ),
    "QMP307": Code(
        "absence-broken",
        Severity.ERROR,
        "A rule of yours says that this event does not come until another one did.",
        "Whoever relies on the pause between them is wrong.",
        f"{_STOPPING}\n{STOP}",
        STOP,
        "a stream, --spec v2 --rules own.toml",
        '[[rule]]\nevent = "BLOCK_IO_ERROR"\nkind = "absence"\nthen = "STOP"\nuntil = "RESET"',
        outcome="present",
    ),
}
