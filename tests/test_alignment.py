"""Events held against what a scenario leads to: the fewest differences, in any mixture of both."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.gate.alignment import MissingEvent, differences
from qmpcheck.gate.build import Build
from qmpcheck.gate.expectations import (
    Either,
    Expectations,
    Expected,
    Repeated,
    Since,
    expected,
    maybe,
    of_build,
)
from qmpcheck.specs.catalogue import find
from qmpcheck.version import Version

STOP, RESUME, RESET, POWERDOWN = map(expected, ("STOP", "RESUME", "RESET", "POWERDOWN"))
STEPS: Expectations = (STOP, maybe(RESET), Repeated((RESUME, STOP)), Either(((POWERDOWN, RESET), (RESUME,))))


def told(steps: Expectations, events: list[str]) -> list[str]:
    found = differences(steps, [{"event": event} for event in events])
    return [
        f"-{each.expected}" if isinstance(each, MissingEvent) else f"+{each.event['event']}" for each in found
    ]


@pytest.mark.parametrize(
    ("events", "differs"),
    [
        ("STOP RESUME", []),
        ("STOP POWERDOWN RESET", []),
        ("STOP RESET RESUME", []),
        ("STOP RESUME STOP RESUME STOP RESUME", []),
        ("STOP RESUME STOP STOP RESUME", ["+STOP"]),
        ("STOP RESUME STOP", ["+STOP"]),
        ("STOP RESET POWERDOWN", ["-RESET"]),
        ("STOP RESET POWERDOWN RESET", []),
        ("STOP RESET RESET RESUME", ["+RESET"]),
        ("STOP WAKEUP RESUME", ["+WAKEUP"]),
        ("", ["-STOP", "-RESUME"]),
        ("RESUME STOP", ["-STOP", "+STOP"]),
    ],
)
def test_the_fewest_differences(events: str, differs: list[str]) -> None:
    assert told(STEPS, events.split()) == differs


def test_values_tell_events_apart() -> None:
    steps = (expected("JOB_STATUS_CHANGE", status="running"), expected("JOB_STATUS_CHANGE", status="null"))
    swapped = [{"event": "JOB_STATUS_CHANGE", "data": {"status": status}} for status in ("null", "running")]
    assert len(differences(steps, swapped)) == 2
    assert differences(steps, swapped[::-1]) == []


def test_thousands_of_events_take_no_longer_than_hundreds() -> None:
    assert len(told(STEPS, ["RESET"] * 20_000)) == 20_000


STEPS_OF_ANY_KIND = st.recursive(
    st.sampled_from([STOP, RESUME, RESET]),
    lambda step: st.one_of(
        st.lists(step, min_size=1, max_size=3).map(lambda steps: Repeated(tuple(steps))),
        st.lists(st.lists(step, max_size=3).map(tuple), min_size=1, max_size=3).map(
            lambda ways: Either(tuple(ways))
        ),
    ),
    max_leaves=6,
)


def walk(steps: Expectations, by: random.Random) -> list[str]:
    """The events of one way through steps."""
    events: list[str] = []
    for step in steps:
        match step:
            case Expected(event):
                events.append(event)
            case Either(ways):
                events += walk(by.choice(ways), by)
            case Repeated(again):
                for _ in range(by.randint(0, 3)):
                    events += walk(again, by)
    return events


@given(st.lists(STEPS_OF_ANY_KIND, max_size=4).map(tuple), st.randoms(use_true_random=False))
def test_no_way_through_the_steps_differs(steps: Expectations, by: random.Random) -> None:
    assert told(steps, walk(steps, by)) == []


@given(st.lists(STEPS_OF_ANY_KIND, max_size=4).map(tuple), st.randoms(use_true_random=False))
def test_one_event_more_or_less_is_one_difference_at_most(steps: Expectations, by: random.Random) -> None:
    events = walk(steps, by)
    at = by.randint(0, len(events))
    assert told(steps, [*events[:at], "WAKEUP", *events[at:]]) == ["+WAKEUP"]
    assert len(told(steps, events[:at] + events[at + 1 :])) <= 1


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        (Version(9, 2, 3), ["STOP"]),
        (Version(10, 0), ["STOP", "RESET"]),
        (Version(11, 1), ["STOP", "RESET"]),
    ],
)
def test_steps_of_a_release(version: Version, taken: list[str]) -> None:
    build = Build("qemu", version, find("7.2").rule_base, frozenset())
    steps = of_build(build, (Since((10, 0), (STOP, RESET), (STOP,)), expected("UNHEARD_OF")))
    assert [*map(str, steps)] == taken
