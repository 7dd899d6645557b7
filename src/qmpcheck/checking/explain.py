"""The slow half of the payload check: find out what is wrong with a line that the decoder refused.

It runs only on refused lines, so it may be slow, but it must give a finding for each rule that is broken, and
none for a line that the decoder refused needlessly. Tests compare both halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.checking import errata
from qmpcheck.finding import Finding
from qmpcheck.keypath import KeyPath, is_vendors
from qmpcheck.rulebase import (
    JSON_TYPES,
    Alternate,
    Array,
    Enum,
    Integer,
    LineNumber,
    Member,
    Object,
    RuleBase,
)
from qmpcheck.streams import jsontext, messages
from qmpcheck.streams.messages import LAST_SECOND
from qmpcheck.text import name, quoted, safe, shortened
from qmpcheck.version import LARGEST_PART, Version, is_part
from qmpcheck.wording import alternatives, plural


class Explanation(NamedTuple):
    """What a refused line has, and what is wrong with it.

    Attributes:
        message: the object on the line; {} if there is none.
        findings: what is wrong with it.
    """

    message: dict[str, Any]
    findings: tuple[Finding, ...]


class Explainer:
    """Explains lines by a rule base. The findings have the line number 1; the caller knows the line.

    Args:
        rule_base: the spec.
        known: the errata about it.
    """

    def __init__(self, rule_base: RuleBase, known: tuple[errata.Erratum, ...] = ()) -> None:
        self._events, self._known = rule_base.events, known

    def explain(self, line: bytes) -> Explanation:
        """Return the object on a line, and everything that is wrong with the line."""
        try:
            value = jsontext.parse(line)
        except jsontext.Malformed as error:
            return Explanation({}, (Finding("QMP101", 1, f"not JSON: {error}"),))
        if not isinstance(value, dict):
            return Explanation({}, (Finding("QMP102", 1, f"expected an object, got {_shown(value)}"),))
        return Explanation(value, self.explain_object(value))

    def explain_object(self, value: dict[str, Any]) -> tuple[Finding, ...]:
        """Return everything that is wrong with the object on a line."""
        if not messages.is_event(value):
            return tuple(_not_an_event(value))
        return (*_envelope(value, name(value["event"])), *self.payload(value))

    def payload(self, value: dict[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the name and the data of an event."""
        event = name(value["event"])
        rule = self._events.get(value["event"])
        if rule is None and is_vendors(value["event"]):
            return  # the protocol leaves such names to downstreams: no spec can list them
        if rule is None:
            yield Finding("QMP201", 1, "unknown event; the spec has none of this name", event, ("event",))
            return
        place = _SpecPlace(rule.line, rule.file, event)
        if rule.marks.deprecated:
            yield place.finding("QMP206", "the spec marks the event as deprecated", ("event",))
        if "data" in value:
            # Only errata about values are noted here; those about follow-ups are excuses of temporal rules.
            for finding in _faults(rule.data, value["data"], ("data",), place):
                yield errata.with_erratum(finding, value["data"], self._known)
        elif rule.needs_data:
            members = [member.name for member in rule.data.members if not member.may_be_absent]
            lost = f"; it must have {alternatives(_first(members), 'and')}" if members else ""
            yield place.finding("QMP202", f"data is missing{lost}", ("data",))


# Around the payload


def _not_an_event(value: dict[str, Any]) -> Iterator[Finding]:
    if "event" in value:
        text = f"expected a string as the event's name, got {_shown(value['event'])}"
        yield Finding("QMP103", 1, text, path=("event",))
    elif messages.is_greeting(value):
        for path, fault in _greeting_faults(value["QMP"]):
            yield Finding("QMP107", 1, fault, path=path)
    elif not messages.is_other(value):
        keys = ", ".join(quoted(key) for key in list(value)[:5])
        got = f"an object with the key{'s' * (len(value) > 1)} {keys}" if keys else "an empty object"
        yield Finding("QMP103", 1, f"expected an event, a greeting, a reply or a command, got {got}")


def _greeting_faults(value: Any) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is wrong with the value of a greeting's key `QMP`, each with its path."""
    path: KeyPath = ("QMP",)
    for key in ("version", "qemu"):
        if isinstance(value, dict) and key not in value:
            return  # it names no version, which is no fault
        if not isinstance(value, dict):
            break
        value, path = value[key], (*path, key)
    if isinstance(value, str) and path[-1] == "qemu":
        return  # QEMU 0.12 writes the version as one string
    if not isinstance(value, dict):
        yield path, f"expected an object, got {_shown(value)}"
        return
    for key in Version._fields:
        if not is_part(value.get(key)):
            got = _shown(value[key]) if key in value else "nothing"
            yield (*path, key), f"expected an integer from 0 to {LARGEST_PART}, got {got}"


def _envelope(value: dict[str, Any], event: str) -> Iterator[Finding]:
    for path, fault in _timestamp_faults(value):
        yield Finding("QMP104", 1, fault, event, path)
    for key in value:
        if key not in ("event", "data", "timestamp"):
            text = "unknown key; an event has event, data and timestamp"
            yield Finding("QMP105", 1, text, event, (key,))


def _timestamp_faults(event: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is wrong with the timestamp of an event, each with its path."""
    value = event.get("timestamp")
    if not isinstance(value, dict):
        wanted = "an object with seconds and microseconds"
        got = _shown(value) if "timestamp" in event else "none"
        yield ("timestamp",), f"expected {wanted} as the timestamp, got {got}"
        return
    for key in ("seconds", "microseconds"):
        part: Any = value.get(key)
        if key not in value:
            yield ("timestamp", key), f"the timestamp lacks {key}"
        elif not _is_integer(part):
            yield ("timestamp", key), f"expected an integer as {key}, got {_shown(part)}"
        elif key == "seconds" and abs(part) > LAST_SECOND:
            yield (
                ("timestamp", "seconds"),
                f"expected at most {LAST_SECOND} seconds before or after 1970, got {_shown(part)}",
            )
        elif key == "microseconds" and not (
            0 <= part <= _LAST_MICROSECOND or part == value.get("seconds") == -1
        ):
            yield (
                ("timestamp", "microseconds"),
                f"expected 0 to {_LAST_MICROSECOND} microseconds, got {_shown(part)}",
            )
    for key in value:
        if key not in ("seconds", "microseconds"):
            yield ("timestamp", key), "unknown key; a timestamp has seconds and microseconds"


_LAST_MICROSECOND = 999_999


# The payload


class _SpecPlace(msgspec.Struct, frozen=True):
    """Where the spec describes a value: what findings about the value have in common.

    Attributes:
        line, file: the line, and the file that it is in.
        event: the event, safe to print.
        where: the branches of unions that the value is in, in words.
    """

    line: LineNumber
    file: str
    event: str
    where: tuple[str, ...] = ()

    def of(self, member: Member) -> _SpecPlace:
        """Return the place of a member of the value."""
        return msgspec.structs.replace(self, line=member.line, file=member.file or self.file)

    def finding(self, code: str, text: str, path: KeyPath, got: str = "") -> Finding:
        """Return a finding about a value that the spec describes here.

        Args:
            code: the code of the finding.
            text: what is wrong.
            path: the keys and indices to the value.
            got: the value that is not allowed, or the JSON type that is wrong.
        """
        where = f" (where {' and '.join(self.where)})" if self.where else ""
        return Finding(code, 1, safe(text) + where, self.event, path, self.line, spec_file=self.file, got=got)


def _faults(described: rulebase.Type, value: Any, path: KeyPath, place: _SpecPlace) -> Iterator[Finding]:
    """Yield what is wrong with a value of a type."""
    kinds = described.types if isinstance(described, Alternate) else (described,)
    # The types of an alternate differ in their JSON types, so at most one fits.
    found = next((each for each in kinds if _is_of_kind(value, each)), None)
    match found:
        case None:
            wanted = alternatives([f"{_ARTICLES[JSON_TYPES[type(each)]]}" for each in kinds])
            text = f"expected {wanted}, got {_shown(value)}"
            yield place.finding("QMP204", text, path, _json_type(value))
        case Enum(values, marks):
            # The protocol reserves such names for downstreams; no spec can list them.
            if value not in values and is_vendors(value):
                return
            if value not in values:
                text = f"expected {alternatives(_first(values))}, got {_shown(value)}"
                yield place.finding("QMP205", text, path, _shown(value))
            elif value in marks and marks[value].deprecated:
                text = f"the spec marks the value {quoted(value)} as deprecated"
                yield place.finding("QMP206", text, path)
        case Integer() if found.range and not found.range[0] <= value <= found.range[1]:
            text = f"expected {found.range[0]} to {found.range[1]}, got {_shown(value)}"
            yield place.finding("QMP205", text, path, _shown(value))
        case Array(items):
            for index, item in enumerate(value):
                yield from _faults(items, item, (*path, index), place)
        case Object():
            yield from _object_faults(found, value, path, place)


def _object_faults(
    described: Object,
    value: dict[str, Any],
    path: KeyPath,
    place: _SpecPlace,
    above: tuple[str, ...] = (),
) -> Iterator[Finding]:
    """Yield what is wrong with an object, or with the part of it that a branch of a union describes.

    Args:
        described: the object, or the branch.
        value: all of the object.
        path: the keys to the object.
        place: where the spec describes it.
        above: the members of the union around the branch.
    """
    for member in described.members:
        at, its_place = (*path, member.name), place.of(member)
        if member.name in value:
            yield from _faults(member.type, value[member.name], at, its_place)
            if member.marks.deprecated:
                yield its_place.finding("QMP206", "the spec marks this member as deprecated", at)
        elif not member.may_be_absent:
            yield its_place.finding("QMP202", "mandatory member is missing", at)
    known = (*above, *(member.name for member in described.members))
    if described.branches:
        tag = value.get(described.discriminator)
        if tag in described.tag.values:
            # A value without a branch adds no members, and unknown ones are still errors.
            branch = described.branches.get(tag, Object(open=described.open))
            where = (*place.where, f"{name(described.discriminator)} is {quoted(tag)}")
            in_branch = msgspec.structs.replace(place, where=where)
            yield from _object_faults(branch, value, path, in_branch, known)
    elif not described.open:
        has = alternatives(_first(known), "and") if known else "none"
        for key in value:
            if key not in known and not is_vendors(key):
                yield place.finding("QMP203", f"unknown member; the spec has {has} here", (*path, key))


_KINDS: dict[type[rulebase.Type], tuple[type, ...]] = {
    rulebase.String: (str,),
    Enum: (str,),
    Integer: (int, Decimal),
    rulebase.Number: (int, Decimal, float),
    rulebase.Boolean: (bool,),
    rulebase.Null: (type(None),),
    Array: (list,),
    Object: (dict,),
}
"""The Python types of each type's values; integers of thousands of digits are Decimal."""

_ARTICLES = {
    "integer": "an integer",
    "array": "an array",
    "object": "an object",
    "string": "a string",
    "number": "a number",
    "boolean": "a boolean",
    "null": "a null",
}


def _is_of_kind(value: Any, described: rulebase.Type) -> bool:
    """Return whether a value has the JSON type of a type; all values have that of a type without one."""
    return type(described) not in _KINDS or type(value) in _KINDS[type(described)]


def _is_integer(value: Any) -> bool:
    """Return whether a value is an integer in JSON; `1.0` and `1e3` are none, and become float."""
    return type(value) in _KINDS[Integer]


def _json_type(value: Any) -> str:
    """Return the name of a value's type in JSON Schema; `integer` rather than `number`."""
    return next(JSON_TYPES[each] for each, kinds in _KINDS.items() if type(value) in kinds)


def _first(names: Iterable[str]) -> list[str]:
    """Return the first names, quoted; if there are more, the last item is `others`."""
    texts = [*map(quoted, islice(names, _MOST_NAMED + 1))]
    return texts if len(texts) <= _MOST_NAMED else [*texts[:-1], "others"]


_MOST_NAMED = 12
"""How many names or values a message lists."""


def _shown(value: Any) -> str:
    """Return a value from a stream in words, short and safe to print."""
    match value:
        case str():
            return quoted(value)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case dict():
            return f"an object of {plural(len(value), 'member')}"
        case list():
            return f"an array of {plural(len(value), 'item')}"
        case _:
            return safe(shortened(str(value)))
