"""Generated streams: they break no rule of their spec, and show all that it allows."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from checking import check
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from releases import NEWEST
from rulebases import QAPI
from strategies import of_alternate, rules_of_events

from qmpcheck import rulebase
from qmpcheck.checking import json_schema
from qmpcheck.checking.temporal_rule import options_with_follow_ups
from qmpcheck.cli import main
from qmpcheck.drift.fit import Fitting
from qmpcheck.generating.stories import COMPANIONS
from qmpcheck.generating.stream import Generation, encoded
from qmpcheck.rulebase import (
    Alternate,
    Array,
    Boolean,
    Enum,
    EventRule,
    FollowUp,
    Integer,
    Marks,
    Member,
    Object,
    RateLimit,
    RuleBase,
    SpecError,
    String,
)
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec

NAMES = [name for entry in catalogue.entries() for name in catalogue.names(entry)]
RELEASES = [spec.name for spec in catalogue.releases()]

names = st.sampled_from(NAMES)
seeds = st.integers(0, 1000)
numbers = st.none() | st.integers(1, 400)


def spec_of(rules: RuleBase) -> Spec:
    return Spec("own", "own", rules)


def lines_of(spec: Spec, events: int | None = None, seed: int = 0, only: Sequence[str] = ()) -> list[bytes]:
    return [encoded(message) for message in Generation(spec, seed, only).messages(events)]


def findings(spec: Spec, lines: Sequence[bytes]) -> list[str]:
    """What `validate` finds at its strictest: nothing is excused, and the last session is over."""
    options = tuple(sorted(options_with_follow_ups(spec.rule_base)))
    result = check(spec.rule_base, b"\n".join(lines) + b"\n", complete=True, assumed=options, literal=True)
    return [f"{each.line}: {each.code} {each.message}" for each in result.listed]


def events_in(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    return [message for message in map(json.loads, lines) if "event" in message]


# It breaks no rule


@given(names, seeds, numbers)
@examples(30)
def test_nothing_is_found_in_it(name: str, seed: int, events: int | None) -> None:
    spec = catalogue.find(name)
    lines = lines_of(spec, events, seed)
    assert findings(spec, lines) == []
    assert events is None or len(events_in(lines)) <= events


@given(st.sampled_from(RELEASES), seeds)
@examples(10)
def test_its_release_fits(name: str, seed: int) -> None:
    fitting = Fitting()
    fitting.add(lines_of(catalogue.find(name), seed=seed))
    fit = fitting.result()
    assert name in [row.spec for row, is_best in zip(fit.releases, fit.best, strict=True) if is_best]
    assert fit.is_whole


@given(names, seeds)
@examples(5)
def test_jsonschema_accepts_each_event(name: str, seed: int) -> None:
    spec = catalogue.find(name)
    validator = jsonschema.Draft202012Validator(json_schema.of_rule_base(spec.rule_base))
    for event in events_in(lines_of(spec, seed=seed)):
        validator.validate(event)


@given(names, seeds)
@examples(10)
def test_machines_stop_only_when_they_run(name: str, seed: int) -> None:
    spec = catalogue.find(name)
    after = {"STOP": "stopped", "RESUME": "runs", "SUSPEND": "suspended", "WAKEUP": "runs"}
    before = {"STOP": "runs", "RESUME": "stopped", "SUSPEND": "runs", "WAKEUP": "suspended"}
    state = "runs"
    for message in Generation(spec, seed).messages(500):
        event = message.get("event", "")
        if "QMP" in message:
            state = "runs"
        elif event in before and COMPANIONS[event] in spec.rule_base.events:
            assert state == before[event]
            state = after[event]


def test_jobs_begin_and_end() -> None:
    generation = Generation(catalogue.find("11.1"))
    told = generation.by_story(3000)
    while generation.coverage.unmet():  # until then, some come alone, to show what is left
        next(told)
    messages = [message for story in told for message in story]
    job = [each["data"]["status"] for each in messages if each.get("event") == "JOB_STATUS_CHANGE"]
    assert job.count("created") == job.count("null") > 20
    assert all(after == "created" for before, after in pairwise(job) if before == "null")


@given(st.sampled_from(["2.8:txt", "7.2", "10.0", NEWEST]), seeds)
@examples(10)
def test_limited_events_of_one_device_are_a_second_apart(name: str, seed: int) -> None:
    last: dict[tuple[str, Any], float] = {}
    for event in events_in(lines_of(catalogue.find(name), 500, seed)):
        if event["event"] in ("VSERPORT_CHANGE", "RTC_CHANGE", "BALLOON_CHANGE", "WATCHDOG"):
            now = event["timestamp"]["seconds"] * 10**6 + event["timestamp"]["microseconds"]
            key = event["event"], event["data"].get("id")
            assert now - last.get(key, 0) >= 10**6
            last[key] = now


# It shows all


def missing(described: rulebase.Type, seen: list[Any], at: str) -> Iterator[str]:
    """What a type allows and none of the values shows: counted apart from what the generator counts."""
    match described:
        case Enum(values, marks):
            usable = [each for each in values if each not in marks or not marks[each].deprecated]
            yield from (f"{at}={value}" for value in usable if value not in seen)
        case Boolean():
            yield from (f"{at}={value}" for value in (True, False) if value not in seen)
        case Integer() if described.range:
            yield from (f"{at}={value}" for value in described.range if value not in seen)
        case Array(items):
            sizes = {min(len(value), 2) for value in seen}
            yield from (f"{at} of {size}" for size in (0, 1, 2) if size not in sizes)
            yield from missing(items, [item for value in seen for item in value], f"{at}[]")
        case Alternate(types):
            for each in types:
                yield from missing(
                    each, [value for value in seen if of_alternate(described, value) == each], at
                )
        case Object():
            yield from missing_in_object(described, seen, at)
        case _:
            yield from () if seen else (at,)


def missing_in_object(described: Object, seen: list[dict[str, Any]], at: str) -> Iterator[str]:
    for member in described.members:
        if not member.marks.deprecated:
            yield from missing(
                member.type,
                [each[member.name] for each in seen if member.name in each],
                f"{at}.{member.name}",
            )
            if seen and member.may_be_absent and all(member.name in each for each in seen):
                yield f"{at} without {member.name}"
    for value, branch in described.branches.items():
        yield from missing(
            branch, [each for each in seen if each[described.discriminator] == value], f"{at}({value})"
        )


def not_shown(rules: RuleBase, lines: Sequence[bytes]) -> list[str]:
    found: list[str] = []
    events = events_in(lines)
    for name, rule in rules.events.items():
        seen = [event for event in events if event["event"] == name]
        if not seen and not rule.marks.deprecated:
            found.append(name)
        data = [event["data"] for event in seen if "data" in event]
        if seen:
            found += missing(rule.data, data, name)
    return found


@given(st.sampled_from(RELEASES), seeds)
@examples(15)
def test_it_shows_all_that_a_release_allows(name: str, seed: int) -> None:
    spec = catalogue.find(name)
    assert not_shown(spec.rule_base, lines_of(spec, seed=seed)) == []
    assert not_shown(spec.rule_base, lines_of(spec, 1000, seed)) == []


def test_it_shows_all_that_schemas_can_say() -> None:
    assert not_shown(QAPI, lines_of(spec_of(QAPI))) == ["OLD_MANDATORY"]  # its deprecated member is a warning


def test_every_event_comes_early() -> None:
    rules = catalogue.find("11.1").rule_base
    names = {event["event"] for event in events_in(lines_of(catalogue.find("11.1"), 120))}
    assert names == rules.events.keys()


def test_what_a_document_leaves_open_is_filled_from_the_first_schema() -> None:
    [event, *_] = events_in(lines_of(catalogue.find("2.1:txt"), only=["ACPI_DEVICE_OST"]))
    assert sorted(event["data"]["info"]) == ["device", "slot", "slot-type", "source", "status"]


# Specs of one's own

LAMP = EventRule(
    Object((Member("state", Enum(("on", "off"))), Member("level", Integer("uint16"), optional=True))),
    follow_ups=(FollowUp(("BELL",), {"state": ("off",)}),),
)
BELL = EventRule(rate_limit=RateLimit())


def test_a_small_spec() -> None:
    events = events_in(lines_of(spec_of(RuleBase({"LAMP": LAMP, "BELL": BELL}))))
    assert [(event["event"], event.get("data")) for event in events] == [
        ("BELL", None),
        ("LAMP", {"state": "on", "level": 26537}),
        ("LAMP", {"state": "off", "level": 0}),
        ("BELL", None),
        ("LAMP", {"state": "on", "level": 65535}),
        ("LAMP", {"state": "off"}),
        ("BELL", None),
    ]


def test_what_cannot_be_followed_is_left_out() -> None:
    rules = RuleBase({"LAMP": LAMP, "PING": EventRule(follow_ups=(FollowUp(("PING",)),))})
    generation = Generation(spec_of(rules))
    assert {json.dumps(message.get("data", {}).get("state")) for message in generation.messages(20)} == {
        '"on"',
        "null",
    }
    assert generation.left_out == {
        "LAMP.state=off": "BELL must follow it, and cannot",
        "PING": "PING must follow it, and cannot",
    }


def test_what_is_asked_for_and_cannot_be_is_an_error() -> None:
    rules = RuleBase({"BELL": BELL, "DOOR": EventRule(follow_ups=(FollowUp(("BELL",)), FollowUp(("PING",))))})
    with pytest.raises(
        SpecError, match="none of the events can be generated: DOOR: PING must follow it, and cannot"
    ):
        Generation(spec_of(rules), only=["DOOR"])


def test_what_is_deprecated_is_left_out() -> None:
    deprecated = Marks(deprecated=True)
    members = (
        Member("old", String(), optional=True, marks=deprecated),
        Member("mode", Enum(("new", "old"), {"old": deprecated})),
    )
    rules = RuleBase({"NEW": EventRule(Object(members)), "OLD": EventRule(marks=deprecated)})
    generation = Generation(spec_of(rules))
    assert {json.dumps(event.get("data")) for event in generation.messages(20) if "event" in event} == {
        '{"mode": "new"}'
    }
    assert generation.left_out == {"OLD": "it is deprecated, which would be a warning"}
    assert events_in(lines_of(spec_of(rules), only=["OLD"]))[0]["event"] == "OLD"


@given(st.dictionaries(st.sampled_from("ABC"), rules_of_events, min_size=1), seeds)
def test_nothing_is_found_whatever_the_spec(events: dict[str, EventRule], seed: int) -> None:
    spec = spec_of(RuleBase(events))
    try:
        lines = lines_of(spec, 60, seed)
    except SpecError:
        return  # no event of it can be generated
    assert findings(spec, lines) == []


# The command


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["generate", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(
        capsys, "--spec", "8.0", "--only", "BLOCK_IO_ERROR,MEM_UNPLUG_ERROR", "--events", 1
    )
    assert status == 0
    assert len(out.splitlines()) == 2
    assert err.splitlines()[0] == "qmpcheck: generated 1 event in 1 session"
    assert "shown: 1 of 4 events" in err
    assert "also generated, because others need them: STOP, RESUME" in err
    assert "not shown: BLOCK_IO_ERROR.action: ignore" in err


def test_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "--spec", "8.0")
    assert "left out: MEM_UNPLUG_ERROR: it is deprecated, which would be a warning" in err
    assert "not shown" not in err


def test_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "stream.jsonl"
    assert run(capsys, "--spec", "7.2", "-o", file)[:2] == (0, "")
    assert main(["validate", str(file), "--spec", "7.2", "--fail-on", "warning"]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: conforms to 7.2: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "STOPP"], 'the spec has no event "STOPP" (did you mean STOP?)'),
        (["--seed", "-1"], 'expected a whole number, not "-1"'),
        (["--events", "1e3"], 'expected a whole number, not "1e3"'),
        (["--events", "0"], "--events: expected at least 1 event"),
        (["--events", "9" * 5000], "--events: expected a number of 18 digits at most"),
        (
            ["--spec", "99.1"],
            "add the release from its source tree (qmpcheck compile TREE --as 99.1 --install)",
        ),
        (["--spec", "0.1"], 'no spec is called "0.1"'),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    try:
        status = main(["generate", "--spec", "7.2", *arguments])
    except SystemExit as error:
        status = int(error.code or 0)
    assert status == 2
    assert message in capsys.readouterr().err


def test_it_does_not_overwrite_its_spec(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_bytes(rulebase.dump(QAPI))
    status, _, err = run(capsys, "--spec", path, "-o", path)
    assert (status, path.read_bytes()) == (2, rulebase.dump(QAPI))
    assert "would overwrite" in err


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_gives_the_same_bytes(hash_seed: str) -> None:
    command = [
        sys.executable,
        "-m",
        "qmpcheck",
        "generate",
        "--spec",
        "11.1",
        "--events",
        "900",
        "--seed",
        "7",
    ]
    made = subprocess.run(command, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, check=True).stdout
    assert made.splitlines() == lines_of(catalogue.find("11.1"), 900, 7)
    assert made.splitlines() != lines_of(catalogue.find("11.1"), 900, 8)


@pytest.mark.parametrize(
    ("spec", "greeting"),
    [
        ("0.12", '{"QMP": {"capabilities": []}}'),
        (
            "3.1",
            '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 1, "major": 3}, "package": ""}, "capabilities": []}}',
        ),
        (
            "7.2.22",
            '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}',
        ),
    ],
)
def test_greetings(spec: str, greeting: str) -> None:
    assert lines_of(catalogue.find(spec), 1)[0] == greeting.encode()
