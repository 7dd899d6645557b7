"""Documents made from rules, written in any of the forms that the reader knows and laid out at random."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from qmpcheck.rulebase import (
    Any as Anything,
)
from qmpcheck.rulebase import (
    Array,
    Boolean,
    Enum,
    EventRule,
    FollowUp,
    Integer,
    Member,
    Null,
    Number,
    Object,
    RateLimit,
    RuleBase,
    String,
    Type,
)

EVENTS = ("LAMP_ON", "STOP", "X_FAULT", "BULB2", "DIM_A_B")
NAMES = ("state", "by", "colour", "level-2", "n_lamps", "host", "x509_name", "id")
VALUES = ("on", "off", "dim", "very-dim", "none", "a1")
WORDS = (
    "where it is now",
    "the lamp's socket",
    "as of the last switch",
    "in watts",
    "that was given (if any)",
)

NAMES_OF_TYPES: dict[type[Type], str] = {
    String: "json-string",
    Enum: "json-string",
    Integer: "json-int",
    Number: "json-number",
    Boolean: "json-bool",
    Null: "json-null",
    Array: "json-array",
    Object: "json-object",
}


class Line(NamedTuple):
    """A line, and the number of lines up to the one that its section begins with, 0 for that itself."""

    text: str
    kind: str
    below: int = 0


@st.composite
def rule_bases(draw: st.DrawFn) -> RuleBase:
    names = draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=4, unique=True))
    return RuleBase({name: _rules(draw, names) for name in names})


def _rules(draw: st.DrawFn, names: list[str]) -> EventRule:
    data = Object(tuple(_members(draw)))
    closed = [member for member in data.members if isinstance(member.type, Enum)]
    follow_ups = []
    for _ in range(draw(st.integers(0, 2))):
        when: dict[str, tuple[str, ...]] = {}
        if closed:
            member = draw(st.sampled_from(closed))
            assert isinstance(member.type, Enum)
            when = {member.name: tuple(draw(_some(member.type.values)))}
        then = tuple(draw(_some(names)))
        option = "" if when else draw(st.sampled_from(["", "no-lamp"]))
        follow_ups.append(FollowUp(then, when, option))
    keys = [member.name for member in data.members]
    limit = RateLimit(tuple(draw(st.lists(st.sampled_from(keys), max_size=1)))) if keys else RateLimit()
    return EventRule(data, tuple(follow_ups), draw(st.sampled_from([None, limit])))


def _some(of: Any) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(list(of)), min_size=1, max_size=2, unique=True)


def _members(draw: st.DrawFn, deep: int = 0) -> list[Member]:
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3, min_size=1 if deep else 0, unique=True))
    return [Member(name, _types(draw, deep), draw(st.booleans())) for name in names]


def _types(draw: st.DrawFn, deep: int) -> Type:
    flat: list[Any] = [String(), Integer(), Number(), Boolean(), Null(), Array(Anything()), Array(String())]
    kind = draw(st.integers(0, 9))
    if kind < 3:
        values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True))
        return Enum(tuple(values))
    if kind == 3 and deep < 2:
        return Object(tuple(_members(draw, deep + 1)))
    if kind == 4 and deep < 2:
        return Array(Object(tuple(_members(draw, deep + 1))))
    described: Type = draw(st.sampled_from(flat))
    return described


@st.composite
def documents(draw: st.DrawFn, rules: RuleBase) -> list[Line]:
    """The lines of a document that states these rules."""
    lines: list[Line] = []
    if draw(st.booleans()):
        lines += [Line("      Lamps", "title"), Line("      =====", "title"), Line("", "blank")]
    numbered = draw(st.booleans())
    for number, (name, rule) in enumerate(rules.events.items()):
        heading = f"{number} {name}" if numbered else name + draw(st.sampled_from(["", " (since 2.0)"]))
        lines += [Line(heading, "heading"), Line("-" * len(heading), "heading"), Line("", "blank")]
        stated = _sentences(draw, name, rule)
        lines += _description(draw, stated)
        lines += _data(draw, rule.data)
        lines += _notes(draw, stated)
        lines += [Line("Example:", "label"), Line("", "blank")] if draw(st.booleans()) else []
    return lines


def _description(draw: st.DrawFn, stated: list[str]) -> list[Line]:
    """Words, and the sentences about events over time that the notes leave to it."""
    lines = [
        Line(draw(st.sampled_from(["Description: a switch.", "Emitted when a lamp is switched."])), "prose")
    ]
    if draw(st.booleans()) and stated:
        wrapped = _wrapped(draw, stated.pop(0))
        lines += [Line(text, "sentence", at) for at, text in enumerate(wrapped)]
    return [*lines, Line("", "blank")]


def _data(draw: st.DrawFn, data: Object) -> list[Line]:
    if not data.members:
        return [
            Line(draw(st.sampled_from(["Data: None.", "Data: none", "data: None"])), "data"),
            Line("", "blank"),
        ]
    bullet, quote = draw(st.sampled_from(["-", "*"])), draw(st.sampled_from(['"', "'", "`", ""]))
    members = _written(draw, data.members, draw(st.sampled_from(["", "  "])), bullet, quote)
    return [Line("Data:", "data"), Line("", "blank"), *members, Line("", "blank")]


def _written(draw: st.DrawFn, members: Any, indent: str, bullet: str, quote: str) -> list[Line]:
    lines: list[Line] = []
    for member in members:
        lines += _member(draw, member, indent, bullet, quote)
        described = member.type.items if isinstance(member.type, Array) else member.type
        if isinstance(described, Object):
            deeper = indent + draw(st.sampled_from(["  ", "    "]))
            lines += _written(draw, described.members, deeper, bullet, quote)
    return lines


def _member(draw: st.DrawFn, member: Member, indent: str, bullet: str, quote: str) -> list[Line]:
    words, described = draw(st.sampled_from(WORDS)), member.type
    note = NAMES_OF_TYPES[type(described)]
    if described == Array(String()):
        note += " of json-string"
    optional = draw(st.sampled_from(["note", "star", "words", "sentence"])) if member.optional else ""
    values, below = "", list[str]()
    if isinstance(described, Enum):
        form = draw(st.sampled_from(["note", "inline", "lines"]))
        listed = [f'"{value}"' for value in described.values]
        if form == "note":
            note += ", " + " or ".join(listed)
        elif form == "inline":
            values = ", one of" + draw(st.sampled_from([" ", ": ", " the following: "])) + ", ".join(listed)
        else:
            values = draw(st.sampled_from([", one of the following", ", it's one of these values"]))
            below = _items(draw, described.values, indent)
    note += draw(st.sampled_from([", optional", "; optional"])) if optional == "note" else ""
    name = f"{quote}{'*' * (optional == 'star')}{member.name}{quote}"
    words += ", optional" if optional == "words" else ""
    after = ". Only present if it is known." if optional == "sentence" and not below else ""
    if optional == "sentence" and below:
        name = name.replace(member.name, f"*{member.name}")
    place = draw(st.sampled_from(["after", "before", "first"]))
    head = f"{indent}{bullet} {name}"
    if place == "before":
        text = f"{head} ({note}): {words}{values}{after}"
    elif place == "first":
        text = f"{head}: ({note}) {words}{values}{after}"
    else:
        text = f"{head}: {words}{values} ({note}){after}"
    text += ":" if below else ""
    begin = (
        len(head) + len(note) + 4 if place == "before" else len(head) + 2
    )  # the type before the colon is on its line
    wrapped = [text] if below else _wrapped(draw, text, indent + "      ", begin)
    return [
        Line(line, "member" if at == 0 else "value" if at >= len(wrapped) else "more", at)
        for at, line in enumerate([*wrapped, *below])
    ]


def _items(draw: st.DrawFn, values: tuple[str, ...], indent: str) -> list[str]:
    bullet, quote = draw(st.sampled_from(["", "- ", "* "])), draw(st.sampled_from(['"', "'", "`", ""]))
    sign = draw(st.sampled_from([": ", " = ", " - ", ":  "]))
    goes_on = draw(st.booleans())
    lines = []
    for value in values:
        lines.append(f"{indent}    {bullet}{quote}{value}{quote}{sign}{draw(st.sampled_from(WORDS))}")
        lines += [f"{indent}        and so it is"] if goes_on else []
    return lines


def _sentences(draw: st.DrawFn, name: str, rule: EventRule) -> list[str]:
    stated = [_follow_up(draw, name, follow_up) for follow_up in rule.follow_ups]
    if rule.rate_limit:
        key = "".join(f' separately for each "{each}"' for each in rule.rate_limit.key)
        subject = draw(st.sampled_from(["This event", "this event", f"The {name} event"]))
        stated.append(f"{subject} is {draw(st.sampled_from(['rate-limited', 'rate limited']))}{key}.")
    return stated


def _follow_up(draw: st.DrawFn, name: str, rule: FollowUp) -> str:
    then = " or ".join(f"a {event}" for event in rule.then) + " event"
    condition = ""
    for member, values in rule.when.items():
        subject = draw(st.sampled_from([member, f'"{member}"', f"the {member} member"]))
        listed = " or ".join(f'"{value}"' for value in values)
        condition = f"{draw(st.sampled_from(['if', 'when']))} {subject} is {listed}"
    if rule.option:
        condition = f'if the command-line option "-{rule.option}" has been specified'
    trigger = draw(st.sampled_from([f"the {name} event", "this event"]))
    will = draw(st.sampled_from(["will", "must", "will eventually"]))
    by = draw(st.booleans())
    text = f"{trigger} {will} be followed by {then}" if by else f"{then} {will} follow {trigger}"
    if condition:
        text = draw(st.sampled_from([f"{condition}, {text}", f"{text} {condition}"]))
    return text[0].upper() + text[1:] + "."


def _notes(draw: st.DrawFn, stated: list[str]) -> list[Line]:
    lines: list[Line] = []
    for sentence in stated:
        label = draw(st.sampled_from(["Note: ", "NOTE: ", "Notes: ", ".. note:: "]))
        wrapped = _wrapped(draw, label + sentence)
        lines += [Line(text, "sentence", at) for at, text in enumerate(wrapped)]
        lines += [Line("", "blank")]
    return lines


def _wrapped(draw: st.DrawFn, text: str, indent: str = "", begin: int = 12) -> list[str]:
    """The text on one line or on two, the second one indented."""
    gaps = [
        at for at, letter in enumerate(text) if letter == " " and at > begin and text[:at].count('"') % 2 == 0
    ]
    if not gaps or draw(st.booleans()):
        return [text]
    at = draw(st.sampled_from(gaps))
    if text[at + 1] in "\"'`-*({" or text[at + 1 :].startswith("Only"):
        return [text]
    return [text[:at], indent + text[at + 1 :]]


@st.composite
def schemas(draw: st.DrawFn, rules: RuleBase) -> list[Line]:
    """The lines of a schema whose events have these follow-ups and rate limits."""
    lines: list[Line] = []
    for name, rule in rules.events.items():
        members = []
        for member in rule.data.members:
            described = "str"
            if isinstance(member.type, Enum):
                described = f"{name.title().replace('_', '')}{member.name.title().replace('-', '')}"
                values = ", ".join(f"'{value}'" for value in member.type.values)
                lines.append(Line(f"{{ 'enum': '{described}', 'data': [ {values} ] }}", "definition"))
            members.append(f"'{member.name}': '{described}'")
        lines += [
            Line(text, "comment") for text in ("", "##", f"# @{name}:", "#", "# Emitted now and then.", "#")
        ]
        for sentence in _sentences(draw, name, rule):
            lines += _of_comment(draw, sentence)
        lines += [Line("# Since: 1.0", "comment"), Line("##", "comment")]
        lines.append(Line(f"{{ 'event': '{name}', 'data': {{ {', '.join(members)} }} }}", "definition"))
    return lines


def _of_comment(draw: st.DrawFn, sentence: str) -> list[Line]:
    if draw(st.booleans()):
        sentence = sentence.replace('"', "``")
    label = draw(st.sampled_from(["Note: ", ".. note:: ", ".. important:: ", ""]))
    indent = "   " if label.startswith("..") else ""
    wrapped = _wrapped(draw, label + sentence, indent)
    lines = [Line(f"# {text}", "sentence", at) for at, text in enumerate(wrapped)]
    return [*lines, Line("#", "comment")]
