"""What the sentences of notes say."""

import pytest

from qmpcheck import documents
from qmpcheck.rulebase import EventRule, FollowUp, RateLimit

LINE = 4


def rule(note: str) -> EventRule:
    text = f'X1\n--\n- "a": x (json-string, "p" or "q")\nNote: {note}\n\nY1\n--\nData: None.\n\nZ1\n--\nData: None.\n'
    return documents.read(text).rule_base.events["X1"]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("A Y1 event will eventually follow the X1 event.", [FollowUp(("Y1",), line=LINE)]),
        ("a Y1 or Z1 event will follow the X1 event", [FollowUp(("Y1", "Z1"), line=LINE)]),
        (
            'If a is "p", a Y1 event will\neventually follow the X1 event.',
            [FollowUp(("Y1",), {"a": ("p",)}, line=LINE)],
        ),
        (
            'If a is "p" or "q", a Y1 event will eventually follow the X1 event.',
            [FollowUp(("Y1",), {"a": ("p", "q")}, line=LINE)],
        ),
        (
            'If a is "p", or "q" the X1 event is followed respectively by the Y1, or Z1 events.',
            [FollowUp(("Y1",), {"a": ("p",)}, line=LINE), FollowUp(("Z1",), {"a": ("q",)}, line=LINE)],
        ),
        (
            'If the command-line option "-quick" has been specified, a Y1 event will eventually follow the X1 event.',
            [FollowUp(("Y1",), option="quick", line=LINE)],
        ),
        ("This event is emitted before dawn.", []),
        ('The "bright" status is always reset by a Y1 event.', []),
        # No rule: about another event, a member or a value that is not there, a list that does not pair.
        ("A Y1 event will eventually follow the Z1 event.", []),
        ('If b is "p", a Y1 event will eventually follow the X1 event.', []),
        ('If a is "r", a Y1 event will eventually follow the X1 event.', []),
        ('If a is "p" the X1 event is followed respectively by the Y1, or Z1 events.', []),
        ("Lamps are bright.", []),
    ],
)
def test_follow_ups(note: str, expected: list[FollowUp]) -> None:
    assert list(rule(note).follow_ups) == expected


def test_rate_limits() -> None:
    assert rule("this event is rate-limited.").rate_limit == RateLimit(line=LINE)
    assert rule('this event is rate-limited separately for each "a".').rate_limit == RateLimit(("a",), LINE)
    for spared in ('a is "p" or "q"', "@a is ``p`` or ``q``"):
        stated = rule(f"This event is rate-limited, except if {spared}.").rate_limit
        assert stated == RateLimit((), LINE, {"a": ("p", "q")})


def test_each_sentence_counts_and_has_its_own_line() -> None:
    stated = rule("This event is emitted before dawn. Something unheard of.\nthis event is rate-limited.")
    assert stated.rate_limit == RateLimit(line=LINE + 1)
