"""Follow-up rules that users write, in TOML.

    [[rule]]
    event = "BLOCK_JOB_READY"                                  # after this event,
    when = { type = "mirror" }                                 # if it carries that,
    then = ["BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED"]      # one of these follows,
    same = ["device"]                                          # for the same device,
    within = 30                                                # within so many seconds

`kind` is `"response"` (as above), `"precedence"` (one of `then` came before) or `"absence"` (none of `then`
comes, or none until one of `until` does).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from qmpcheck import keypath, rulebase, tomltext
from qmpcheck.catalogue import near_names
from qmpcheck.checking.accessors import Path
from qmpcheck.checking.temporal_rule import Condition, Kind, Pattern, TemporalRule
from qmpcheck.checking.timestamps import sent_late
from qmpcheck.printable import name, quoted, safe
from qmpcheck.rulebase import Alternate, Enum, EventRule, Integer, Object, RuleBase, SpecError
from qmpcheck.streams.messages import MICROSECONDS
from qmpcheck.wording import alternatives

_KEYS = ("event", "when", "then", "same", "within", "kind", "until")


class _Wrong(Exception):
    """What is wrong, and the key it is about."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


def load(path: str, rule_base: RuleBase) -> list[TemporalRule]:
    """Read the rules of a file.

    Args:
        path: the file.
        rule_base: the spec that its events and members are those of.

    Raises:
        SpecError: the file cannot be read, or a rule is about what the spec does not have.
    """
    text, tables = tomltext.read(path)
    written = tables.get("rule")
    tabular = isinstance(written, list) and written and all(isinstance(table, dict) for table in written)
    if tables.keys() != {"rule"} or not isinstance(written, list) or not tabular:
        other = next((key for key in tables if key != "rule"), "rule")
        line = _line_of_key(text, other, 0, len(text)) or 1
        raise SpecError(f"{safe(path)}:{line}: expected [[rule]] tables and nothing else")
    return [_placed(path, text, at, rule_base, table) for at, table in enumerate(written)]


def _placed(path: str, text: str, at: int, rule_base: RuleBase, table: Any) -> TemporalRule:
    try:
        return _rule(table, rule_base)
    except _Wrong as wrong:
        raise SpecError(f"{safe(path)}:{_line(text, at, wrong.key)}: {wrong}") from None


def _line(text: str, at: int, key: str) -> int:
    """The line of a key in the table of that index; the table's own where the key is not in it."""
    heads = [match.start() for match in re.finditer(r"^[ \t]*\[\[[ \t]*rule[ \t]*\]\]", text, re.MULTILINE)]
    if at >= len(heads):
        return 1
    end = heads[at + 1] if at + 1 < len(heads) else len(text)
    return _line_of_key(text, key, heads[at], end) or text.count("\n", 0, heads[at]) + 1


def _line_of_key(text: str, key: str, begin: int, end: int) -> int | None:
    """The first line in that range that sets a key, or begins a table of its name."""
    pattern = rf"^[ \t]*(?:\[+[ \t]*(?:rule[ \t]*\.[ \t]*)?)?[\"']?{re.escape(key)}[\"']?[ \t]*[]=.]"
    found = re.compile(pattern, re.MULTILINE).search(text, begin, end)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _rule(table: Any, rule_base: RuleBase) -> TemporalRule:
    for key in table:
        if key not in _KEYS:
            raise _Wrong(key, f"unknown key {quoted(key)}; a rule has {', '.join(_KEYS)}")
    kind: Kind = table.get("kind", "response")
    if kind not in _TEXTS:
        raise _Wrong("kind", f"kind is {alternatives([*map(quoted, _TEXTS)])}")
    [event] = _events(table, "event", rule_base)[:1]
    rule = rule_base.events[event]
    then = _events(table, "then", rule_base)
    until = _events(table, "until", rule_base) if kind == "absence" and "until" in table else []
    for key, only in (("until", "absence"), ("within", "response")):
        if key in table and kind != only:
            raise _Wrong(key, f'{key} does not go with kind "{kind}"')
    same = _same(table, [event, *then], rule_base)
    condition = Condition(tuple(_conditions(table.get("when", {}), event, rule)))
    trigger = _trigger_text(event, condition)
    answer = alternatives(then) + (f" of the same {' and '.join(map('.'.join, same))}" if same else "")
    return TemporalRule(
        text=_TEXTS[kind].format(trigger=trigger, answer=answer)
        + (f" until {alternatives(until)}" if until else ""),
        trigger=Pattern(event, condition),
        then=tuple(map(Pattern, then)),
        kind=kind,
        same=tuple((path, path) for path in same),
        within=_within(table),
        is_limited=event in sent_late(rule_base),
        until=tuple(Pattern(each) for each in until if not _lacks_key(each, same, rule_base)),
        until_all=tuple(Pattern(each) for each in until if _lacks_key(each, same, rule_base)),
    )


def _lacks_key(event: str, same: tuple[Path, ...], rule_base: RuleBase) -> bool:
    """Whether an event cannot carry the members that must be the same: it lifts an absence for all then."""
    try:
        for path in same:
            _types(keypath.as_text(path), event, rule_base.events[event], "until")
    except _Wrong:
        return True
    return False


_TEXTS = {
    "response": "after {trigger}, {answer} follows",
    "precedence": "before {trigger}, {answer} comes",
    "absence": "after {trigger}, {answer} does not come",
}


def _trigger_text(event: str, when: Condition) -> str:
    conditions = [f"{'.'.join(path)} is {alternatives([*map(_shown, values)])}" for path, values in when.when]
    return f"{event} with {' and '.join(conditions)}" if conditions else event


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else name(str(value).lower())


def _events(table: dict[str, Any], key: str, rule_base: RuleBase) -> list[str]:
    value = table.get(key)
    events = [value] if isinstance(value, str) else value
    if not isinstance(events, list) or not events or (key == "event" and not isinstance(value, str)):
        raise _Wrong(key, f"{key} names {'an event' if key == 'event' else 'an event, or several in a list'}")
    for event in events:
        if not isinstance(event, str) or event not in rule_base.events:
            near = near_names(str(event), rule_base.events)
            hint = f" (near: {', '.join(near)})" if near else ""
            raise _Wrong(key, f"the spec has no event {quoted(str(event))}{hint}")
    return events


def _types(path: str, event: str, rule: EventRule, key: str) -> list[rulebase.Type]:
    """What the value at a dotted path may be, whatever else the event carries."""
    found: list[rulebase.Type] = [rule.data]
    for key_in_path in keypath.names(path):
        objects = [each for described in found for each in _objects(described)]
        members = [each.member(key_in_path) for each in objects]
        found = [member.type for member in members if member]
        if not found and any(each.open for each in objects):
            return [rulebase.Any()]
        if not found:
            raise _Wrong(key, f"{name(event)} has no member {quoted(path)}")
    return found


def _objects(described: rulebase.Type) -> Iterator[Object]:
    """The objects that a value may be, and all their branches."""
    match described:
        case Alternate(types):
            for each in types:
                yield from _objects(each)
        case Object():
            yield described
            for branch in described.branches.values():
                yield from _objects(branch)


def _conditions(when: Any, event: str, rule: EventRule) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    if not isinstance(when, dict):
        raise _Wrong("when", "when is a table of members and their values")
    for path, value in when.items():
        values = value if isinstance(value, list) else [value]
        types = _types(path, event, rule, "when")
        if not values:
            raise _Wrong("when", f"{quoted(path)} has no value to be compared with")
        for each in values:
            if not any(_can_be(each, described) for described in types):
                raise _Wrong("when", f"{quoted(path)} cannot be {_shown(each)}")
        yield tuple(keypath.names(path)), tuple(values)


_SCALARS: dict[type[rulebase.Type], tuple[type, ...]] = {
    rulebase.String: (str,),
    rulebase.Boolean: (bool,),
    rulebase.Integer: (int,),
    rulebase.Number: (int, float),
    rulebase.Any: (str, bool, int, float),
}


def _can_be(value: Any, described: rulebase.Type) -> bool:
    """Whether a member of that type may have a value that TOML can write."""
    if isinstance(described, Alternate):
        return any(_can_be(value, each) for each in described.types)
    if isinstance(described, Enum):
        return value in described.values
    if isinstance(described, Integer) and described.range and type(value) is int:
        return described.range[0] <= value <= described.range[1]
    if type(value) not in _SCALARS.get(type(described), ()):
        return False
    return not (isinstance(value, float) and math.isnan(value))


def _same(table: dict[str, Any], events: list[str], rule_base: RuleBase) -> tuple[Path, ...]:
    value = table.get("same", [])
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise _Wrong("same", "same names a member, or several in a list")
    for path in paths:
        for event in events:
            _types(path, event, rule_base.events[event], "same")
    return tuple(tuple(keypath.names(path)) for path in paths)


def _within(table: dict[str, Any]) -> int | None:
    within = table.get("within")
    if within is None:
        return None
    if isinstance(within, bool) or not isinstance(within, int | float) or not 0 <= within < _FOREVER:
        raise _Wrong("within", "within is a number of seconds")
    return round(within * MICROSECONDS)


_FOREVER = 1e9
