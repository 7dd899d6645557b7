"""Follow-ups and rate limits, from a release to what a binary says of itself."""

import pytest

from qmpcheck.rulebase import (
    BUILD,
    Boolean,
    Enum,
    EventRule,
    FollowUp,
    Member,
    Object,
    RateLimit,
    RuleBase,
    String,
)
from qmpcheck.specs.release_rules import with_release_rules

BINARY = RuleBase(
    {
        "X": EventRule(
            Object(
                (Member("action", Enum(("stop", "report"))), Member("id", String()), Member("ok", Boolean()))
            )
        ),
        "STOP": EventRule(),
    },
    BUILD,
)


def borrowed(rule: EventRule) -> EventRule:
    return with_release_rules(BINARY, RuleBase({"X": rule, "GONE": EventRule()})).events["X"]


@pytest.mark.parametrize(
    ("follow_up", "is_lent"),
    [
        (FollowUp(("STOP",)), True),
        (FollowUp(("STOP",), option="no-shutdown"), True),
        (FollowUp(("STOP",), {"action": ("stop",)}), True),
        (FollowUp(("STOP",), {"id": ("any",)}), True),
        (FollowUp(("GONE",)), False),
        (FollowUp(("STOP", "GONE")), False),
        (FollowUp(("STOP",), {"action": ("pause",)}), False),
        (FollowUp(("STOP",), {"action": ("stop", "pause")}), False),
        (FollowUp(("STOP",), {"gone": ("stop",)}), False),
    ],
)
def test_follow_ups(follow_up: FollowUp, is_lent: bool) -> None:
    assert borrowed(EventRule(follow_ups=(follow_up,))).follow_ups == ((follow_up,) if is_lent else ())


@pytest.mark.parametrize(
    ("rate_limit", "is_lent"),
    [
        (RateLimit(), True),
        (RateLimit(("id",)), True),
        (RateLimit(("gone",)), False),
        (RateLimit(unless={"action": ("stop",)}), True),
        (RateLimit(unless={"gone": ("stop",)}), False),
    ],
)
def test_rate_limits(rate_limit: RateLimit, is_lent: bool) -> None:
    assert borrowed(EventRule(rate_limit=rate_limit)).rate_limit == (rate_limit if is_lent else None)


def test_nothing_else_is_lent() -> None:
    rule = EventRule(Object(open=True), (FollowUp(("STOP",), line=3),), RateLimit(line=4), line=1)
    asked = BINARY.events["X"]
    assert borrowed(rule) == EventRule(asked.data, (FollowUp(("STOP",)),), RateLimit())
    assert with_release_rules(BINARY, RuleBase({})) == BINARY
