"""Random streams, cut at random: always what a plain monitor finds that reads them whole."""

import json
from collections import Counter
from itertools import takewhile
from typing import Any

import pytest
from effort import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from monitor import BEFORE, Message, monitor

from qmpcheck.checking import response
from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import StreamResult
from qmpcheck.checking.temporal_rule import (
    Condition,
    Excuse,
    Pattern,
    Situation,
    State,
    TemporalRule,
    follow_ups,
)
from qmpcheck.specs import catalogue

RULES = catalogue.find("2.8:txt").rule_base
SPEC = list(follow_ups(RULES, ["no-shutdown"]))


def events(*names: str) -> tuple[Pattern, ...]:
    return tuple(map(Pattern, names))


def having(event: str, **values: str) -> Pattern:
    return Pattern(event, Condition(tuple(((member,), (value,)) for member, value in values.items())))


def command(name: str) -> Pattern:
    return Pattern(name, is_command=True)


DEVICE, ID = (("device",), ("device",)), (("id",), ("id",))
SUSPENDED = Situation(Pattern("SUSPEND"), frozenset({"WAKEUP", "RESET"}), BEFORE)
ENDING = Situation(Pattern("SHUTDOWN"), frozenset({"RESUME", "RESET"}), BEFORE)

OWN = [
    TemporalRule(
        "same",
        Pattern("BLOCK_JOB_READY"),
        events("BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED"),
        same=(DEVICE,),
    ),
    TemporalRule(
        "same under two names",
        Pattern("VSERPORT_CHANGE"),
        events("BLOCK_JOB_READY"),
        same=((("id",), ("device",)),),
    ),
    TemporalRule(
        "limited and same", Pattern("VSERPORT_CHANGE"), events("VNC_INITIALIZED"), same=(ID,), is_limited=True
    ),
    TemporalRule("bounded", Pattern("POWERDOWN"), events("SHUTDOWN"), within=1_000_000),
    TemporalRule(
        "limited and bounded", Pattern("WATCHDOG"), events("RESUME"), within=500_000, is_limited=True
    ),
    TemporalRule("stop, bounded", Pattern("WATCHDOG"), events("STOP"), within=500_000, is_limited=True),
    TemporalRule(
        "a condition on the response", Pattern("RESET"), (having("BLOCK_IO_ERROR", action="report"),)
    ),
    TemporalRule(
        "a member there, another not",
        Pattern("VSERPORT_CHANGE", Condition(has=(("id",),), lacks=(("open",),))),
        events("STOP"),
    ),
    TemporalRule("the guest decides", Pattern("POWERDOWN"), events("SHUTDOWN"), never_missing=True),
]
ORDER = [
    TemporalRule("precedence", Pattern("RESUME"), events("STOP"), "precedence"),
    TemporalRule(
        "precedence, same", Pattern("BLOCK_JOB_COMPLETED"), events("BLOCK_JOB_READY"), "precedence", (DEVICE,)
    ),
    TemporalRule(
        "absence, same",
        Pattern("BLOCK_JOB_COMPLETED"),
        events("BLOCK_JOB_READY"),
        "absence",
        (DEVICE,),
        until=events("BLOCK_JOB_CANCELLED"),
    ),
    TemporalRule(
        "absence", Pattern("SHUTDOWN"), events("RESUME", "SHUTDOWN"), "absence", until=events("RESET")
    ),
    TemporalRule(
        "absence, same, until another",
        Pattern("BLOCK_JOB_COMPLETED"),
        events("BLOCK_JOB_READY"),
        "absence",
        (DEVICE,),
        until_all=events("RESET"),
    ),
    TemporalRule("absence for good", Pattern("POWERDOWN"), events("WAKEUP"), "absence"),
    TemporalRule("never", having("WATCHDOG", action="none"), kind="never"),
]
EXCUSED = [
    TemporalRule(
        "excused",
        having("BLOCK_IO_ERROR", action="stop"),
        events("RESUME"),
        is_limited=is_limited,
        excuses=(
            Excuse("suspended", situation=SUSPENDED),
            Excuse("ending", having("", operation="read").condition, ENDING),
        ),
        within=within,
    )
    for is_limited, within in ((True, None), (False, None), (True, 100_000))
]
SELF = [
    TemporalRule("self, stop", Pattern("STOP"), events("STOP")),
    TemporalRule("self", Pattern("RESET"), events("RESET", "SHUTDOWN")),
    TemporalRule(
        "self, if and same",
        having("VSERPORT_CHANGE", id="a"),
        events("VSERPORT_CHANGE"),
        same=(ID,),
        is_limited=True,
    ),
    TemporalRule("self, bounded", Pattern("POWERDOWN"), events("POWERDOWN"), within=1_000_000),
    TemporalRule("self, before", Pattern("RESUME"), events("RESUME"), "precedence"),
    TemporalRule(
        "self, excused", Pattern("SUSPEND"), events("STOP"), excuses=(Excuse("self", situation=SUSPENDED),)
    ),
]
"""Rules whose response, or whose situation, is what they are about."""
COMMANDS = [
    TemporalRule("command", command("system_reset"), events("RESET")),
    TemporalRule(
        "command, same", command("device_del"), events("BLOCK_JOB_READY"), same=((("id",), ("device",)),)
    ),
    TemporalRule("errors close nothing", command("migrate"), events("STOP"), error_closes=False),
    TemporalRule("dropped", command("migrate"), events("WAKEUP"), ends_with_process=True),
    TemporalRule(
        "not after a command", command("device_del"), events("RESUME"), "absence", until=events("RESET")
    ),
    TemporalRule(
        "until a command",
        Pattern("BLOCK_JOB_READY"),
        events("BLOCK_JOB_READY"),
        "absence",
        same=((("device",), ("device",)),),
        until=(Pattern("device_del", is_command=True),),
        until_all=(command("migrate"),),
    ),
]
RUNNING = State(events("RESUME"), events("STOP", "SHUTDOWN"))
READY = State(events("BLOCK_JOB_READY"), events("BLOCK_JOB_COMPLETED"), ((("id",), ("device",)),))
SENT = State((command("device_del"),), (command("migrate"),))
STATES = [
    TemporalRule("during", command("system_reset"), events("RESET"), during=RUNNING),
    TemporalRule("unless", command("system_reset"), events("STOP"), unless=(RUNNING, SENT)),
    TemporalRule("during, same", command("device_del"), events("WAKEUP"), during=READY),
    TemporalRule("during, of an event", Pattern("VSERPORT_CHANGE"), events("STOP"), during=READY),
    TemporalRule("after a command", Pattern("RESET"), events("STOP"), during=SENT),
    TemporalRule("order after a command", Pattern("WAKEUP"), events("SUSPEND"), "precedence", during=SENT),
    TemporalRule("never while it runs", command("migrate"), kind="never", during=RUNNING),
    TemporalRule("a command ends its own state", command("migrate"), events("STOP"), during=SENT),
]

ALL = [
    TemporalRule(**{**{f: getattr(rule, f) for f in rule.__struct_fields__}, "text": f"{at} {rule.text}"})
    for at, rule in enumerate([*SPEC, *OWN, *ORDER, *EXCUSED, *SELF, *COMMANDS, *STATES])
]
LIMITED = {event for event, rule in RULES.events.items() if rule.rate_limit}

nothing: st.SearchStrategy[dict[str, Any]] = st.just({})

payloads: dict[str, st.SearchStrategy[dict[str, Any]]] = (
    dict.fromkeys(("STOP", "RESUME", "RESET", "SHUTDOWN", "POWERDOWN", "SUSPEND", "WAKEUP"), nothing)
    | {
        "WATCHDOG": st.fixed_dictionaries(
            {"action": st.sampled_from(["pause", "reset", "shutdown", "none"])}
        ),
        "BLOCK_IO_ERROR": st.fixed_dictionaries(
            {
                "device": st.just("d"),
                "node-name": st.just("n"),
                "operation": st.sampled_from(["read", "write"]),
            }
            | {"action": st.sampled_from(["stop", "stop", "report"])}
        ),
        "VSERPORT_CHANGE": st.fixed_dictionaries(
            {}, optional={"id": st.sampled_from("ab"), "open": st.just(True)}
        ),
    }
    | {
        event: st.fixed_dictionaries(
            {"type": st.just("mirror"), "device": st.sampled_from("ab")}
            | dict.fromkeys(("len", "offset", "speed"), st.just(0))
        )
        for event in ("BLOCK_JOB_READY", "BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED")
    }
)
"""Without its mandatory members, a VSERPORT_CHANGE is an event that the decoder refuses."""

versions = st.sampled_from([None, "7.2", "7.2", "10.0"])
ids = st.sampled_from([None, 1, 2])
commands = st.sampled_from(["system_reset", "device_del", "migrate", "query-status"])
arguments = st.fixed_dictionaries({}, optional={"id": st.sampled_from("ab")})

others = st.one_of(
    versions.map(lambda version: Message("greeting", version=version)),
    st.tuples(commands, arguments, ids).map(lambda each: Message("command", *each[:2], id=each[2])),
    st.tuples(ids, st.booleans()).map(lambda each: Message("reply", id=each[0], failed=each[1])),
)


@st.composite
def streams(draw: st.DrawFn) -> list[Message]:
    """Events whose clock runs on, but for rate-limited ones, which are sent late; clocks set back; no clocks."""
    stream: list[Message] = []
    clock = 10_000_000
    clockless = draw(st.booleans()) and draw(st.booleans())
    for _ in range(draw(st.integers(0, 25))):
        if draw(st.integers(0, 5)) == 0:
            stream.append(draw(others))
            continue
        name = draw(st.sampled_from(list(payloads)))
        clock += draw(st.sampled_from([0, 1, 1000, BEFORE, 300_000, 700_000, 2_000_000, -8_000_000]))
        late = draw(st.sampled_from([0, 0, 1, 999, 400_000, 1_500_000, 5_000_000])) if name in LIMITED else 0
        stream.append(Message("event", name, draw(payloads[name]), None if clockless else clock - late))
    return stream


def encoded(message: Message) -> bytes:
    identity = {} if message.id is None else {"id": message.id}
    match message.kind:
        case "greeting":
            value: dict[str, Any] = {"QMP": {"version": message.version, "capabilities": []}}
        case "command":
            value = {"execute": message.name, "arguments": message.data} | identity
        case "reply":
            value = ({"error": {"class": "GenericError"}} if message.failed else {"return": {}}) | identity
        case _:
            seconds, rest = (-1, -1) if message.time is None else divmod(message.time, 1_000_000)
            value = {"timestamp": {"seconds": seconds, "microseconds": rest}, "event": message.name}
            value |= {"data": message.data} if message.data else {}
    return json.dumps(value).encode()


def checker(rules: list[TemporalRule]) -> Checker:
    """With these rules alone: the spec's follow-ups are among them."""
    events = {event: replace_follow_ups(rule) for event, rule in RULES.events.items()}
    return Checker(type(RULES)(events, RULES.source), CheckOptions(rules=tuple(rules), literal=True))


def check(checker: Checker, pieces: list[list[Message]], complete: bool) -> StreamResult:
    for piece in pieces:
        checker.feed([*map(encoded, piece)])
    return checker.finish(complete)


def replace_follow_ups(rule: Any) -> Any:
    return type(rule)(rule.data, (), rule.rate_limit, rule.line, rule.file, rule.marks)


def said(result: StreamResult) -> set[tuple[int, str, str, str]]:
    return {(each.line, each.code, each.erratum, each.rule) for each in result.listed if each.rule}


CHECKER = checker(ALL)
"""One for all examples: after each, it begins anew."""
ABOUT_EVENTS = checker([rule for rule in ALL if not rule.is_about_commands])


DELETE, DONE, FAILED = (
    Message(kind, **each)
    for kind, each in (("command", {"name": "device_del"}), ("reply", {}), ("reply", {"failed": True}))
)


@given(streams(), st.booleans())
@examples(500)
@example([DELETE, DONE, DELETE, FAILED, Message("event", "RESUME")], True)
@example([DELETE, DELETE, FAILED, DONE, Message("event", "RESUME")], True)
@example([DELETE, DELETE, FAILED, FAILED, Message("event", "RESUME")], True)
@example([DELETE, Message("event", "RESET"), DELETE, FAILED, Message("event", "RESUME")], True)
def test_the_checker_says_what_the_monitor_says(stream: list[Message], complete: bool) -> None:
    assert said(check(CHECKER, [stream], complete)) == monitor(stream, ALL, complete)


@given(streams(), st.lists(st.integers(0, 25), max_size=8), st.booleans())
@examples(300)
def test_any_way_of_cutting_says_the_same(stream: list[Message], places: list[int], complete: bool) -> None:
    whole = check(CHECKER, [stream], complete)
    ends = sorted({min(place, len(stream)) for place in places})
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    assert check(CHECKER, pieces, complete) == whole
    assert check(CHECKER, [[message] for message in stream], complete) == whole


@given(streams(), st.booleans())
@examples(100)
def test_replies_that_no_rule_needs_change_nothing(stream: list[Message], complete: bool) -> None:
    """They are sorted out before decoding; with rules about commands they are read.

    Only a command before the first greeting changes something: the greeting is then that of a second connection.
    """
    begin = [*takewhile(lambda message: message.kind != "event", stream)]
    kinds = [message.kind for message in begin if message.kind != "reply"]
    assume(not (kinds[:1] == ["command"] and "greeting" in kinds))
    kept = [message for message in stream if message.kind in ("event", "greeting")]
    found = check(ABOUT_EVENTS, [stream], complete)
    lines = [line for line, message in enumerate(stream, 1) if message in kept]
    without = check(ABOUT_EVENTS, [kept], complete)
    assert [lines[each.line - 1] for each in without.listed] == [each.line for each in found.listed]
    assert found.counts == without.counts


COUNTED = [rule for rule in ALL if rule.text.partition(" ")[2] in {"same", "bounded", "the guest decides"}]
COUNTING = checker(COUNTED)


def job(event: str, device: str) -> Message:
    data = {"type": "mirror", "device": device, "len": 0, "offset": 0, "speed": 0}
    return Message("event", f"BLOCK_JOB_{event}", data, 0)


@given(streams(), st.integers(1, 4), st.booleans())
@examples(300)
@example([job("READY", "a"), job("READY", "b"), job("COMPLETED", "a")], 1, True)
def test_open_triggers_beyond_those_kept_are_counted_right(
    stream: list[Message], most: int, complete: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response, "MOST_OPEN", most)
        found = check(COUNTING, [[message] for message in stream], complete).counts
    codes: Counter[str] = Counter()
    for (code, _, _), count in found.items():
        codes[code] += count * (code not in ("QMP304", "QMP305") and code > "QMP3")
    assert +codes == Counter(code for _, code, _, _ in monitor(stream, COUNTED, complete))
