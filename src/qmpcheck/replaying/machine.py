"""The machine that a client commands: which events its commands cause, by the rules about commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from qmpcheck import rulebase
from qmpcheck.checking import command_rules
from qmpcheck.checking.accessors import MISSING, MemberPath, value_at
from qmpcheck.checking.session import Series
from qmpcheck.checking.temporal_rule import Pattern, State, TemporalRule
from qmpcheck.rulebase import Alternate, Array, Boolean, Enum, Integer, Number, Object, RuleBase, String
from qmpcheck.streams.messages import Command


class Caused(NamedTuple):
    """An event that a command causes.

    Attributes:
        name: the event's.
        data: the event's; {} for none.
        is_early: whether QEMU sends it before the reply.
    """

    name: str
    data: dict[str, Any]
    is_early: bool


def rules(rule_base: RuleBase, series: Series) -> list[TemporalRule]:
    """Return the rules that say which events the commands of a release cause."""
    found = command_rules.of_release(rule_base, series, "all")
    return [rule for rule in found if rule.kind == "response" and rule.trigger.is_command]


_STATUS = {
    "STOP": "paused",
    "RESUME": "running",
    "SUSPEND": "suspended",
    "WAKEUP": "running",
    "SHUTDOWN": "shutdown",
    "GUEST_PANICKED": "guest-panicked",
}
"""The status that `query-status` reports after these events."""


class ReplayedMachine:
    """Follows the events and commands of one connection. It runs at first.

    Args:
        rule_base: the events that it can send.
        rules: which events its commands cause.

    Attributes:
        status: its status, as in `query-status`.
    """

    def __init__(self, rule_base: RuleBase, rules: Sequence[TemporalRule]) -> None:
        self.status = "running"
        self._rule_base, self._rules = rule_base, rules
        states = [state for rule in self._rules for state in (rule.during, *rule.unless) if state]
        self._held: dict[State, set[str]] = {state: set() for state in states}
        self.take_event("RESUME", {})  # states that rules are about begin with it

    def take_event(self, name: str, data: dict[str, Any]) -> None:
        """Update the state of the machine by an event that is sent."""
        self.status = _STATUS.get(name, self.status)
        self._take(name, data, is_command=False)

    def caused(self, name: str, arguments: dict[str, Any]) -> list[Caused]:
        """Return the events that a successful command causes, in their order."""
        # Two rules may promise the same event; QEMU sends it once.
        found: dict[str, Caused] = {}
        for command in Command(name, None, arguments).parts:
            for rule in self._rules:
                if self._applies(rule, command):
                    for event in self._response(rule, command):
                        found.setdefault(f"{event.name} {event.data}", event)
            self._take(command.name, command.arguments, is_command=True)
        return list(found.values())

    def _applies(self, rule: TemporalRule, command: Command) -> bool:
        if not _matches(rule.trigger, command.name, command.arguments, is_command=True):
            return False
        during = rule.during is None or self._is(rule.during, command)
        return during and not any(self._is(state, command) for state in rule.unless)

    def _is(self, state: State, trigger: Command) -> bool:
        return repr([value_at(trigger.arguments, path) for path, _ in state.same]) in self._held[state]

    def _take(self, name: str, data: dict[str, Any], is_command: bool) -> None:
        for state, held in self._held.items():
            key = [value_at(data, path) for _, path in state.same]
            if any(_matches(each, name, data, is_command) for each in state.begins):
                held.add(repr(key))
            elif any(_matches(each, name, data, is_command) for each in state.ends):
                held.clear() if MISSING in key else held.discard(repr(key))

    def _response(self, rule: TemporalRule, command: Command) -> Iterator[Caused]:
        """Yield the response that a rule names first; nothing if the command lacks what it must carry."""
        # Where a rule names several responses, the first one is the success: DEVICE_DELETED, not an error.
        response = rule.then[0]
        members: dict[MemberPath, Any] = {path: values[0] for path, values in response.condition.when}
        for mine, theirs in rule.same:
            members[theirs] = value_at(command.arguments, mine)
        if MISSING not in members.values():
            described = self._rule_base.events[response.name].data
            data = least_data(described, dict(_reasons(described, command.name)) | members)
            waits = rule.never_missing or rule.ends_with_process  # for a guest, or for work that takes time
            yield Caused(response.name, data, not waits)


def _reasons(described: Object, command: str) -> Iterator[tuple[MemberPath, str]]:
    """Yield the members that can say which command caused the event, with the value that says it.

    `quit` is the reason "host-qmp-quit" of SHUTDOWN.
    """
    end = "-" + command.replace("_", "-")
    for member in described.members:
        for value in member.type.values if isinstance(member.type, Enum) else ():
            if value.endswith(end):
                yield (member.name,), value


def _matches(pattern: Pattern, name: str, data: dict[str, Any], is_command: bool) -> bool:
    return pattern.name == name and pattern.is_command == is_command and pattern.condition.matches_data(data)


def least_data(described: Object, members: dict[MemberPath, Any]) -> dict[str, Any]:
    """Return the data of an event with these members, and otherwise only with what is mandatory."""
    data = _object(described, {path[0]: value for path, value in members.items()})
    nested: dict[str, dict[MemberPath, Any]] = defaultdict(dict)
    for path, value in members.items():
        if path[1:]:
            nested[path[0]][path[1:]] = value
        else:
            data[path[0]] = value
    for name, inner in nested.items():
        member = described.member(name)
        holder = member.type if member and isinstance(member.type, Object) else Object()
        data[name] = least_data(holder, inner)
    return data


def _object(described: Object, known: dict[str, Any]) -> dict[str, Any]:
    data = {
        member.name: known[member.name] if member.name in known else _least(member.type)
        for member in described.members
        if not member.may_be_absent or member.name in known
    }
    branch = described.branches.get(str(data.get(described.discriminator)))
    return data | (_object(branch, known) if branch else {})


def _least(described: rulebase.Type) -> Any:  # noqa: PLR0911 -- a case each
    """Return the plainest value of a type."""
    match described:
        case String(known):
            return known[0] if known else ""
        case Enum(values):
            return values[0] if values else ""
        case Integer() | Number():
            return 0
        case Boolean():
            return False
        case Array():
            return []
        case Alternate(types):
            return _least(types[0])
        case Object():
            return _object(described, {})
        case _:
            return None
