"""Random streams, split at random: always what a plain monitor says that reads them whole."""

import json
import random
from collections import Counter
from functools import reduce
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from monitor import Event, monitor

from qmpcheck import catalogue
from qmpcheck.checking import rules, session
from qmpcheck.checking.check import Checker
from qmpcheck.checking.followup import ABSENCE, PRECEDENCE, Erratum, Rule
from qmpcheck.checking.session import Timing
from qmpcheck.checking.summary import Summary, Terms

RULES = catalogue.find("2.8:txt").rule_base
SPEC = list(rules.timing(RULES, ["no-shutdown"]).rules)
OWN = [
    Rule(
        "same",
        "BLOCK_JOB_READY",
        frozenset({"BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED"}),
        same=(("device",),),
    ),
    Rule(
        "limited and same", "VSERPORT_CHANGE", frozenset({"BLOCK_JOB_READY"}), same=(("id",),), limited=True
    ),
    Rule("bounded", "POWERDOWN", frozenset({"SHUTDOWN"}), within=1_000_000),
    Rule("limited and bounded", "WATCHDOG", frozenset({"RESUME"}), within=500_000, limited=True),
    Rule("stop, bounded", "WATCHDOG", frozenset({"STOP"}), within=500_000, limited=True),
]
ORDER = [
    Rule("precedence", "RESUME", frozenset({"STOP"}), PRECEDENCE),
    Rule(
        "precedence, same",
        "BLOCK_JOB_COMPLETED",
        frozenset({"BLOCK_JOB_READY"}),
        PRECEDENCE,
        same=(("device",),),
    ),
    Rule(
        "absence, same",
        "BLOCK_JOB_COMPLETED",
        frozenset({"BLOCK_JOB_READY"}),
        ABSENCE,
        same=(("device",),),
        until=frozenset({"RESET"}),
    ),
    Rule("absence", "SHUTDOWN", frozenset({"RESUME", "SHUTDOWN"}), ABSENCE, until=frozenset({"RESET"})),
]
KNOWN = [
    Rule(
        "known not to be kept",
        "BLOCK_IO_ERROR",
        frozenset({"RESUME"}),
        when=((("action",), ("stop",)),),
        limited=True,
        errata=(
            Erratum("watched", beside=("WATCHDOG", ((("action",), ("reset",)),))),
            Erratum("reset", beside=("RESET", ())),
        ),
    )
]
SELF = [
    Rule("self, stop", "STOP", frozenset({"STOP"})),
    Rule("self", "RESET", frozenset({"RESET", "SHUTDOWN"})),
    Rule(
        "self, if and same",
        "VSERPORT_CHANGE",
        frozenset({"VSERPORT_CHANGE"}),
        when=((("id",), ("a",)),),
        same=(("id",),),
        limited=True,
    ),
    Rule("self, bounded", "POWERDOWN", frozenset({"POWERDOWN"}), within=1_000_000),
    Rule("self, before", "RESUME", frozenset({"RESUME"}), PRECEDENCE),
    Rule(
        "self, known",
        "BLOCK_JOB_READY",
        frozenset({"STOP"}),
        errata=(Erratum("self", beside=("BLOCK_JOB_READY", ())),),
    ),
]
"""Rules whose answer, or whose known case, is what they are about."""

ALL = [*SPEC, *OWN, *ORDER, *KNOWN, *SELF]
LIMITED = {event for event, rule in RULES.events.items() if rule.rate_limit}

payloads = {
    "STOP": st.just({}),
    "RESUME": st.just({}),
    "RESET": st.just({}),
    "SHUTDOWN": st.just({}),
    "POWERDOWN": st.just({}),
    "WATCHDOG": st.fixed_dictionaries({"action": st.sampled_from(["pause", "reset", "shutdown", "none"])}),
    "BLOCK_IO_ERROR": st.fixed_dictionaries(
        {"device": st.just("d"), "node-name": st.just("n"), "operation": st.just("read")}
        | {"action": st.sampled_from(["stop", "stop", "report"])}
    ),
    "VSERPORT_CHANGE": st.fixed_dictionaries({"id": st.sampled_from("ab"), "open": st.just(True)}),
} | {
    event: st.fixed_dictionaries(
        {"type": st.just("mirror"), "device": st.sampled_from("ab")}
        | dict.fromkeys(("len", "offset", "speed"), st.just(0))
    )
    for event in ("BLOCK_JOB_READY", "BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED")
}


@st.composite
def streams(draw: st.DrawFn) -> list[Event | None]:
    """Events whose clocks run on, but for rate-limited ones, which are sent late; greetings; no clocks; clocks set back."""
    stream: list[Event | None] = []
    clock = 10_000_000
    clockless = draw(st.booleans()) and draw(st.booleans())
    for _ in range(draw(st.integers(0, 25))):
        if draw(st.integers(0, 14)) == 0:
            stream.append(None)
            continue
        name = draw(st.sampled_from(list(payloads)))
        clock += draw(st.sampled_from([0, 1, 1000, 300_000, 700_000, 2_000_000, -8_000_000]))
        late = draw(st.sampled_from([0, 0, 1, 999, 400_000, 1_500_000, 5_000_000])) if name in LIMITED else 0
        stream.append(
            {"event": name, "data": draw(payloads[name]), "time": None if clockless else clock - late}
        )
    return stream


def encoded(event: Event | None) -> bytes:
    if event is None:
        return b'{"QMP": {}}\n'
    seconds, microseconds = (-1, -1) if event["time"] is None else divmod(event["time"], 1_000_000)
    message: dict[str, Any] = {
        "timestamp": {"seconds": seconds, "microseconds": microseconds},
        "event": event["event"],
    }
    return json.dumps(message | ({"data": event["data"]} if event["data"] else {})).encode() + b"\n"


def said(summary: Summary, complete: bool) -> set[tuple[int, str, str]]:
    found = summary.ended(complete).listed
    return {
        (each.line, each.code, each.message.split(":")[0])
        for each in found
        if each.code not in ("QMP304", "QMP305")
    }


@given(streams(), st.booleans())
@settings(max_examples=300)
def test_the_checker_says_what_the_monitor_says(stream: list[Event | None], complete: bool) -> None:
    checker = Checker(RULES, Terms(timing=Timing(tuple(ALL))))
    whole = checker.check(b"".join(map(encoded, stream)))
    assert said(whole, complete) == monitor(stream, ALL, complete)


ANSWERED_BETWEEN: list[Event | None] = [
    {"event": "RESET", "data": {}, "time": 1},
    {"event": "RESUME", "data": {}, "time": 2},
    {
        "event": "BLOCK_IO_ERROR",
        "data": {"device": "d", "node-name": "n", "operation": "read", "action": "stop"},
        "time": 3,
    },
]
"""What makes a known case, and what happens in it, with an answer between them."""


@given(streams(), st.lists(st.integers(0, 25), max_size=8), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=300)
@example(ANSWERED_BETWEEN, [1], random.Random(0), True)
def test_any_split_into_any_tree_says_the_same(
    stream: list[Event | None], places: list[int], pick: Any, complete: bool
) -> None:
    timing = Timing(tuple(ALL), rules.timing(RULES).limits)
    checker = Checker(RULES, Terms(timing=timing))
    whole = (checker.begin() + checker.check(b"".join(map(encoded, stream)))).ended(complete)
    ends = sorted({min(place, len(stream)) for place in places})
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    parts = [checker.check(b"".join(map(encoded, piece))) for piece in pieces]
    forwards = reduce(lambda a, b: a + b, parts, checker.begin()).ended(complete)
    while len(parts) > 1:
        at = pick.randrange(len(parts) - 1)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    for other in (forwards, (checker.begin() + parts[0]).ended(complete)):
        assert (other.listed, other.findings) == (whole.listed, whole.findings)


COUNTED = [rule for rule in ALL if rule.text in {"same", "bounded"} or rule.trigger == "BLOCK_IO_ERROR"]


def job(event: str, device: str) -> Event:
    data = {"type": "mirror", "device": device, "len": 0, "offset": 0, "speed": 0}
    return {"event": f"BLOCK_JOB_{event}", "data": data, "time": 0}


@given(streams(), st.integers(1, 4), st.booleans())
@example([job("READY", "a"), job("READY", "b"), job("COMPLETED", "a")], 1, True)
def test_open_triggers_beyond_those_kept_are_counted_right(
    stream: list[Event | None], most: int, complete: bool
) -> None:
    """Where time runs on and nothing is sent late; the parts are single lines."""
    times = [*accumulate((event["time"] or 0 if event else 0 for event in stream), max)]
    stream = [event and event | {"time": time} for event, time in zip(stream, times, strict=True)]
    checker = Checker(RULES, Terms(timing=Timing(tuple(COUNTED))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "MOST_OPEN", most)
        parts = map(checker.check, map(encoded, stream))
        found = reduce(lambda a, b: a + b, parts, checker.begin()).ended(complete).findings
    codes: Counter[str] = Counter()
    for (code, _, _), count in found.items():
        codes[code] += count * (code != "QMP305")
    assert +codes == Counter(code for _, code, _ in monitor(stream, COUNTED, complete))
