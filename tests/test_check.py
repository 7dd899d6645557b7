"""Lines of a stream and the findings they give, against the second edition."""

from collections.abc import Callable

import pytest
from checking import EACH_LINE, check

from qmpcheck import catalogue
from qmpcheck.checking.result import Kind, StreamResult

V2 = catalogue.find("v2").rule_base

CLOCK = '"timestamp": {"seconds": 1700000000, "microseconds": 5}'
STOP = f'{{"event": "STOP", {CLOCK}}}'
SERVER = '"host": "a", "service": "1", "family": "ipv4"'


def found(stream: str | bytes) -> list[str]:
    return [f"{f.line} {f.code} {f.shown_path}".rstrip() for f in checked(stream).listed]


def checked(stream: str | bytes) -> StreamResult:
    return check(V2, stream, codes=EACH_LINE)


def io_error(data: str) -> str:
    return f'{{{CLOCK}, "event": "BLOCK_IO_ERROR", "data": {{{data}}}}}\n'


def vnc(server: str, client: str = SERVER) -> str:
    return (
        f'{{"event": "VNC_CONNECTED", {CLOCK}, "data": {{"server": {{{server}}}, "client": {{{client}}}}}}}\n'
    )


@pytest.mark.parametrize(
    "stream",
    [
        STOP,
        f"{STOP}\r\n{STOP}\r\n",
        f"\n \t\n{STOP}\n\r\n",
        f"  {STOP}\t\n",
        f'{{{CLOCK}, "event": "STOP"}}\n',
        '{"event": "STOP", "timestamp": {"seconds": -1, "microseconds": -1}}\n',
        '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 999999}}\n',
        '{"event": "STOP", "timestamp": {"seconds": 9223372036854, "microseconds": 0}}\n',
        f'{{"event": "RESET", "event": "STOP", {CLOCK}}}\n',
        f'{{"event": "STOP", "data": {{}}, {CLOCK}}}\n',
        io_error('"device": "disk0", "operation": "read", "action": "stop"'),
        io_error('"device": 1, "device": "disk0", "operation": "read", "action": "stop"'),
        io_error('"device": "\\ud800", "operation": "\\u0072ead", "action": "stop"'),
        vnc(SERVER),
        vnc(SERVER + ', "auth": "none"'),
        '{"QMP": {"version": {}, "capabilities": []}}\n{"execute": "stop", "id": 1}\n{"exec-oob": "x"}\n'
        '{"return": {}, "id": 1}\n{"error": {"class": "x", "desc": "y"}}\n',
    ],
)
def test_no_findings(stream: str) -> None:
    assert found(stream) == []


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("nonsense\n", ["1 QMP101"]),
        (f"{STOP}{STOP}\n", ["1 QMP101"]),
        (b'{"event": "STOP\xff"}\n', ["1 QMP101"]),
        (f"{STOP}\n\ufeff{STOP}\n", ["2 QMP101"]),
        (f"\f\n{STOP}\n", ["1 QMP101"]),
        ("null\n17\n[]\n" + '"STOP"\n', ["1 QMP102", "2 QMP102", "3 QMP102", "4 QMP102"]),
        ('{}\n{"happened": 1}\n', ["1 QMP103", "2 QMP103"]),
        ('{"event": 7}\n{"event": null, "return": 1}\n', ["1 QMP103 event", "2 QMP103 event"]),
        ('{"event": "STOP"}\n', ["1 QMP104 timestamp"]),
        ('{"event": "STOP", "timestamp": null}\n', ["1 QMP104 timestamp"]),
        ('{"event": "STOP", "timestamp": {"seconds": 1}}\n', ["1 QMP104 timestamp.microseconds"]),
        ('{"event": "STOP", "timestamp": {"seconds": 1.0, "microseconds": 1}}\n', ["1 QMP104 timestamp.seconds"]),
        ('{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": true}}\n', ["1 QMP104 timestamp.microseconds"]),
        (
            '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 1000000}}\n',
            ["1 QMP104 timestamp.microseconds"],
        ),
        ('{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": -1}}\n', ["1 QMP104 timestamp.microseconds"]),
        (
            '{"event": "STOP", "timestamp": {"seconds": 9223372036855, "microseconds": 0}}\n',
            ["1 QMP104 timestamp.seconds"],
        ),
        (
            '{"event": "STOP", "timestamp": {"seconds": 1%s, "microseconds": 0}}\n' % ("0" * 9000),
            ["1 QMP104 timestamp.seconds"],
        ),
        (
            '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 1, "zone": 0}}\n',
            ["1 QMP104 timestamp.zone"],
        ),
        (f'{{"event": "STOP", {CLOCK}, "vm": 1, "id": 2}}\n', ["1 QMP105 vm", "1 QMP105 id"]),
        (f"{STOP}\n{STOP[:-5]}", ["2 QMP106"]),
        (b'{"event": "\xc3', ["1 QMP106"]),
        (f'{{"event": "HALT", {CLOCK}}}\n', ["1 QMP201 event"]),
        ('{"event": "HALT", "data": 7, "vm": 1}', ["1 QMP104 timestamp", "1 QMP105 vm", "1 QMP201 event"]),
        (f'{{"event": "BLOCK_IO_ERROR", {CLOCK}}}\n', ["1 QMP202 data"]),
        (f'{{"event": "BLOCK_IO_ERROR", {CLOCK}, "data": null}}\n', ["1 QMP204 data"]),
        (io_error('"operation": "read"'), ["1 QMP202 data.device", "1 QMP202 data.action"]),
        (vnc('"host": "a"'), ["1 QMP202 data.server.service", "1 QMP202 data.server.family"]),
        (f'{{"event": "STOP", "data": {{"why": 1}}, {CLOCK}}}\n', ["1 QMP203 data.why"]),
        (vnc(SERVER, SERVER + ', "auth": "none"'), ["1 QMP203 data.client.auth"]),
        (io_error('"device": 1, "operation": "read", "action": "stop"'), ["1 QMP204 data.device"]),
        (io_error('"device": "x", "operation": 1, "action": ["stop"]'), ["1 QMP204 data.operation", "1 QMP204 data.action"]),
        (io_error('"device": "x", "operation": "erase", "action": "STOP"'), ["1 QMP205 data.operation", "1 QMP205 data.action"]),
        (vnc(SERVER.replace("ipv4", "ipv5")), ["1 QMP205 data.server.family"]),
        # A name that would break a path is quoted in it.
        (f'{{"event": "STOP", "data": {{"a.b": 1, "": 2}}, {CLOCK}}}\n', ['1 QMP203 data["a.b"]', '1 QMP203 data[""]']),
        # Behind replies, too, each line is what it is.
        ('{"return": {}}\n{"return": {}}\n{"return": }\n{"return": 1, "event": 2}\n', ["3 QMP101", "4 QMP103 event"]),
        # Nothing is lost behind a bad line.
        (f"nonsense\n{STOP}\n\n[]\n{STOP}\n", ["1 QMP101", "4 QMP102"]),
    ],
)  # fmt: skip
def test_findings(stream: str | bytes, expected: list[str]) -> None:
    assert found(stream) == expected


def test_messages_say_what_was_expected_and_what_stood_there() -> None:
    lines = io_error('"device": 1, "operation": "erase", "sector": 2') + '{"event": "STOP", "timestamp": 9}\n'
    findings = checked(lines).listed
    assert [(finding.message, finding.spec_line) for finding in findings] == [
        ("mandatory member is missing", 13),
        ('the spec has no such member here: it has "device", "operation", "action"', 4),
        ("expected a string, got 1", 11),
        ('expected "read" or "write", got "erase"', 12),
        ("bad timestamp: expected an object, got 9", None),
    ]


def test_integers_and_fractions() -> None:
    rules = catalogue.find("v4").rule_base

    def codes(value: str, event: str, data: str) -> list[str]:
        line = f'{{"event": "{event}", {CLOCK}, "data": {{{data % value}}}}}\n'
        return [finding.code for finding in check(rules, line, codes=EACH_LINE).listed]

    job = '"type": "stream", "device": "d", "len": 1, "offset": %s, "speed": 0'
    for integer in ("0", "-1", "1" + "0" * 30, "1" + "0" * 9000):
        assert codes(integer, "BLOCK_JOB_COMPLETED", job) == []
    for no_integer in ("1.0", "1e3", "true", '"1"', "null"):
        assert codes(no_integer, "BLOCK_JOB_COMPLETED", job) == ["QMP204"]
    for number in ("0", "1.5", "1e3", "1e400", "1" + "0" * 9000):
        assert codes(number, "RTC_CHANGE", '"offset": %s') == []
    for no_number in ("true", "NaN", '"1"'):
        assert codes(no_number, "RTC_CHANGE", '"offset": %s') in (["QMP204"], ["QMP101"])


def test_counts() -> None:
    result = checked(f'{STOP}\n\n{{"return": {{}}}}\n{{"event": "HALT"}}\nbad\n{STOP}')
    assert (result.lines, result.events) == (6, 3)
    assert result.counts == {
        Kind("QMP104", "(others)", ""): 1,
        Kind("QMP201", "(others)", ""): 1,
        Kind("QMP101", "", ""): 1,
    }


def test_selected_findings_only() -> None:
    found = check(V2, "bad\n[]\n", codes=frozenset(["QMP101"])).listed
    assert [finding.code for finding in found] == ["QMP101"]


def test_a_full_list_goes_on_counting() -> None:
    result = check(V2, "bad\n" * 7, most=2)
    assert [finding.line for finding in result.listed] == [1, 2]
    assert result.counts.total() == 7
    assert result.unlisted == {Kind("QMP101", "", ""): 5}


def test_which_findings_are_listed_depends_on_their_lines_alone() -> None:
    """The trigger of the first line is found to be pending at the end, after all others."""
    error = io_error('"device": "x", "operation": "read", "action": "stop"')
    result = check(V2, error + "bad\n" * 9, most=2)
    assert [(finding.line, finding.code) for finding in result.listed] == [(1, "QMP302"), (2, "QMP101")]


@pytest.mark.parametrize(
    "deep",
    [lambda depth: b"[" * depth + b"]" * depth, lambda depth: b'{"a":' * depth + b"1" + b"}" * depth],
    ids=["lists", "objects"],
)
def test_nesting_as_deep_as_qemu_takes_it(deep: Callable[[int], bytes]) -> None:
    line = b'{"event": "STOP", %s, "data": {"x": %s}}\n'
    assert found(line % (CLOCK.encode(), deep(1022))) == ["1 QMP203 data.x"]
    for depth in (1023, 50_000):
        assert found(line % (CLOCK.encode(), deep(depth))) == ["1 QMP101"]


def test_hostile_strings_come_out_safe() -> None:
    evil = '"\\u001b]0;x\\u0007\\n\\u202e\\ud800\\u0085\\u2028"'
    line = f'{{"event": {evil}, {CLOCK}, {evil}: {evil}}}\n' + io_error(
        f'"device": "x", "operation": {evil}, {evil}: 1, "action": 1'
    )
    findings = checked(line).listed
    assert {finding.code for finding in findings} == {"QMP105", "QMP201", "QMP203", "QMP204", "QMP205"}
    for finding in findings:
        assert (finding.event + finding.shown_path + finding.message).isprintable()


def test_long_strings_come_out_short() -> None:
    long = "x" * 10_000_000
    line = (
        io_error(f'"device": "x", "operation": "{long}", "{long}": "{long}", "action": 1')
        + f'{{"event": "{long}"}}\n'
    )
    findings = checked(line).listed
    assert [finding.code for finding in findings] == ["QMP203", "QMP204", "QMP205", "QMP104", "QMP201"]
    for finding in findings:
        assert len(finding.event + finding.shown_path + finding.message) < 500
