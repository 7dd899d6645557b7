"""Names that vendors add, and events and members that a project declares."""

from pathlib import Path

import pytest

from qmpcheck.cli import main
from qmpcheck.keypath import is_vendors
from qmpcheck.rulebase import Any, Enum, EventRule, Integer, Member, Object, RuleBase, SpecError
from qmpcheck.specs.extra import extended


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("__com.redhat_reason", True),
        ("__org.qemu-project_A_B", True),
        ("__com.example.sub_x", True),
        ("__com_reason", False),  # no domain
        ("__com.redhat", False),
        ("__com.redhat_", False),
        ("_com.redhat_reason", False),
        ("x__com.redhat_reason", False),
        ("__.._x", False),
        ("", False),
        (None, False),
        (["__com.redhat_reason"], False),
    ],
)
def test_names_of_vendors(name: object, is_one: bool) -> None:
    assert is_vendors(name) is is_one


LAMP = EventRule(Object((Member("on", Integer()), Member("place", Object((Member("room", Integer()),))))))
RULES = RuleBase({"LAMP": LAMP, "STOP": EventRule()})


def test_events_and_members_that_are_declared() -> None:
    rules = extended(
        RULES, ["NEWS", "OTHER.a.b", "LAMP.level", "LAMP.place.bed", "STOP", "LAMP.on", "NEWS.x"]
    )
    assert rules.events["NEWS"] == EventRule(Object(open=True))
    assert rules.events["STOP"] == EventRule()
    lamp = {member.name: member for member in rules.events["LAMP"].data.members}
    assert (lamp["on"].type, lamp["level"]) == (Integer(), Member("level", Any(), optional=True))
    assert [(member.name, member.optional) for member in lamp["place"].type.members] == [  # type: ignore[union-attr]
        ("room", False),
        ("bed", True),
    ]
    inner = Object((Member("b", Any(), optional=True),))
    assert rules.events["OTHER"].data == Object((Member("a", inner, optional=True),))
    assert extended(RULES, []) is RULES


BRANCH = Object(
    (Member("t", Enum(("a",))),), discriminator="t", branches={"a": Object((Member("x", Integer()),))}
)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("", 'extra: "" is neither EVENT nor EVENT.member'),
        ("LAMP.", 'extra: "LAMP." is neither EVENT nor EVENT.member'),
        ("LAMP.on.x", 'extra: "LAMP.on.x": on is not an object'),
        ("LAMP" + ".x" * 100, f'extra: "LAMP{".x" * 18}…{".x" * 10}": more than 100 levels of members'),
        ("UNION.x", 'extra: "UNION.x": x is a member of one of its branches already'),
    ],
)
def test_what_cannot_be_declared(item: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        extended(RuleBase({"LAMP": LAMP, "UNION": EventRule(BRANCH)}), [item])
    assert str(caught.value) == message


CLOCK = '"timestamp": {"seconds": 1, "microseconds": 5}'
NEWS = f'{{{CLOCK}, "event": "DRIVER_NEWS", "data": {{"number": 3}}}}\n'
OTHER = f'{{{CLOCK}, "event": "OTHER_NEWS"}}\n'
RULE = '[[rule]]\nevent = "DRIVER_NEWS"\nthen = ["RTC_CHANGE"]\n'


def test_what_is_declared_once_is_known_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(NEWS)
    Path("own.toml").write_text(RULE)
    Path("used.txt").write_text("DRIVER_NEWS.number\nRTC_CHANGE.offset\n")
    validate = ["validate", "s.jsonl", "--spec", "2.10", "--rules", "own.toml"]
    diff = ["diff", "2.10", "2.11", "--used-by", "used.txt"]
    assert main(validate) == main(diff) == 2
    Path("qmpcheck.toml").write_text('extra = ["DRIVER_NEWS"]\n')
    assert main(validate) == main(diff) == 0
    Path("s.jsonl").write_text(NEWS + OTHER)
    capsys.readouterr()
    assert main(validate) == 1
    assert "QMP201 OTHER_NEWS event: unknown event; the spec has none of this name" in capsys.readouterr().out
    Path("qmpcheck.toml").write_text('extra = ["DRIVER_NEWS.number", "STOP."]\n')
    assert main(validate) == 2
