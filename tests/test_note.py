"""What the sentences of notes say."""

import pytest

from qmpcheck.rulebase import EventRule, FollowUp, RateLimit
from qmpcheck.specs import documents
from qmpcheck.specs.documents.note import Context, bears_on_rules

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
        # In other words.
        ("A Y1 event will follow.", [FollowUp(("Y1",), line=LINE)]),
        ("Y1 follows X1.", [FollowUp(("Y1",), line=LINE)]),
        ("This event is always followed by a Y1 or a Z1 event.", [FollowUp(("Y1", "Z1"), line=LINE)]),
        ('When a is "p", a Y1 event must follow this event.', [FollowUp(("Y1",), {"a": ("p",)}, line=LINE)]),
        ('A Y1 event will follow if the a member is "p".', [FollowUp(("Y1",), {"a": ("p",)}, line=LINE)]),
        ("If @a is ``p``, then `Y1` will follow.", [FollowUp(("Y1",), {"a": ("p",)}, line=LINE)]),
        ('A Y1 event will follow the X1 event, if a is "p".', [FollowUp(("Y1",), {"a": ("p",)}, line=LINE)]),
        # Nothing follows for sure.
        ("A Y1 event never follows the X1 event.", []),
        ("A Y1 event might follow the X1 event.", []),
        ('If a is not "p", a Y1 event will follow the X1 event.', []),
        ('A Y1 event will follow the X1 event unless a is "p".', []),
        ('If a is "p", something happens and a Y1 event is emitted.', []),
        ("This event follows a Y1 event.", []),
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


FORMS = [
    "X1\n--\nEmitted at dawn. {}\nData: None.\n",
    "X1\n--\nDescription: {}\nData: None.\n",
    "X1\n--\nData: None.\n\nNote: {}\n",
    "X1\n--\nData: None.\n\nNOTE: {}\n",
    "X1\n--\nData: None.\n\nNotes:\n- {}\n",
    "X1\n--\nData: None.\n\n.. note:: {}\n",
    "X1\n--\nData: None.\n\n.. note::\n\n   {}\n",
]


@pytest.mark.parametrize("form", FORMS)
def test_sentences_count_wherever_they_are(form: str) -> None:
    line = form[: form.index("{}")].count("\n") + 1
    for sentence, stated in [
        ("This event is rate-limited.", EventRule(rate_limit=RateLimit(line=line), line=1)),
        ("A X1 event will follow.", EventRule(follow_ups=(FollowUp(("X1",), line=line),), line=1)),
    ]:
        document = documents.read(form.format(sentence))
        assert document.rule_base.events["X1"] == stated
    document = documents.read(form.format("A X1 event will trail behind this event."))
    assert document.rule_base.events["X1"] == EventRule(line=1, not_understood=(line,))
    assert [defect.code for defect in document.defects if defect.line == line] == ["QMP901"]


def test_what_is_said_of_a_value_holds_where_it_has_that_value() -> None:
    text = 'X1\n--\n- "a": one of the following (json-string):\n    "p": bright\n    "q": dark; a X1 event will follow\n'
    assert documents.read(text).rule_base.events["X1"].follow_ups == (
        FollowUp(("X1",), {"a": ("q",)}, line=5),
    )


def test_a_condition_on_a_member_that_holds_no_strings_is_no_rule() -> None:
    text = 'X1\n--\n- "a": x (json-bool)\nNote: If a is "true", a X1 event will follow.\n'
    document = documents.read(text)
    assert document.rule_base.events["X1"].follow_ups == ()
    assert "QMP917" in [defect.code for defect in document.defects]


@pytest.mark.parametrize(
    ("sentence", "bears"),
    [
        ("Emitted if the lamp is gone.", False),
        ("The lamps are as follows.", False),
        ("Emitted while the bulb is throttled, at most one watt.", False),
        ("Another X1 event.", False),
        ('Emitted if lamp is "on".', True),
        ("Emitted if @lamp is gone.", True),
        ("It comes before Y1.", True),
        ("See also the OTHER event.", True),
        ("This event is throttled.", True),
        ("Something follows.", True),
        ("It is limited to one event every 2 seconds.", True),
        ("It comes at most 10 times a second.", True),
        ("It comes no more than once in a while.", True),
        ("The lamp is lit for at least 2 seconds.", False),
    ],
)
def test_what_bears_on_rules(sentence: str, bears: bool) -> None:
    assert bears_on_rules(sentence, Context(("X1",), {"X1", "Y1"}, {"lamp"})) == bears


@pytest.mark.parametrize(
    ("description", "absent"),
    [
        ("The member lamp may be absent.", True),
        ('"lamp" is only present for a bulb.', True),
        ("The lamp field is optional.", True),
        ("Emitted if the lamp is absent.", False),
        ("The optional switch is used.", False),
    ],
)
def test_a_description_that_makes_a_member_optional_is_not_understood(description: str, absent: bool) -> None:
    document = documents.read(f'X1\n--\n\n{description}\n\nData:\n\n- "lamp": x (json-int)\n')
    assert [defect.line for defect in document.defects if defect.code == "QMP901"] == [4] * absent
