"""Read what a client uses from a list of events, members and values.

A list has one item on each line; `#` begins a comment.

- `EVENT`: all of the event, also members that will be added.
- `EVENT!`: its name only.
- `EVENT.member.member`: that member with all that is in it, and no other member of the event.
- `EVENT.member=value`: that member; the client handles this value, so adding the value is safe.

An item that neither spec has must be in some release, so that one list serves all pairs of specs, and a
mistyped name is found. `?` at the end of an item says that it may be in none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from qmpcheck import keypath, rulebase
from qmpcheck.drift.client_usage import ClientUsage, UsageBuilder
from qmpcheck.rulebase import DescribedValue, RuleBase, SpecError
from qmpcheck.specs import catalogue
from qmpcheck.text import name, quoted, safe
from qmpcheck.wording import did_you_mean, first_of, near_names, plural, release_ranges_text


class Listed(NamedTuple):
    """What a client reads, and the items that only other releases have, with these releases."""

    uses: ClientUsage
    elsewhere: tuple[str, ...] = ()


class _UsageItem(NamedTuple):
    """One item of a list.

    Attributes:
        text: the item as written.
        event: the event's name.
        names: the names of the members, outermost first.
        value: the value that is handled; None for none.
        name_only: whether the client reads no member.
        may_be_missing: whether it may be in no release.
    """

    text: str
    event: str
    names: tuple[str, ...]
    value: str | None
    name_only: bool
    may_be_missing: bool


def read(text: str, specs: Sequence[RuleBase], path: str) -> Listed:
    """Read a list.

    Args:
        text: the list.
        specs: the specs that are compared.
        path: the name of the list, for errors.

    Raises:
        SpecError: items are invalid, or no release has them; the error lists all of them.
    """
    seen: dict[str, UsageBuilder] = defaultdict(_nothing)
    elsewhere: list[str] = []
    wrong: list[str] = []
    looks_right = False
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        written = line.partition("#")[0].strip()
        if written:
            looks_right = looks_right or _NAME.match(written) is not None
            try:
                elsewhere += _add(_item(written), specs, seen)
            except LookupError as error:
                wrong.append(f"{safe(path)}:{number}: {error.args[0]}")
    if wrong and not looks_right:
        raise SpecError(f"{safe(path)}: {NO_LIST}")
    if wrong:
        more = [f"and {plural(len(wrong) - _MOST_WRONG, 'line')} more"] if wrong[_MOST_WRONG:] else []
        raise SpecError("\n".join([*wrong[:_MOST_WRONG], *more, _ALL_THE_SAME]))
    return Listed({event: builder.result() for event, builder in seen.items()}, tuple(elsewhere))


NO_LIST = (
    "no recording, and no list of what a client reads: expected JSON messages, or on each line one "
    "EVENT, EVENT.member or EVENT.member=value; see 'qmpcheck diff --help'"
)

_NAME = re.compile(r"[A-Z][A-Z0-9_]+(?:$|[.!?=])|__")
"""What items of a list begin with, and lines of other texts do not."""

_MOST_WRONG = 20
"""Wrong items that are listed."""

_ALL_THE_SAME = "if the client does read an item that no release has, write ? after it"


def _nothing() -> UsageBuilder:
    """Return the builder for an event of which only the name is read."""
    builder = UsageBuilder()
    builder.values.clear()
    return builder


def _item(text: str) -> _UsageItem:
    where, equals, value = (part.strip() for part in text.removesuffix("?").partition("="))
    event, *names = keypath.names(where.removesuffix("!"))
    name_only = where.endswith("!")
    if name_only and (names or equals):
        raise LookupError(f"{name(text)}: ! means the name of an event alone, and cannot follow a member")
    return _UsageItem(text, event, tuple(names), value if equals else None, name_only, text.endswith("?"))


def is_known(text: str) -> bool:
    """Whether some release has what an item names."""
    item = _item(text)
    return any(_is_in(item, spec.rule_base) for spec in catalogue.releases())


def _add(item: _UsageItem, specs: Sequence[RuleBase], seen: dict[str, UsageBuilder]) -> Iterator[str]:
    """Add what an item names; if the specs lack it, yield the releases that have it.

    Raises:
        LookupError: no release has it.
    """
    rules = [spec.events[item.event] for spec in specs if item.event in spec.events]
    is_missing = not any(_is_in(item, spec) for spec in specs)
    # A `?` silences the error for names that no release has, but not the note about other releases.
    if is_missing and not (item.may_be_missing and not is_known(item.text)):
        yield _elsewhere(item, specs)
    if not rules:
        return
    builder = seen[item.event]
    if item.name_only:
        return
    for each in _meant(item.names, [each for rule in rules for each in rule.walk()]):
        # To reach a member, a client reads the objects around it, but of these nothing else.
        *around, path = (each.path[:end] for end in range(1, len(each.path) + 1))
        for received in (*around, path):
            builder.values.setdefault(received, set())
        builder.parts.update(around)
        # The member is only there with this value of the discriminator, so the client receives that value.
        for branch in each.branches:
            builder.values.setdefault((*branch.within, branch.tag), set()).add(branch.value)
        if item.value is None:
            builder.whole.add(path)
        else:
            builder.values[path].add(item.value)
            builder.handled.add((path, item.value))


def _elsewhere(item: _UsageItem, specs: Sequence[RuleBase]) -> str:
    """Return an item with the releases that have it: `VNC_CONNECTED.client.family (0.13 to 2.0)`.

    Raises:
        LookupError: no release has it; the error says which part is unknown.
    """
    line = catalogue.releases()
    having = [_is_in(item, spec.rule_base) for spec in line]
    if not any(having):
        raise LookupError(_unknown(item, specs, [spec.rule_base for spec in line]))
    names = [spec.name for spec in line]
    first = having.index(True)
    which = f"since {names[first]}" if all(having[first:]) else release_ranges_text(having, names)
    return f"{name(item.text)} ({which})"


def _is_in(item: _UsageItem, spec: RuleBase) -> bool:
    rule = spec.events.get(item.event)
    if rule is None:
        return False
    return any(_takes(each.type, item.value) for each in _meant(item.names, [*rule.walk()]))


def _meant(names: tuple[str, ...], described: Sequence[DescribedValue]) -> list[DescribedValue]:
    """Return the values that names lead to; or the member inside of which the spec allows anything."""
    found = [each for each in described if each.names == names]
    found = found or [
        each for each in described if _is_open(each.type) and each.names == names[: len(each.names)]
    ]
    return found or (_meant(names[1:], described) if names[:1] == ("data",) else [])  # as reports show paths


def _is_open(described: rulebase.Type) -> bool:
    return isinstance(described, rulebase.Any) or (isinstance(described, rulebase.Object) and described.open)


def _takes(described: rulebase.Type, value: str | None) -> bool:
    """Whether a member of a type may have a value; None stands for any."""
    if value is None:
        return True
    if isinstance(described, rulebase.Enum):
        return value in described.values
    return isinstance(described, rulebase.String) or _is_open(described)


def _unknown(item: _UsageItem, specs: Sequence[RuleBase], others: Sequence[RuleBase]) -> str:
    """Say which part of an item no release has, and which names are similar, preferably in the specs."""
    having = [*specs] if any(item.event in spec.events for spec in specs) else [*others]
    rules = [spec.events[item.event] for spec in having if item.event in spec.events]
    if not rules:
        known = [{event for spec in side for event in spec.events} for side in (specs, others)]
        return _no("event", item.event, known[0] if near_names(item.event, known[0]) else known[1])
    described = [each for rule in rules for each in rule.walk()]
    meant = _meant(item.names, described)
    if not meant:
        members = {".".join(each.names) for each in described}
        return f"{name(item.event)}: {_no('member', '.'.join(item.names), members)}"
    values = {value for each in meant if isinstance(each.type, rulebase.Enum) for value in each.type.values}
    member = name(".".join((item.event, *item.names)))
    has = f"; it has {first_of([*map(quoted, sorted(values))])}" if values else ""
    given = item.value or ""
    return f"{member}: {_no('value', given, values)}{'' if near_names(given, values) else has}"


def _no(what: str, given: str, known: Iterable[str]) -> str:
    hint = did_you_mean(given, sorted(filter(None, known)))
    return f"no release has the {what} {quoted(given)}{hint}"
