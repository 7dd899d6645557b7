"""The fast half and the slow half of the payload check agree."""

import functools
import json
import re

import pytest
from checking import check
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from rulebases import QAPI
from strategies import Fault, anything, events, faults

from qmpcheck.checking import decoder
from qmpcheck.checking.explain import Explainer, Explanation
from qmpcheck.checking.result import FindingKind
from qmpcheck.finding import Finding
from qmpcheck.specs import catalogue
from qmpcheck.streams.messages import is_event

RELEASES = [entry.id for entry in catalogue.entries() if entry.id in entry.releases]
SPECS = ["v1", "v2", "v3", "v4", "v5", "v6", "1.7", "2.8:txt", *RELEASES]
RULES = {name: catalogue.find(name).rule_base for name in SPECS} | {"qapi": QAPI}
SPECS.append("qapi")


@functools.cache
def decoders(spec: str) -> list[decoder.Decode]:
    return [decoder.compile(RULES[spec], clock).decode for clock in (True, False)]


@functools.cache
def explainer(spec: str) -> Explainer:
    return Explainer(RULES[spec])


def explain(spec: str, line: bytes) -> Explanation:
    return explainer(spec).explain(line)


def taken(spec: str, line: bytes) -> bool:
    return any(_takes(decode, line) for decode in decoders(spec))


def _takes(decode: decoder.Decode, line: bytes) -> bool:
    try:
        decode(line)
    except decoder.REFUSALS:
        return False
    return True


def findings(spec: str, line: bytes) -> list[Finding]:
    """What the slow half finds wrong; what is only deprecated is not."""
    return [finding for finding in explain(spec, line).findings if finding.code != "QMP206"]


def healthy(spec: str, line: bytes) -> bool:
    return is_event(explain(spec, line).message) and not findings(spec, line)


def is_for_the_slow_half(spec: str, line: bytes) -> bool:
    """Whether a decoder refuses an event though it breaks no rule: see `decoder`."""
    deprecated = len(explain(spec, line).findings) > len(findings(spec, line))
    large = RULES[spec].source != "text" and re.search(rb"\d{19}", line) is not None
    return deprecated or large or b'"NESTED"' in line or b'"NEVER"' in line


def dumped(message: object, compact: bool = False) -> bytes:
    return json.dumps(message, separators=(",", ":") if compact else None).encode()


@given(st.data(), st.sampled_from(SPECS), st.booleans())
def test_both_take_conforming_events(data: st.DataObject, spec: str, compact: bool) -> None:
    line = dumped(data.draw(events(RULES[spec])), compact)
    assert taken(spec, line) or is_for_the_slow_half(spec, line)
    assert healthy(spec, line)


@given(st.data(), st.sampled_from(SPECS), st.booleans())
@examples(300)
def test_both_refuse_a_single_fault(data: st.DataObject, spec: str, compact: bool) -> None:
    fault: Fault = data.draw(faults(RULES[spec]))
    line = dumped(fault.message, compact)
    assert not taken(spec, line)
    assert [(finding.code, finding.shown_path) for finding in findings(spec, line)] == [
        (fault.code, fault.path)
    ]


@given(st.data(), st.sampled_from(SPECS))
@examples(300)
def test_the_fast_half_takes_nothing_that_the_slow_half_finds_wrong(data: st.DataObject, spec: str) -> None:
    message = data.draw(events(RULES[spec]))
    line = bytearray(dumped(message))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(line) - 1))
        line[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(PIECES))
    if taken(spec, bytes(line)):
        assert explain(spec, bytes(line)).findings == ()
        assert healthy(spec, bytes(line))


PIECES = [
    b"",
    b'"',
    b"{",
    b"}",
    b",",
    b":",
    b"1",
    b".0",
    b"e1",
    b"-",
    b"0",
    b" ",
    b"\\",
    b"\xff",
    b"\xc3",
    b"\x00",
]
PIECES += [
    b"null",
    b"true",
    b"NaN",
    b'"event"',
    b"\\ud800",
    b"\\u0041",
    b'"x":1,',
    b'"data":{},',
    b"\xef\xbb\xbf",
    b"[]",
]


@given(st.sampled_from(SPECS), anything)
def test_any_value_is_explained(spec: str, value: object) -> None:
    line = dumped(value)
    diagnosis = explain(spec, line)
    assert is_event(diagnosis.message) or diagnosis.findings or isinstance(value, dict)
    assert not taken(spec, line)


@pytest.mark.parametrize("spec", SPECS)
def test_empty_and_doubled_lines(spec: str) -> None:
    event = dumped(
        {"event": next(iter(RULES[spec].events)), "data": {}, "timestamp": {"seconds": 1, "microseconds": 1}}
    )
    assert check(RULES[spec], event + event + b"\n\n").counts == {FindingKind("QMP101", "", ""): 1}
