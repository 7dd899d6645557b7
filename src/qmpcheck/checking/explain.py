"""The slow half of the check: what exactly is wrong with a line that no decoder took."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice, repeat
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, ValidationError, validators

from qmpcheck.checking import errata, json_schema, spec_location
from qmpcheck.checking.spec_location import Deprecated, Place
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.printable import name, quoted, safe, shortened, step
from qmpcheck.rulebase import EventRule, RuleBase
from qmpcheck.streams import jsontext, messages
from qmpcheck.streams.messages import LAST_SECOND
from qmpcheck.wording import alternatives


class Explanation(NamedTuple):
    """What one line is.

    Attributes:
        message: the object that the line holds; {} where it holds none.
        findings: what is wrong with it.
    """

    message: dict[str, Any]
    findings: tuple[Diagnostic, ...]


class Explainer:
    """Explains lines against one rule base. Every finding is on line 1, the line itself."""

    def __init__(self, rule_base: RuleBase, known: tuple[errata.Erratum, ...] = ()) -> None:
        self._events = rule_base.events
        self._errata = known
        self._validator = functools.cache(self._new_validator)
        self._has_deprecated = functools.cache(self._finds_deprecated)

    def explain(self, line: bytes) -> Explanation:
        """What a line is, and everything that is wrong with it."""
        try:
            value = jsontext.parse(line)
        except jsontext.Malformed as error:
            return Explanation({}, (Diagnostic("QMP101", 1, f"not JSON: {error}"),))
        if not isinstance(value, dict):
            return Explanation({}, (Diagnostic("QMP102", 1, f"expected an object, got {_shown(value)}"),))
        if messages.is_event(value):
            return Explanation(value, tuple(self._event(value)))
        return Explanation(value, tuple(_no_event(value)))

    def _event(self, value: dict[str, Any]) -> Iterator[Diagnostic]:
        yield from _envelope(value, name(value["event"]))
        yield from self.payload(value)

    def payload(self, value: dict[str, Any]) -> Iterator[Diagnostic]:
        """What is wrong with an event, whatever else stands beside its name and its data."""
        event = name(value["event"])
        rule = self._events.get(value["event"])
        if rule is None:
            yield Diagnostic("QMP201", 1, "the spec has no such event", event, "event")
            return
        if rule.marks.deprecated:
            yield _deprecated(Deprecated("event", "the event", Place(rule.line, rule.file)), event)
        if "data" in value:
            yield from self._data(value["data"], value["event"], rule)
        elif rule.needs_data:
            members = [member.name for member in rule.data.members if not member.may_be_absent]
            lost = f", and with it {_listed(members)}" if members else ""
            text = f"data is missing{lost}"
            yield Diagnostic("QMP202", 1, text, event, "data", rule.line, spec_file=rule.file)

    def _data(self, data: Any, event: str, rule: EventRule) -> Iterator[Diagnostic]:
        for error in self._validator(event).iter_errors(data):
            yield errata.noted(_finding(error, name(event), rule, data), error.instance, self._errata)
        if self._has_deprecated(event):
            for found in spec_location.deprecated(rule, data):
                yield _deprecated(found, name(event))

    def _finds_deprecated(self, event: str) -> bool:
        return spec_location.has_deprecated(self._events[event].data)

    def _new_validator(self, event: str) -> Any:
        return _Validator(json_schema.of_type(self._events[event].data))


def _no_event(value: dict[str, Any]) -> Iterator[Diagnostic]:
    if "event" in value:
        text = f"an event's name is a string, got {_shown(value['event'])}"
        yield Diagnostic("QMP103", 1, text, path="event")
    elif not messages.is_other(value):
        keys = ", ".join(quoted(key) for key in list(value)[:5]) or "no keys"
        yield Diagnostic("QMP103", 1, f"neither event, greeting, reply nor command: an object with {keys}")


def _envelope(value: dict[str, Any], event: str) -> Iterator[Diagnostic]:
    for path, fault in _timestamp_faults(value):
        yield Diagnostic("QMP104", 1, f"bad timestamp: {fault}", event, path)
    for key in value:
        if key not in ("event", "data", "timestamp"):
            text = f"an event has the keys event, data and timestamp, not {quoted(key)}"
            yield Diagnostic("QMP105", 1, text, event, step("", key))


def _timestamp_faults(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each fault of a timestamp: its path, and what it is."""
    value = event.get("timestamp")
    if not isinstance(value, dict):
        got = f"expected an object, got {_shown(value)}" if "timestamp" in event else "it is missing"
        yield "timestamp", got
        return
    for key in ("seconds", "microseconds"):
        part: Any = value.get(key)
        if key not in value:
            yield f"timestamp.{key}", f"{key} is missing"
        elif not _is_integer(part):
            yield f"timestamp.{key}", f"expected an integer for {key}, got {_shown(part)}"
        elif key == "seconds" and abs(part) > LAST_SECOND:
            yield "timestamp.seconds", f"no clock shows {_shown(part)} seconds"
        elif key == "microseconds" and not (
            0 <= part <= _LAST_MICROSECOND or part == value.get("seconds") == -1
        ):
            yield (
                "timestamp.microseconds",
                f"expected 0 to {_LAST_MICROSECOND} microseconds, got {_shown(part)}",
            )
    for key in value:
        if key not in ("seconds", "microseconds"):
            yield step("timestamp", key), "only seconds and microseconds belong there"


_LAST_MICROSECOND = 999_999


def _is_integer(value: Any) -> bool:
    """JSON's `1.0` and `1e3` come as float, integers of thousands of digits as Decimal."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_integer(value) or isinstance(value, float)


# The walker gives each error the place; these say what is wrong there, once for each key concerned.


def _required(_: Any, names: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for missing in names:
            if missing not in instance:
                yield ValidationError("mandatory member is missing", path=[missing])


def _no_others(_: Any, __: Any, instance: Any, around: dict[str, Any]) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        known = around["properties"]
        has = f"it has {_listed(known)}" if known else "it has none"
        for key in instance:
            if key not in known:
                yield ValidationError(f"the spec has no such member here: {has}", path=[key])


def _type(validator: Any, expected: str | list[str], instance: Any, _: Any) -> Iterator[ValidationError]:
    names = [expected] if isinstance(expected, str) else expected
    if True not in map(validator.is_type, repeat(instance), names):
        wanted = alternatives([f"{_ARTICLES[each]} {each}" for each in names])
        yield ValidationError(f"expected {wanted}, got {_shown(instance)}")


def _in_range(validator: Any, bound: int, instance: Any, around: dict[str, Any]) -> Iterator[ValidationError]:
    """Each bound calls this, and tells of what lies on its side."""
    if validator.is_type(instance, "integer"):
        least, greatest = around["minimum"], around["maximum"]
        if instance < bound == least or instance > bound == greatest:
            yield ValidationError(f"expected {least} to {greatest}, got {_shown(instance)}")


def _one_of(
    validator: Any, values: list[str], instance: Any, around: dict[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(instance, around["type"]) and instance not in values:
        yield ValidationError(f"expected {_alternatives(values)}, got {_shown(instance)}")


_ARTICLES = {
    "integer": "an",
    "array": "an",
    "object": "an",
    "string": "a",
    "number": "a",
    "boolean": "a",
    "null": "a",
}

_CODES = {
    "required": "QMP202",
    "additionalProperties": "QMP203",
    "type": "QMP204",
    "enum": "QMP205",
    "minimum": "QMP205",
    "maximum": "QMP205",
}

_Validator: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "required": _required,
        "additionalProperties": _no_others,
        "type": _type,
        "enum": _one_of,
        "minimum": _in_range,
        "maximum": _in_range,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, value: _is_integer(value), "number": lambda _, value: _is_number(value)}
    ),
)


def _finding(error: ValidationError, event: str, rule: EventRule, data: Any) -> Diagnostic:
    path = functools.reduce(step, error.absolute_path, "data")
    at = spec_location.place(rule, data, error.absolute_path)
    where = f" (where {' and '.join(at.where)})" if at.where else ""
    code = _CODES[str(error.validator)]
    message, got = safe(error.message) + where, _got(code, error.instance)
    return Diagnostic(code, 1, message, event, path, at.line, spec_file=at.file, got=got)


def _got(code: str, value: Any) -> str:
    """What `Diagnostic.got` is for the value at fault."""
    if code == "QMP205":
        return _shown(value)
    return spec_location.json_type(value) if code == "QMP204" else ""


def _deprecated(found: Deprecated, event: str) -> Diagnostic:
    message = f"the spec marks {found.what} as deprecated"
    return Diagnostic("QMP206", 1, message, event, found.path, found.at.line, spec_file=found.at.file)


def _alternatives(values: Iterable[str]) -> str:
    """`"a", "b" or "c"`; of many the first."""
    return alternatives(_first(values))


def _listed(names: Iterable[str]) -> str:
    """`"a", "b", "c"`; of many the first."""
    return ", ".join(_first(names))


def _first(names: Iterable[str]) -> list[str]:
    texts = [*map(quoted, islice(names, _MOST_NAMED + 1))]
    return texts if len(texts) <= _MOST_NAMED else [*texts[:-1], "others"]


_MOST_NAMED = 12
"""Names or values that one message lists."""


def _shown(value: Any) -> str:
    """What stood there, short and safe."""
    match value:
        case str():
            return quoted(value)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case dict():
            return f"an object of {len(value)}"
        case list():
            return f"a list of {len(value)}"
        case _:
            return safe(shortened(str(value)))
