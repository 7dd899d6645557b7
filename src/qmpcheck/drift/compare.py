"""Compare two rule bases: find every change that a reader of events may notice, and nothing else.

If the specs are of different kinds, or one is a text, what only one of them states is no change on the wire:
it is reported as QMP517. So is a condition on the build that is added to something optional.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from qmpcheck import rulebase
from qmpcheck.drift.change import Change, ComparedPlace, SpecKinds
from qmpcheck.drift.compare_prose import follow_ups, rate_limit
from qmpcheck.keypath import ITEMS
from qmpcheck.rulebase import (
    BUILD,
    JSON_TYPES,
    NOWHERE,
    Alternate,
    Any,
    Array,
    BranchCondition,
    Enum,
    EventRule,
    Integer,
    Marks,
    Member,
    Number,
    Object,
    Place,
    RuleBase,
    String,
    Type,
)
from qmpcheck.text import name, quoted, safe
from qmpcheck.wording import type_text


def compare(old: RuleBase, new: RuleBase) -> tuple[Change, ...]:
    """Return the changes between two specs, in the order of the old one's events, then of the new ones."""
    untimed = [
        side.source == BUILD and not any(rule.follow_ups or rule.rate_limit for rule in side.events.values())
        for side in (old, new)
    ]
    return tuple(_changes(old, new, SpecKinds(old.source, new.source, any(untimed))))


def _changes(old: RuleBase, new: RuleBase, sides: SpecKinds) -> Iterator[Change]:
    gone = {event: rule for event, rule in old.events.items() if event not in new.events}
    come = {event: rule for event, rule in new.events.items() if event not in old.events}
    likely = _renames(*({event: rule.data for event, rule in side.items()} for side in (gone, come)))
    for event, rule in old.events.items():
        if event in new.events:
            yield from _event(event, rule, new.events[event], sides)
        else:
            at = ComparedPlace(event, (), (), Place(rule.line, rule.file), NOWHERE)
            # A binary lacks what it was built without, which is no change in QEMU.
            code = "QMP517" if sides.lacks(rule.marks, sides.new) else "QMP501"
            other = likely.get(event, "")
            yield at.change(code, f"event removed{_renamed('to', other)}", counterpart=other)
    for event, rule in come.items():
        at = ComparedPlace(event, (), (), NOWHERE, Place(rule.line, rule.file))
        code = "QMP517" if sides.lacks(rule.marks, sides.old) else "QMP502"
        other = likely.get(event, "")
        yield at.change(code, f"event added{_renamed('from', other)}", counterpart=other)


def _renamed(which: str, likely: str) -> str:
    return f", likely renamed {which} {name(likely)}" if likely else ""


def _event(event: str, old: EventRule, new: EventRule, sides: SpecKinds) -> Iterator[Change]:
    at = ComparedPlace(event, (), (), Place(old.line, old.file), Place(new.line, new.file))
    yield from _deprecation(old.marks, new.marks, at, "event")
    yield from _object(old.data, new.data, at._replace(path=("data",)), sides)
    yield from follow_ups(old, new, at, sides)
    yield from rate_limit(old, new, at, sides)
    if sides.differ_on_builds(old.marks, new.marks):
        yield _condition(new.marks, at, "event")


def _deprecation(old: Marks, new: Marks, at: ComparedPlace, what: str, value: str = "") -> Iterator[Change]:
    if old.deprecated != new.deprecated:
        code, text = ("QMP516", "deprecated") if new.deprecated else ("QMP518", "no longer deprecated")
        yield at.change(code, f"{what} {text}", value)


def _condition(new: Marks, at: ComparedPlace, what: str, value: str = "") -> Change:
    """Return the change of a condition on the build, for something that is optional anyway."""
    text = f"depends on the build: {safe(new.built_if)}" if new.built_if else "no longer depends on the build"
    return at.change("QMP517", f"{what} {text}", value)


def _object(old: Object, new: Object, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    # Members of such objects cannot be compared one by one: some are unknown, or selected by another member.
    if (old.open, bool(old.of), old.discriminator) != (new.open, bool(new.of), new.discriminator):
        yield from _different(old, new, at, sides)
        return
    changes = _members(old.members, new.members, at, sides)
    if not old.discriminator:
        yield from changes
        return
    for change in changes:
        yield _with_branch(change, old, new, at)
    for value in _common_values(old, new):
        branches = (old.branches.get(value, Object()), new.branches.get(value, Object()))
        where = BranchCondition(at.path, old.discriminator, value)
        yield from _object(*branches, at._replace(where=(*at.where, where)), sides)


def _with_branch(change: Change, old: Object, new: Object, at: ComparedPlace) -> Change:
    """Return a change; for a value with a branch of the union, the text names the branch's members."""
    if change.path != (*at.path, old.discriminator) or change.value in _common_values(old, new):
        return change
    branch = (old.branches | new.branches).get(change.value, Object())
    if not branch.members:
        return change
    names = ", ".join(name(member.name) for member in branch.members)
    noun = "members" if branch.members[1:] else "member"
    return msgspec.structs.replace(change, text=f"{change.text}, with the {noun} {names}")


def _common_values(old: Object, new: Object) -> Iterator[str]:
    """Return the values of the discriminator that both unions have: only their branches are compared."""
    tags = [side.member(side.discriminator) for side in (old, new)]
    known = [tag.type.values if tag and isinstance(tag.type, Enum) else () for tag in tags]
    return (value for value in known[0] if value in known[1])


def _members(
    old: Sequence[Member], new: Sequence[Member], at: ComparedPlace, sides: SpecKinds
) -> Iterator[Change]:
    before, after = ({member.name: member for member in side} for side in (old, new))
    gone = {each: member.type for each, member in before.items() if each not in after}
    come = {each: member.type for each, member in after.items() if each not in before}
    likely = _renames(gone, come)
    for each, member in before.items():
        if each in after:
            yield from _member(member, after[each], at.member(member, after[each]), sides)
        else:
            other = likely.get(each, "")
            code = "QMP504" if member.may_be_absent else "QMP503"
            code = "QMP517" if sides.lacks(member.marks, sides.new) else code
            what = "optional member" if member.may_be_absent else "member"
            text = f"{what} removed{_renamed('to', other)}"
            yield at.member(member, None).change(code, text, counterpart=other)
    for each, type in come.items():
        member = after[each]
        other = likely.get(each, "")
        code = "QMP517" if sides.lacks(member.marks, sides.old) else "QMP505"
        what = "optional member" if member.may_be_absent else "member"
        text = f"{what} added: {type_text(type)}{_renamed('from', other)}"
        yield at.member(None, member).change(code, text, counterpart=other)


def _member(old: Member, new: Member, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    yield from _deprecation(old.marks, new.marks, at, "member")
    if old.may_be_absent != new.may_be_absent:
        # A binary states its own configuration, a schema that of all builds: no change on the wire.
        by_build = old.optional == new.optional and BUILD in (sides.old, sides.new)
        code, text = ("QMP506", "became optional") if new.may_be_absent else ("QMP507", "became mandatory")
        yield at.change("QMP517" if by_build else code, text)
    yield from _type(old.type, new.type, at, sides)
    # If the member became optional or mandatory, that is reported already, and says more.
    if old.may_be_absent == new.may_be_absent and sides.differ_on_builds(old.marks, new.marks):
        yield _condition(new.marks, at, "member")


def _type(old: Type, new: Type, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    match old, new:
        case Object(), Object():
            yield from _object(old, new, at, sides)
        case Array(), Array():
            yield from _type(old.items, new.items, at._replace(path=(*at.path, ITEMS)), sides)
        case Enum(), Enum():
            yield from _values(old, new, at, sides)
        case Alternate(), Alternate() if _by_kind(old).keys() == _by_kind(new).keys():
            for kind, each in _by_kind(old).items():
                yield from _type(each, _by_kind(new)[kind], at, sides)
        case _ if _plain(old) != _plain(new):
            yield from _different(old, new, at, sides)


def _by_kind(described: Alternate) -> dict[str, Type]:
    """Return its types by their JSON types."""
    return {JSON_TYPES[type(each)]: each for each in described.types}


def _values(old: Enum, new: Enum, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    for value in old.values:
        before, after = (each.marks.get(value, rulebase.UNMARKED) for each in (old, new))
        what = f"value {quoted(value)}"
        if value in new.values:
            yield from _deprecation(before, after, at, what, value)
            if sides.differ_on_builds(before, after):
                yield _condition(after, at, what, value)
        else:
            code = "QMP517" if sides.lacks(before, sides.new) else "QMP511"
            yield at.change(code, f"{what} removed", value)
    for value in new.values:
        if value not in old.values:
            marks = new.marks.get(value, rulebase.UNMARKED)
            code = "QMP517" if sides.lacks(marks, sides.old) else "QMP510"
            yield at.change(code, f"value {quoted(value)} added", value)


def _different(old: Type, new: Type, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    texts = f"{type_text(old)} became {type_text(new)}"
    if _only_precision(old, new, sides):
        change = at.change("QMP517", f"described as {type_text(old)}, now as {type_text(new)}")
        # `diff` hides these unless asked: there are dozens for every binary, the same each time.
        yield msgspec.structs.replace(change, of_any_build=BUILD in (sides.old, sides.new))
    elif _takes_all_of(old, new):
        yield at.change("QMP509", f"type narrowed: {texts}")
    elif _takes_all_of(new, old):
        yield at.change("QMP508", f"type widened: {texts}")
    else:
        yield at.change("QMP508", f"type changed: {texts}")


def _only_precision(old: Type, new: Type, sides: SpecKinds) -> bool:
    """Whether two types may describe the same values, one more precisely than the other."""
    one_says_more = _takes_all_of(old, new) or _takes_all_of(new, old)
    if isinstance(old, Any) or isinstance(new, Any):
        return sides.differ or sides.prose
    if isinstance(old, Object) and isinstance(new, Object):
        return sides.differ or sides.prose
    if isinstance(old, String | Enum) and isinstance(new, String | Enum):
        return sides.prose
    return sides.differ and one_says_more


def _takes_all_of(wide: Type, narrow: Type) -> bool:  # noqa: PLR0911 -- a case each
    """Whether the wide type allows every value of the narrow one, as far as the types show."""
    match wide, narrow:
        case Any(), _:
            return True
        case String(), Enum() | String():
            return True
        case Number(), Integer():
            return True
        case Integer(), Integer():
            a, b = wide.range, narrow.range
            return a is None or (b is not None and a[0] <= b[0] and b[1] <= a[1])
        case Alternate(types), Alternate(others):
            return all(any(_takes_all_of(each, other) for each in types) for other in others)
        case Alternate(types), _:
            return any(_takes_all_of(each, narrow) for each in types)
        case Object(open=True, members=()), Object():
            return True
        case _:
            return _plain(wide) == _plain(narrow)


def _plain(described: Type) -> Type:  # noqa: PLR0911 -- a case each
    """Return the type as it is on the wire: without places, order, examples and references."""
    match described:
        case String():
            return String()
        case Any():
            return Any()
        case Enum(values):
            return Enum(tuple(sorted(values)))
        case Array(items):
            return Array(_plain(items))
        case Alternate(types):
            return Alternate(tuple(map(_plain, types)))
        case Object():
            branches = {value: _plain_object(branch) for value, branch in described.branches.items()}
            return msgspec.structs.replace(_plain_object(described), branches=branches)
        case _:
            return described


def _plain_object(described: Object) -> Object:
    members = [
        Member(member.name, _plain(member.type), member.may_be_absent)
        for member in sorted(described.members, key=lambda member: member.name)
    ]
    return msgspec.structs.replace(described, members=tuple(members), of="")


# Names that were likely replaced by similar ones

_NEAR = 0.6
"""How similar two names must be, from 0 to 1, for one to count as the other one renamed."""


def _renames(gone: Mapping[str, Type], come: Mapping[str, Type]) -> dict[str, str]:
    """Return the likely new or old name of each: pairs of the most similar names, whose types match."""
    near = [
        (difflib.SequenceMatcher(None, before, after).ratio(), before, after)
        for before, old in gone.items()
        for after, new in come.items()
        if _alike(old, new)
    ]
    found: dict[str, str] = {}
    # The most similar pairs first, so that a name that fits two others goes to the better one.
    for nearness, before, after in sorted(near, reverse=True):
        if nearness >= _NEAR and not found.keys() & {before, after}:
            found |= {before: after, after: before}
    return found


def _alike(old: Type, new: Type) -> bool:
    """Whether two types match, so that one may be the other under a new name."""
    # A text often gives no type, which says nothing against a renaming.
    if isinstance(old, Any) or isinstance(new, Any):
        return True
    if isinstance(old, Object) and isinstance(new, Object):
        named = [{member.name: member.type for member in side.members} for side in (old, new)]
        return named[0].keys() == named[1].keys() and all(
            _alike(type, named[1][each]) for each, type in named[0].items()
        )
    return JSON_TYPES.get(type(old)) == JSON_TYPES.get(type(new))
