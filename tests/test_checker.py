"""A checker's results: what is counted and listed, and lines that are very long, very deep or hostile.

What each line of a stream gives is in `cases`.
"""

from collections.abc import Callable

import pytest
from checking import EACH_LINE, check

from qmpcheck.checking.result import FindingKind, StreamResult
from qmpcheck.specs import catalogue

V2 = catalogue.find("v2").rule_base

CLOCK = '"timestamp": {"seconds": 1700000000, "microseconds": 5}'
STOP = f'{{"event": "STOP", {CLOCK}}}'


def found(stream: str | bytes) -> list[str]:
    return [f"{f.line} {f.code} {f.shown_path}".rstrip() for f in checked(stream).listed]


def checked(stream: str | bytes) -> StreamResult:
    return check(V2, stream, codes=EACH_LINE)


def io_error(data: str) -> str:
    return f'{{{CLOCK}, "event": "BLOCK_IO_ERROR", "data": {{{data}}}}}\n'


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("RTC_CHANGE", '{"offset": %s}', []),
        ("BLOCK_JOB_COMPLETED", '{"type": "stream", "device": "d", "len": 1, "offset": %s, "speed": 0}', []),
        ("BLOCK_IO_ERROR", '{"device": %s, "operation": "read", "action": "stop"}', ["QMP204"]),
    ],
)
def test_numbers_that_python_does_not_read_for_their_length(
    event: str, data: str, expected: list[str]
) -> None:
    rules = catalogue.find("v4").rule_base
    line = f'{{"event": "{event}", {CLOCK}, "data": {data}}}\n' % ("1" + "0" * 9000)
    assert [finding.code for finding in check(rules, line, codes=EACH_LINE).listed] == expected


def test_a_timestamp_that_python_does_not_read_for_its_length() -> None:
    line = '{"event": "STOP", "timestamp": {"seconds": 1%s, "microseconds": 0}}\n'
    assert found(line % ("0" * 9000)) == ["1 QMP104 timestamp.seconds"]


def test_counts() -> None:
    result = checked(f'{STOP}\n\n{{"return": {{}}}}\n{{"event": "HALT"}}\nbad\n{STOP}')
    assert (result.lines, result.events) == (6, 3)
    assert result.counts == {
        FindingKind("QMP104", "(unknown events)", ""): 1,
        FindingKind("QMP201", "(unknown events)", ""): 1,
        FindingKind("QMP101", "", ""): 1,
    }


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
