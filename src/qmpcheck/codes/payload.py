"""QMP2xx: the payload of an event."""

from __future__ import annotations

from qmpcheck.codes.code import Allowance, Code, Evidence, Severity
from qmpcheck.codes.lines import STOP


def io_error(data: str) -> str:
    """Return a BLOCK_IO_ERROR with this data, as JSON."""
    return STOP.replace('"STOP"', f'"BLOCK_IO_ERROR", "data": {data}')


GOOD_IO_ERROR = io_error('{"device": "disk0", "operation": "read", "action": "report"}')


def _lamp(state: str) -> str:
    return STOP.replace('"STOP"', f'"LAMP_SWITCHED", "data": {{"state": "{state}"}}')


CODES: dict[str, Code] = {
    "QMP201": Code(
        "unknown-event",
        Severity.ERROR,
        "The spec has no event of this name.",
        "A client written for that spec does not know it. The build is newer or older than the spec, or "
        "the event was never documented.",
        '{"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "HALT"}',
        STOP,
        evidence=Evidence(Allowance.EVENT, 1, "{event} is sent", may_be_new=True),
        remedy="Check the stream against the release that wrote it; `qmpcheck fit` finds it. Declare the "
        "events of a fork as `extra` in qmpcheck.toml.",
    ),
    "QMP202": Code(
        "missing-member",
        Severity.ERROR,
        "A mandatory member is absent. If data is absent altogether, that is reported once.",
        "Clients read mandatory members without checking that they are there.",
        io_error('{"device": "disk0", "operation": "read"}'),
        GOOD_IO_ERROR,
        evidence=Evidence(Allowance.ABSENCE, 5, "{event} lacks {member}"),
        remedy="Check the stream against the release that wrote it; `qmpcheck fit` finds it. If it did write "
        "the stream, QEMU does not follow its spec: report it, and let the client cope without the "
        "member.",
    ),
    "QMP203": Code(
        "unknown-member",
        Severity.ERROR,
        "The spec has no member of this name at this place.",
        "The member is undocumented, or belongs to another version of the spec.",
        io_error('{"device": "disk0", "operation": "read", "action": "report", "sector": 9}'),
        GOOD_IO_ERROR,
        evidence=Evidence(Allowance.MEMBER, 2, "{event} carries {member}", may_be_new=True),
        marks_key=True,
        remedy="Check the stream against the release that wrote it; `qmpcheck fit` finds it. Declare the "
        "members of a fork as `extra` in qmpcheck.toml.",
    ),
    "QMP204": Code(
        "wrong-type",
        Severity.ERROR,
        "A value does not have the JSON type that the spec gives. true is not an integer, and neither is "
        "1.0.",
        "A client in a typed language fails to decode the whole message.",
        io_error('{"device": 0, "operation": "read", "action": "report"}'),
        GOOD_IO_ERROR,
        evidence=Evidence(Allowance.TYPE, 4, "{event} has {member} of type {got}"),
        remedy="Check the stream against the release that wrote it; `qmpcheck fit` finds it. If it did write "
        "the stream, QEMU does not follow its spec: report it.",
    ),
    "QMP205": Code(
        "value-not-allowed",
        Severity.ERROR,
        "A value is not one of those that the spec allows, or is outside of the range that it gives.",
        "A client that handles each known value has no code for this one.",
        io_error('{"device": "disk0", "operation": "erase", "action": "report"}'),
        GOOD_IO_ERROR,
        evidence=Evidence(Allowance.VALUE, 3, "{event} has {got} as {member}", may_be_new=True),
        remedy="Check the stream against the release that wrote it; `qmpcheck fit` finds it. If it did write "
        "the stream, QEMU does not follow its spec: report it, and let the client cope with unknown "
        "values.",
    ),
    "QMP206": Code(
        "deprecated",
        Severity.WARNING,
        "The spec marks the event, the member or the value as deprecated.",
        "A later release may remove it; clients should use its replacement.",
        _lamp("dim"),
        _lamp("on"),
        "a stream, --spec own.json",
        spec='{"events": {"LAMP_SWITCHED": {"data": {"type": "object", "members": [{"name": "state",\n'
        '"type": {"type": "enum", "values": ["on", "off", "dim"],\n'
        '"marks": {"dim": {"deprecated": true}}}}]}}}}',
        remedy="Find the replacement in QEMU's schema. If you do not use what is deprecated, --ignore "
        "QMP206:EVENT.",
    ),
}
