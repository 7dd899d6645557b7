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
        "A follow-up that the spec, or a rule of yours, demands did not come and no longer can: the "
        "session is over, or the time that --within allows has passed.",
        "Clients that wait for the second event wait forever.",
        f"{_STOPPING}\n{_SHUTDOWN}\n{_GREETING}\n{STOP}",
        f"{_STOPPING}\n{STOP}\n{_SHUTDOWN}\n{_GREETING}\n{STOP}",
        outcome="missing",
        remedy="Look at what came after the trigger. If the recording lacks its end, leave out --complete. "
        "`qmpcheck show SPEC EVENT` shows the rule and the known errata.",
    ),
    "QMP302": Code(
        "follow-up-pending",
        Severity.WARNING,
        "A follow-up had not come when the stream ended. It may have come later: a recording can end "
        "anywhere. With --complete, it counts as missing (QMP301).",
        "It shows what a client of this stream is still waiting for.",
        _STOPPING,
        f"{_STOPPING}\n{STOP}",
        outcome="pending",
        remedy="Record until the session is over. If it was over, add --complete.",
    ),
    "QMP303": Code(
        "follow-up-late",
        Severity.ERROR,
        "A follow-up came, but later than --within allows.",
        "A client that waits no longer than that has given up by then.",
        f"{_STOPPING}\n{STOP.replace('0000000, ', '0000009, ')}",
        f"{_STOPPING}\n{STOP}",
        "a stream, --spec v2 --within 5",
        outcome="late",
        remedy="Find out what took so long, or allow more time with --within.",
    ),
    "QMP304": Code(
        "rate-limit-exceeded",
        Severity.WARNING,
        "Three events with a common rate limit happened within a second. QEMU sends such events at most "
        "once a second and may delay one, so the first and the third of any three are at least a second "
        "apart.",
        "Clients rely on the limit for not being flooded.",
        _offsets("1", "2", "3"),
        _offsets("1", "2"),
        "a stream, --spec 2.8:txt",
        remedy="If the host's clock was set at that time, ignore the finding. Otherwise QEMU does not limit "
        "the event as its spec says.",
    ),
    "QMP305": Code(
        "time-backwards",
        Severity.WARNING,
        "By its timestamp, an event happened more than a second before the event that precedes it in the "
        "stream. Rate-limited events are exempt, because they may be sent late.",
        "The host's clock was set back, or the recording is not in the order of sending.",
        f"{STOP}\n{STOP.replace('17000', '16000')}",
        f"{STOP}\n{STOP}",
        remedy="If the host's clock was set back, ignore the finding. Otherwise record in the order of "
        "sending, with `qmpcheck record`.",
    ),
    "QMP306": Code(
        "precedence-missing",
        Severity.ERROR,
        "A rule of yours says that another event comes before this one, and none came in this session.",
        "Code that relies on the order meets an event that it is not prepared for.",
        GOOD_IO_ERROR,
        f"{STOP}\n{GOOD_IO_ERROR}",
        "a stream, --spec v2 --rules own.toml",
        '[[rule]]\nevent = "BLOCK_IO_ERROR"\nkind = "precedence"\nthen = "STOP"',
        outcome="unpreceded",
        remedy="Find out why the other event did not come, or correct the rule: its `when`, `then` and "
        "`same`.",
    ),
    "QMP307": Code(
        "absence-broken",
        Severity.ERROR,
        "A rule of yours forbids this event, always or until another one comes, and it came.",
        "Code that relies on the rule meets an event that it does not expect.",
        f"{_STOPPING}\n{STOP}",
        STOP,
        "a stream, --spec v2 --rules own.toml",
        '[[rule]]\nevent = "BLOCK_IO_ERROR"\nkind = "absence"\nthen = "STOP"\nuntil = "RESET"',
        outcome="present",
        remedy="Find out why the event came, or correct the rule: its `when`, `same` and `until`.",
    ),
}
