"""Temporal rules that users write in TOML; `docs/rules.md` describes the language.

[[rule]]
event = "BLOCK_JOB_READY"                                  # after this event,
when = { type = "mirror" }                                 # if it carries that,
then = ["BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED"]      # one of these follows,
same = ["device"]                                          # for the same device,
within = 30                                                # within 30 seconds

A rule is checked against the spec before any stream is: one about an event or a member that the spec does not
have could never apply, and the user would take silence for success.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from qmpcheck import keypath, rulebase, toml_positions
from qmpcheck.checking.accessors import MemberPath
from qmpcheck.checking.command_info import CommandInfo, of_release
from qmpcheck.checking.session import Series
from qmpcheck.checking.temporal_rule import Condition, Pattern, TemporalRule
from qmpcheck.checking.timestamps import sent_late
from qmpcheck.keypath import as_text
from qmpcheck.rulebase import Alternate, Enum, Integer, Object, RuleBase, SpecError, resolve
from qmpcheck.streams import messages
from qmpcheck.streams.messages import MICROSECONDS
from qmpcheck.text import name, quoted, safe
from qmpcheck.wording import alternatives, did_you_mean


class InvalidRule(Exception):
    """A rule is invalid.

    Args:
        reason: what is wrong.
        keys: the keys to it in the rule's table, by which its line is found.
    """

    def __init__(self, reason: str, *keys: str) -> None:
        super().__init__(reason)
        self.keys = keys


class PatternTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An event in `then` or `until`, or a command in `until`, and a condition on its members."""

    event: str = ""
    command: str = ""
    when: dict[str, Any] = {}
    has: str | tuple[str, ...] = ()
    lacks: str | tuple[str, ...] = ()


PatternTables = str | PatternTable | tuple[str | PatternTable, ...]
"""What `then` and `until` may be: the name of an event, a table, or a list of these."""


class RuleTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One `[[rule]]` as the user wrote it."""

    name: str = ""
    event: str = ""
    command: str = ""
    when: dict[str, Any] = {}
    has: str | tuple[str, ...] = ()
    lacks: str | tuple[str, ...] = ()
    then: PatternTables = ()
    same: str | tuple[str, ...] | dict[str, str] = ()
    within: float | None = None
    kind: Literal["response", "precedence", "absence", "never"] = "response"
    until: PatternTables = ()


_EXPECTED = {
    "name": "name: expected a string",
    "event": "event: expected the name of an event",
    "command": "command: expected the name of a command",
    "when": 'when: expected a table of members and their values, such as { action = "stop" }',
    "has": "has: expected the name of a member, or a list of names",
    "lacks": "lacks: expected the name of a member, or a list of names",
    "then": "then: expected the name of an event, a table { event = …, when = … }, or a list of these",
    "same": "same: expected the name of a member, a list of names, or a table { trigger's = response's }",
    "within": "within: expected a number of seconds, 0 or more",
    "kind": f"kind: expected {alternatives([*map(quoted, ('response', 'precedence', 'absence', 'never'))])}",
    "until": "until: expected the name of an event, a table { event = …, when = … }, or a list of these",
}
"""The expected value of each key."""

_ONLY_OF = {
    "within": ("response",),
    "until": ("absence",),
    "then": ("response", "precedence", "absence"),
    "same": ("response", "precedence", "absence"),
}
"""The kinds of rules that may have a key; all kinds may have the others."""


def load(
    path: str, rule_base: RuleBase, series: Series | None = None, content: bytes | None = None
) -> list[TemporalRule]:
    """Load the rules in a file.

    Args:
        path: the file.
        rule_base: the spec whose events the rules are about.
        series: the release whose commands they are about; None allows those of all releases.
        content: the content of the file; None to read it.

    Raises:
        SpecError: the file cannot be read, or a rule is about what the spec does not have.
    """
    text, tables = toml_positions.read(path, content)
    written = tables.get("rule")
    is_list = isinstance(written, list) and written and all(isinstance(each, dict) for each in written)
    if tables.keys() != {"rule"} or not isinstance(written, list) or not is_list:
        other = next((key for key in tables if key != "rule"), "rule")
        line = toml_positions.line(text, (other,))
        raise SpecError(f"{safe(path)}:{line}: expected only [[rule]] tables")
    vocabulary = Vocabulary(rule_base.events, of_release(series), sent_late(rule_base))
    rules: list[TemporalRule] = []
    for at, each in enumerate(written):
        try:
            rule = temporal_rule(read(each, RuleTable), vocabulary)
            if rule.name and rule.name in [before.name for before in rules]:
                raise InvalidRule(f"name: another rule is called {quoted(rule.name)}", "name")
        except InvalidRule as wrong:
            line = toml_positions.line_in_item(text, "rule", at, wrong.keys)
            raise SpecError(f"{safe(path)}:{line}: {wrong}") from None
        rules.append(rule)
    return rules


def names(path: str) -> frozenset[str]:
    """Return the names of the rules in a file, without checking the rules themselves.

    Raises:
        SpecError: the file cannot be read.
    """
    written = toml_positions.read(path)[1].get("rule")
    tables = written if isinstance(written, list) else []
    return frozenset(str(each["name"]) for each in tables if isinstance(each, dict) and "name" in each)


T = TypeVar("T", bound=RuleTable)


def read(value: dict[str, Any], kind: type[T]) -> T:
    """Convert a `[[rule]]` table.

    Raises:
        InvalidRule: a key is unknown, or has an invalid value.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _reworded(str(error), kind) from None


_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_PLACE = re.compile(r" - at `\$\.(\w+)", re.DOTALL)


def _reworded(error: str, kind: type[RuleTable]) -> InvalidRule:
    """Return an error of msgspec's as one in the words of the rule language."""
    unknown = _UNKNOWN.fullmatch(error)
    if unknown:
        key, within = unknown[1], unknown[2] or ""
        known = (PatternTable if within else kind).__struct_fields__
        holder = re.match(r"\w*", within)
        what = "an event in it" if within else "a rule"
        text = f"unknown key {quoted(key)}{did_you_mean(key, known)}; {what} has the keys {', '.join(known)}"
        return InvalidRule(text, *filter(None, [holder and holder[0], key]))
    place = _PLACE.search(error)
    key = place[1] if place else ""
    return InvalidRule(_EXPECTED.get(key, safe(error)), key)


class Vocabulary(msgspec.Struct, frozen=True):
    """The events and commands that rules can be about.

    Attributes:
        events: the events of the spec, by name.
        commands: the commands of the release, by name.
        late: the names of the events that may be sent late.
    """

    events: Mapping[str, rulebase.EventRule]
    commands: Mapping[str, CommandInfo]
    late: frozenset[str]

    def data(self, pattern: Pattern) -> Object:
        """Return what the messages of a pattern may carry."""
        if pattern.is_command:
            arguments = self.commands[pattern.name].arguments
            # What such a command lists may count as a command of its name, with arguments of its own.
            is_list = pattern.name in messages.LISTS
            return msgspec.structs.replace(arguments, open=True) if is_list else arguments
        return self.events[pattern.name].data


def temporal_rule(table: RuleTable, vocabulary: Vocabulary) -> TemporalRule:
    """Return the rule that a table describes.

    Raises:
        InvalidRule: it is incomplete, contradicts itself, or is about something unknown.
    """
    _check_keys(table)
    trigger = _pattern(table, vocabulary, "")
    then = patterns(table.then, "then", vocabulary)
    until = patterns(table.until, "until", vocabulary)
    same = _same(table.same)
    for mine, theirs in same:
        _types_at(mine, trigger, vocabulary, "same")
        for each in then:
            _types_at(theirs, each, vocabulary, "same")
    return TemporalRule(
        text=_text(table.kind, trigger, then, same, until),
        trigger=trigger,
        then=then,
        kind=table.kind,
        same=same,
        within=None if table.within is None else round(table.within * MICROSECONDS),
        is_limited=not trigger.is_command and trigger.name in vocabulary.late,
        # RESET, for example, ends what a rule forbids for one device, for all devices.
        until=tuple(each for each in until if not _ends_for_every_key(each, same, vocabulary)),
        until_all=tuple(each for each in until if _ends_for_every_key(each, same, vocabulary)),
        name=table.name,
    )


def _check_keys(table: RuleTable) -> None:
    """Raise `InvalidRule` if keys are missing, or do not go together."""
    if table.event and table.command:
        raise InvalidRule("a rule has an event or a command, not both", "command")
    if not table.event and not table.command:
        raise InvalidRule("a rule needs an event or a command, which it is about", "event")
    # Options list names with commas, and take what begins with QMP for a code.
    if "," in table.name or table.name[:3].upper() == "QMP" or not table.name.isprintable():
        raise InvalidRule(
            'name: expected printable characters, no comma, and no "QMP" at the beginning', "name"
        )
    for key, kinds in _ONLY_OF.items():
        if getattr(table, key) not in ((), None) and table.kind not in kinds:
            raise InvalidRule(f'{key}: a rule of the kind "{table.kind}" has none', key)
    if table.kind != "never" and table.then in ((), ""):
        raise InvalidRule(_EXPECTED["then"], "then")
    if table.within is not None and not 0 <= table.within < _FOREVER:
        raise InvalidRule(_EXPECTED["within"], "within")
    if table.within is not None and table.command:
        raise InvalidRule("within: a command has no timestamp, so no time can be measured from it", "within")


_FOREVER = 1e9
"""Seconds that `within` must be less than: the product with a million is an exact integer."""


def patterns(written: PatternTables, key: str, vocabulary: Vocabulary) -> tuple[Pattern, ...]:
    """Return the messages that a rule names under a key, `then` or `until`.

    Raises:
        InvalidRule: one is not in the vocabulary.
    """
    found = []
    for each in written if isinstance(written, tuple) else (written,):
        response = PatternTable(each) if isinstance(each, str) else each
        # A command cannot be a response: clients send commands, not QEMU.
        if bool(response.event) == bool(response.command) or (key == "then" and response.command):
            raise InvalidRule(_EXPECTED[key], key)
        found.append(_pattern(response, vocabulary, key))
    return tuple(found)


def _pattern(written: RuleTable | PatternTable, vocabulary: Vocabulary, key: str) -> Pattern:
    """Return the pattern of a table; `key` is the table's key in its rule, "" for the rule itself."""
    if written.command:
        known = vocabulary.commands
        _expect_known(
            written.command, known, f"the release has no command {quoted(written.command)}", key or "command"
        )
    else:
        events = vocabulary.events
        _expect_known(written.event, events, f"the spec has no event {quoted(written.event)}", key or "event")
    pattern = Pattern(written.command or written.event, is_command=bool(written.command))
    return _with_condition(pattern, written, vocabulary, key)


def _expect_known(written: str, known: Mapping[str, Any], reason: str, key: str) -> None:
    if written not in known:
        raise InvalidRule(reason + did_you_mean(written, known), key)


def _with_condition(
    pattern: Pattern, table: RuleTable | PatternTable, vocabulary: Vocabulary, key: str
) -> Pattern:
    """Return the pattern with the table's condition; `key` is as in `_pattern`."""
    when = []
    for path, value in table.when.items():
        keys = (key or "when",)
        values = value if isinstance(value, list) else [value]
        types = _types_at(_path(path), pattern, vocabulary, *keys)
        if not values:
            raise InvalidRule(f"{quoted(path)}: expected at least one value", *keys)
        for each in values:
            if not any(_can_be(each, described) for described in types):
                raise InvalidRule(f"{quoted(path)} cannot be {_shown(each)}{_near_value(each, types)}", *keys)
        when.append((_path(path), tuple(values)))
    has, lacks = _paths(table.has), _paths(table.lacks)
    for own, members in (("has", has), ("lacks", lacks)):
        for member in members:
            _types_at(member, pattern, vocabulary, key or own)
    return msgspec.structs.replace(pattern, condition=Condition(tuple(when), has, lacks))


def _path(text: str) -> MemberPath:
    return tuple(keypath.names(text))


def _paths(written: str | tuple[str, ...]) -> tuple[MemberPath, ...]:
    return tuple(map(_path, (written,) if isinstance(written, str) else written))


def _same(written: str | tuple[str, ...] | dict[str, str]) -> tuple[tuple[MemberPath, MemberPath], ...]:
    if isinstance(written, dict):
        return tuple((_path(mine), _path(theirs)) for mine, theirs in written.items())
    return tuple((path, path) for path in _paths(written))


def _ends_for_every_key(
    pattern: Pattern, same: tuple[tuple[MemberPath, MemberPath], ...], vocabulary: Vocabulary
) -> bool:
    """Return whether a message lacks a member that must be the same: it ends an absence for every key."""
    try:
        for _, path in same:
            if path in pattern.condition.lacks:
                return True
            _types_at(path, pattern, vocabulary)
    except InvalidRule:
        return True
    return False


def _types_at(path: MemberPath, pattern: Pattern, vocabulary: Vocabulary, *keys: str) -> list[rulebase.Type]:
    """Return the types of the value at a path, in all branches of unions.

    Args:
        path: the path.
        pattern: the messages that must have it.
        vocabulary: what is known about them.
        keys: where the rule names the path, for an error.

    Raises:
        InvalidRule: no message of the pattern has it.
    """
    data = vocabulary.data(pattern)
    for at in range(len(path)):
        if resolve(data, path[: at + 1]):
            continue
        holders = resolve(data, path[:at])
        if any(_is_open(each.type) for each in holders):
            return [rulebase.Any()]
        known = {str(inner.path[-1]) for each in holders for inner in each.inside() if inner.is_member}
        hint = did_you_mean(path[at], sorted(known))
        what = "argument" if pattern.is_command else "member"
        raise InvalidRule(f"{name(pattern.name)} has no {what} {quoted('.'.join(path))}{hint}", *keys)
    return [each.type for each in resolve(data, path)]


def _is_open(described: rulebase.Type) -> bool:
    """Return whether a value may be an object with members that the spec does not name."""
    return isinstance(described, Object) and (
        described.open or any(map(_is_open, described.branches.values()))
    )


_SCALARS: dict[type[rulebase.Type], tuple[type, ...]] = {
    rulebase.String: (str,),
    rulebase.Boolean: (bool,),
    rulebase.Integer: (int,),
    rulebase.Number: (int, float),
    rulebase.Any: (str, bool, int, float),
}


def _can_be(value: Any, described: rulebase.Type) -> bool:
    """Return whether a member of this type may have a value from a TOML file."""
    if isinstance(described, Alternate):
        return any(_can_be(value, each) for each in described.types)
    if isinstance(described, Enum):
        return value in described.values
    if isinstance(described, Integer) and described.range and type(value) is int:
        return described.range[0] <= value <= described.range[1]
    # `type`, not `isinstance`: in Python, a bool is an int, but not in JSON.
    if type(value) not in _SCALARS.get(type(described), ()):
        return False
    return not (isinstance(value, float) and math.isnan(value))


def _near_value(value: Any, types: list[rulebase.Type]) -> str:
    known = [each for described in types if isinstance(described, Enum) for each in described.values]
    return did_you_mean(str(value), known)


# The rule in words


def _text(
    kind: str,
    trigger: Pattern,
    then: tuple[Pattern, ...],
    same: tuple[tuple[MemberPath, MemberPath], ...],
    until: tuple[Pattern, ...],
) -> str:
    equal = [as_text(mine) for mine, theirs in same if mine == theirs]
    other = [f"whose {as_text(theirs)} is its {as_text(mine)}" for mine, theirs in same if mine != theirs]
    of_the_same = [f"of the same {' and '.join(equal)}"] if equal else []
    response = " ".join(
        [alternatives([*map(pattern_text, then)]), *of_the_same, " and ".join(other)]
    ).rstrip()
    lifted = f" until {alternatives([*map(pattern_text, until)])}" if until else ""
    return _TEXTS[kind].format(trigger=pattern_text(trigger), response=response) + lifted


_TEXTS = {
    "response": "after {trigger}, {response} follows",
    "precedence": "before {trigger}, {response} comes",
    "absence": "after {trigger}, {response} does not come",
    "never": "{trigger} does not come",
}


def pattern_text(pattern: Pattern) -> str:
    """Return a pattern in words: `WATCHDOG with action "pause"`."""
    condition = pattern.condition
    parts = [f"{as_text(path)} {alternatives([*map(_shown, values)])}" for path, values in condition.when]
    parts += [as_text(path) for path in condition.has] + [f"no {as_text(path)}" for path in condition.lacks]
    return f"{name(pattern.name)} with {' and '.join(parts)}" if parts else name(pattern.name)


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else name(str(value).lower())
