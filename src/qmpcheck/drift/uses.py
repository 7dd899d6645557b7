"""What a client receives: the events, members and values of a stream, or of a list that names them.

A list has one item a line, `EVENT`, `EVENT.member.member` or `EVENT.member=value`; `#` begins a comment. An
event or a member stands for all that is in it, also for what will be added; beside a member that is named no
other is received. Where a value is named, a new one may come, too.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from qmpcheck import dotted, rulebase
from qmpcheck.catalogue import near_names
from qmpcheck.checking.message import is_event
from qmpcheck.drift.change import Change
from qmpcheck.printable import above, name, quoted, safe, step
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.streams import jsontext
from qmpcheck.streams.blocks import blocks, lines_of
from qmpcheck.streams.source import Unreadable, opened


class Seen(NamedTuple):
    """What is received of one event.

    Attributes:
        values: the path of each member, and the strings that it is; `data` is one whether it came or not.
        whole: paths that stand for anything there, and inside.
        parts: paths of objects of which only those members are received that have paths of their own.
    """

    values: Mapping[str, frozenset[str]]
    whole: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether something stands at a path."""
        return path in self.values or self._anything(path)

    def takes_all_of(self, path: str) -> bool:
        """Whether the object at a path is received with any member that it has."""
        return (path in self.values and path not in self.parts) or self._anything(path)

    def takes(self, path: str, value: str) -> bool:
        """Whether that string stands at a path."""
        return value in self.values.get(path, ()) or self._anything(path)

    def _anything(self, path: str) -> bool:
        return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in self.whole)


class Uses(NamedTuple):
    """What is received of each event."""

    events: Mapping[str, Seen]


def touches(change: Change, uses: Uses, strict: bool = False) -> bool:
    """Whether a change concerns anything that is received.

    Args:
        change: between two specs.
        uses: what is received.
        strict: whether the client rejects members that it does not know, and so meets those it does not name.
    """
    seen = uses.events.get(change.event)
    if seen is None or change.code == "QMP502":
        return False
    if not all(seen.takes(step(each.within, each.tag), each.value) for each in change.where):
        return False
    if not change.path:
        return True
    if change.code in _OF_A_VALUE and change.value:
        return seen.takes(change.path, change.value)
    meets = seen.has if strict else seen.takes_all_of
    if change.code in _OF_THE_OBJECT and meets(above(change.path)):
        return True
    other_name = step(above(change.path), change.counterpart) if change.counterpart else change.path
    return seen.has(change.path) or seen.has(other_name)


_OF_THE_OBJECT = frozenset({"QMP505", "QMP507", "QMP517"})
"""Changes that concern an object which may lack the member."""

_OF_A_VALUE = frozenset({"QMP511", "QMP516", "QMP517", "QMP518"})
"""Changes that concern who receives one value; a new one may come to whoever has the member."""


def load(path: str, specs: Sequence[RuleBase]) -> Uses:
    """What a stream shows, or what a list says; it is a stream if a line of it begins with a brace.

    Args:
        path: the file; `-` for standard input.
        specs: those whose events a list may name.

    Raises:
        SpecError: the file cannot be read, holds no event, or names one that is in none of the specs.
    """
    try:
        with opened(path) as file:
            found = _of_file(path, chain.from_iterable(map(lines_of, blocks(file))), specs)
    except (Unreadable, ValueError) as error:
        raise error if isinstance(error, SpecError) else SpecError(f"{safe(path)}: {error}") from None
    if not found.events:
        raise SpecError(f"{safe(path)}: no event in it")
    return found


_LONGEST_LIST = 1 << 22
"""Bytes without a message in them, after which there is none to come."""

_MESSAGE = re.compile(rb"[ \t]*\{")


def _of_file(path: str, lines: Iterator[bytes], specs: Sequence[RuleBase]) -> Uses:
    head: list[bytes] = []
    left = _LONGEST_LIST
    for line in lines:
        if _MESSAGE.match(line):
            return of_stream(chain([line], lines), specs)
        head.append(line)
        left -= len(line) + 1
        if left < 0:
            raise SpecError(f"{safe(path)}: neither a stream nor a list of events")
    return of_list(b"\n".join(head).decode("utf-8", "replace"), specs, path)


# A stream.

_MOST_VALUES, _MOST_PATHS, _DEEPEST = 256, 4096, 32
"""Of one path, of one event, and levels: what goes beyond stands for anything."""

_MOST_ALIKE, _SHORT = 1 << 14, 1 << 12
"""How many payloads are known by sight, and how long in bytes one of them may be."""


class _Message(msgspec.Struct, gc=False):
    event: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


def of_stream(lines: Iterable[bytes], specs: Sequence[RuleBase]) -> Uses:
    """What the events in these lines carry; of events that no spec has, only that they came."""
    known = frozenset(event for spec in specs for event in spec.events)
    seen: dict[str, _Sight] = defaultdict(_Sight)
    alike: set[tuple[str, bytes]] = set()
    for event, data in _payloads(lines):
        if (event, data) in alike:
            continue
        if len(data) <= _SHORT:
            if len(alike) == _MOST_ALIKE:
                alike.clear()
            alike.add((event, data))
        sight = seen[event]
        if event in known:
            sight.look(_value(data), "data", 0)
    return Uses({event: sight.seen() for event, sight in seen.items()})


def _payloads(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name of each event and its data, as it is written; other lines are passed over."""
    decode = msgspec.json.Decoder(_Message).decode
    for line in lines:
        try:
            message = decode(line)
        except (msgspec.DecodeError, RecursionError):  # noqa: PERF203 -- of each line
            yield from _unusual(line)
        else:
            if message.event:
                yield message.event, bytes(message.data)


def _unusual(line: bytes) -> Iterator[tuple[str, bytes]]:
    """The same for a line that the decoder does not take."""
    if not line.lstrip().startswith(b"{"):
        return
    try:
        message = jsontext.parse(line)
    except jsontext.Malformed:
        return
    if isinstance(message, dict) and is_event(message):
        import json

        yield message["event"], json.dumps(message.get("data", {}), default=str).encode()


def _value(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return jsontext.parse(data)


_step = functools.lru_cache(_MOST_PATHS)(step)


class _Sight:
    """`Seen` while it grows."""

    def __init__(self) -> None:
        self.values: dict[str, set[str]] = {"data": set()}
        self.whole: set[str] = set()
        self.parts: set[str] = set()

    def look(self, value: Any, path: str, depth: int) -> None:
        if len(self.values) > _MOST_PATHS:
            self.whole.add("data")
            return
        strings = self.values.setdefault(path, set())
        if depth > _DEEPEST or len(strings) > _MOST_VALUES:
            self.whole.add(path)
        elif isinstance(value, dict):
            for key, each in value.items():
                self.look(each, _step(path, key), depth + 1)
        elif isinstance(value, list):
            for each in value:
                self.look(each, f"{path}[]", depth + 1)
        elif isinstance(value, str):
            strings.add(value)

    def seen(self) -> Seen:
        values = {path: frozenset(each) for path, each in self.values.items()}
        return Seen(values, frozenset(self.whole), frozenset(self.parts))


# A list.


def of_list(text: str, specs: Sequence[RuleBase], path: str) -> Uses:
    """What a list names.

    Raises:
        SpecError: an event, a member or a value is in none of the specs.
    """
    seen: dict[str, _Sight] = defaultdict(_Sight)
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        item = line.partition("#")[0].strip()
        if item:
            try:
                _add(item, specs, seen)
            except LookupError as error:
                raise SpecError(f"{safe(path)}:{number}: {error.args[0]}") from None
    return Uses({event: sight.seen() for event, sight in seen.items()})


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


def _add(item: str, specs: Sequence[RuleBase], seen: dict[str, _Sight]) -> None:
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
