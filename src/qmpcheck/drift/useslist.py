"""What a client receives, by a list of its events, members and values.

A list has one item a line, `EVENT`, `EVENT.member.member` or `EVENT.member=value`; `#` begins a comment. An
event or a member stands for all that is in it, also for what will be added; beside a member that is named no
other is received. Where a value is named, a new one may come, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from qmpcheck import dotted, rulebase
from qmpcheck.catalogue import near_names
from qmpcheck.drift.uses import Sight, Uses
from qmpcheck.printable import name, quoted, safe, step
from qmpcheck.rulebase import RuleBase, SpecError


def read(text: str, specs: Sequence[RuleBase], path: str) -> Uses:
    """What a list names.

    Raises:
        SpecError: an event, a member or a value is in none of the specs.
    """
    seen: dict[str, Sight] = defaultdict(Sight)
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        item = line.partition("#")[0].strip()
        if item:
            try:
                _add(item, specs, seen)
            except LookupError as error:
                raise SpecError(f"{safe(path)}:{number}: {error.args[0]}") from None
    return {event: sight.seen() for event, sight in seen.items()}


class _Described(NamedTuple):
    """A member as a spec describes it.

    Attributes:
        names: those on the way to it, and its own.
        paths: of all that it is in, and its own.
        type: what it may be.
        tags: the path and the value of what tells each branch of a union that it is in.
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    type: rulebase.Type
    tags: tuple[tuple[str, str], ...] = ()


def _add(item: str, specs: Sequence[RuleBase], seen: dict[str, Sight]) -> None:
    """Add what an item means.

    Raises:
        LookupError: it means nothing in any of the specs.
    """
    where, equals, value = (part.strip() for part in item.partition("="))
    event, *names = dotted.names(where)
    rules = [spec.events[event] for spec in specs if event in spec.events]
    if not rules:
        raise LookupError(_unknown("event", event, {event for spec in specs for event in spec.events}))
    described = [
        each for rule in rules for each in _described(rule.data, _Described((), ("data",), rule.data))
    ]
    meant = _meant(names, described) or (_meant(names[1:], described) if names[:1] == ["data"] else [])
    if not meant:
        member = ".".join(names)
        raise LookupError(
            f"{event}: {_unknown('member', member, {'.'.join(each.names) for each in described})}"
        )
    if equals:
        _expect_value(value, meant)
    for each in meant:
        for path in each.paths:
            seen[event].values.setdefault(path, set())
        seen[event].parts.update(each.paths[:-1])
        for path, tag in each.tags:
            seen[event].values.setdefault(path, set()).add(tag)
        if equals:
            seen[event].values[each.paths[-1]].add(value)
        else:
            seen[event].whole.add(each.paths[-1])


def _meant(names: Sequence[str], described: Sequence[_Described]) -> list[_Described]:
    """What names lead to; where a spec leaves open what is inside a member, that member."""
    path = tuple(names)
    found = [each for each in described if each.names == path]
    return found or [
        each for each in described if _is_open(each.type) and each.names == path[: len(each.names)]
    ]


def _is_open(described: rulebase.Type) -> bool:
    return isinstance(described, rulebase.Any) or (isinstance(described, rulebase.Object) and described.open)


def _expect_value(value: str, meant: Sequence[_Described]) -> None:
    if not any(
        isinstance(each.type, rulebase.String | rulebase.Any) or _is_open(each.type) for each in meant
    ):
        values = {
            value for each in meant if isinstance(each.type, rulebase.Enum) for value in each.type.values
        }
        if value not in values:
            raise LookupError(_unknown("value", value, values))


def _unknown(what: str, given: str, known: Iterable[str]) -> str:
    near = near_names(given, sorted(filter(None, known)))
    hint = f" (near: {', '.join(map(name, near))})" if near else ""
    return f"neither spec has the {what} {quoted(given)}{hint}"


def _described(holder: rulebase.Type, at: _Described) -> Iterator[_Described]:
    """What stands at a place of a type, and everything in it."""
    yield at._replace(type=holder)
    match holder:
        case rulebase.Object():
            yield from _members(holder, at)
        case rulebase.Array(items):
            yield from _described(items, at._replace(paths=(*at.paths, f"{at.paths[-1]}[]")))
        case rulebase.Alternate(types):
            for each in types:
                yield from _described(each, at)


def _members(holder: rulebase.Object, at: _Described) -> Iterator[_Described]:
    """The members of an object and of its branches, and everything in them."""
    for member in holder.members:
        path = step(at.paths[-1], member.name)
        inside = at._replace(names=(*at.names, member.name), paths=(*at.paths, path))
        yield from _described(member.type, inside)
    for value, branch in holder.branches.items():
        tag = step(at.paths[-1], holder.discriminator), value
        yield from _members(branch, at._replace(tags=(*at.tags, tag)))
