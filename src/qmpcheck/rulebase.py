"""The rule base: a compiled spec, which says what each event may carry and what must follow it.

Everything here is a frozen value that reads and writes as JSON (`load`, `dump`). `line` is always the
line of the spec document that states the fact, counted from 1. If a spec has several files, `file`
is the one that `line` counts in; a member without one is in the file of the object around it.

Types are nested, and `walk` and `resolve` are the only functions that go through them: whoever adds a type
adds it to `DescribedValue.inside`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any as Json
from typing import Literal

import msgspec

from qmpcheck.keypath import ITEMS, KeyPath
from qmpcheck.text import name, quoted

LineNumber = int | None


Size = Literal["", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


Source = Literal["text", "schema", "build"]

TEXT: Source = "text"
SCHEMA: Source = "schema"
BUILD: Source = "build"
"""The kinds of specs: an event document, a QAPI schema, and what a binary says about itself."""


class Place(msgspec.Struct, frozen=True):
    """Where a spec states a fact; both empty if the spec has no lines."""

    line: LineNumber = None
    file: str = ""

    def __str__(self) -> str:
        return ":".join(map(str, filter(None, (self.file, self.line))))


NOWHERE = Place()


class Marks(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is special about an event, a member or a value.

    Attributes:
        built_if: the condition on the build's configuration under which it exists; "" for always.
        deprecated: whether clients should no longer rely on it.
        unstable: whether it may change or go without notice.
    """

    built_if: str = ""
    deprecated: bool = False
    unstable: bool = False


UNMARKED = Marks()


class _TypeBase(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="type"):
    """The base of all types. In JSON, the key `type` has the name of the type."""


class String(_TypeBase, frozen=True, tag="string"):
    """Any string; `known` has values that the spec mentions, though others are allowed."""

    known: tuple[str, ...] = ()


class Enum(_TypeBase, frozen=True, tag="enum"):
    """One of a closed set of strings.

    Attributes:
        values: the set; if it is empty, no value is allowed.
        marks: what is special about some of the values.
    """

    values: tuple[str, ...]
    marks: dict[str, Marks] = {}


class Integer(_TypeBase, frozen=True, tag="integer"):
    """A number without fraction and exponent; `size` names the type in C, or is ""."""

    size: Size = ""

    @property
    def range(self) -> tuple[int, int] | None:
        """The least and the greatest value; None if the spec gives no bounds."""
        if not self.size:
            return None
        bits = int(self.size.removeprefix("u").removeprefix("int"))
        return (0, (1 << bits) - 1) if self.size.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)


class Number(_TypeBase, frozen=True, tag="number"):
    """Any JSON number."""


class Boolean(_TypeBase, frozen=True, tag="boolean"):
    """`true` or `false`."""


class Null(_TypeBase, frozen=True, tag="null"):
    """`null`."""


class Any(_TypeBase, frozen=True, tag="any"):
    """Any value: the spec names no type, or names one (`of`) that it describes elsewhere."""

    of: str = ""


class Array(_TypeBase, frozen=True, tag="array"):
    """A list of items of one type."""

    items: Type


class Alternate(_TypeBase, frozen=True, tag="alternate"):
    """A value of any of several types, which differ in their JSON types."""

    types: tuple[Type, ...]


class Object(_TypeBase, frozen=True, tag="object"):
    """An object, perhaps a union: then the value of one member selects a branch, which adds members.

    Attributes:
        members: the members of all values.
        open: whether it may have other members, which the spec describes elsewhere or not at all.
        of: the name of the text that describes these, "" for none.
        discriminator: of a union, the name of the member that selects a branch; "" for no union.
        branches: of a union, the members that each value adds; a value without a branch adds none.
    """

    members: tuple[Member, ...] = ()
    open: bool = False
    of: str = ""
    discriminator: str = ""
    branches: dict[str, Object] = {}

    @property
    def tag(self) -> Enum:
        """The type of the discriminator: the values that select a branch."""
        member = self.member(self.discriminator)
        assert member
        assert isinstance(member.type, Enum)
        return member.type

    def member(self, name: str) -> Member | None:
        """Return the member of that name outside of branches; None if there is none."""
        return next((member for member in self.members if member.name == name), None)


Type = String | Enum | Integer | Number | Boolean | Null | Any | Array | Alternate | Object

JSON_TYPES: dict[type[Type], str] = {
    String: "string",
    Enum: "string",
    Integer: "integer",
    Number: "number",
    Boolean: "boolean",
    Null: "null",
    Array: "array",
    Object: "object",
}
"""The JSON type of each type's values, in the words of JSON Schema; the other types allow several."""


class Member(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One key of an object.

    Attributes:
        name: the key.
        type: the type of its value.
        optional: whether it may be absent.
        line, file: where the spec describes it; None and "" if the spec has no lines.
        marks: what is special about it.
    """

    name: str
    type: Type
    optional: bool = False
    line: LineNumber = None
    file: str = ""
    marks: Marks = UNMARKED

    @property
    def may_be_absent(self) -> bool:
        """Whether the object may come without it: it is optional, or some builds of QEMU do not have it."""
        return self.optional or bool(self.marks.built_if)


class FollowUp(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """After the event that has this follow-up, one of some events comes eventually.

    Attributes:
        then: these events.
        when: members of `data`, as dotted paths, and the values with which it applies; {} for any.
        option: the command-line option of QEMU without which it does not apply; "" for none.
        line: the line of the spec that states it.
    """

    then: tuple[str, ...]
    when: dict[str, tuple[str, ...]] = {}
    option: str = ""
    line: LineNumber = None


class RateLimit(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The event is sent at most once a second for each key.

    Attributes:
        key: members of `data` whose values distinguish keys.
        line: the line of the spec that states it.
        unless: members of `data`, and the values with which the event is sent at once, however often.
        known_by: where it is known from: a document, what is known about this very build, or only one of the
            two releases between which the build was made.
    """

    key: tuple[str, ...] = ()
    line: LineNumber = None
    unless: dict[str, tuple[str, ...]] = {}
    known_by: Literal["document", "build", "neighbour"] = "document"


class EventRule(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one event may carry, and what must follow it.

    Attributes:
        data: the type of its `data`; without members if it has none.
        follow_ups: what must follow it.
        rate_limit: how often it may be sent; None if the spec states no limit.
        line, file: where the spec describes it; None and "" if the spec has no lines.
        marks: what is special about it.
        not_understood: the lines about it that may state a rule, and were not understood.
    """

    data: Object = Object()
    follow_ups: tuple[FollowUp, ...] = ()
    rate_limit: RateLimit | None = None
    line: LineNumber = None
    file: str = ""
    marks: Marks = UNMARKED
    not_understood: tuple[int, ...] = ()

    def walk(self) -> Iterator[DescribedValue]:
        """Yield the event's data, and every value inside of it; paths begin with `data`."""
        return walk(self.data, ("data",), Place(self.line, self.file))

    @property
    def needs_data(self) -> bool:
        """Whether `data` itself is mandatory."""
        return bool(self.data.of) or any(not member.may_be_absent for member in self.data.members)


class RuleBase(msgspec.Struct, frozen=True, gc=False):
    """The rules of one spec.

    Attributes:
        events: the rules of each event, by name, in the order of the spec.
        source: the kind of the spec.
        not_understood: how many lines of the spec may state a rule, and were not understood.
    """

    events: dict[str, EventRule]
    source: Source = "text"
    not_understood: int = 0

    @property
    def follow_ups(self) -> int:
        """The number of follow-up rules."""
        return sum(len(rule.follow_ups) for rule in self.events.values())


class SpecError(ValueError):
    """A name is not that of a spec, or a file or a binary cannot be read as one."""


class BranchCondition(msgspec.Struct, frozen=True):
    """A branch of a union applies if in the object at the path `within`, the member `tag` has that value."""

    within: KeyPath
    tag: str
    value: str

    def __str__(self) -> str:
        return f"{name(self.tag)} is {quoted(self.value)}"


class DescribedValue(msgspec.Struct, frozen=True):
    """A value as a spec describes it.

    Attributes:
        path: the keys to it, with `ITEMS` for the items of a list.
        type: its type. An alternate is described several times: as such, and as each of its types.
        place: where the spec describes the innermost member that it is in, or else the event.
        member: that member; None outside of all members.
        branches: the branches of unions that it is in.
    """

    path: KeyPath
    type: Type
    place: Place = NOWHERE
    member: Member | None = None
    branches: tuple[BranchCondition, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the members on the way to it; not that of `data`, with which its path begins."""
        return tuple(key for key in self.path[1:] if isinstance(key, str))

    @property
    def is_member(self) -> bool:
        """Whether it is the value of a member as a whole: no item of a list, and no type of an alternate."""
        return self.member is not None and self.type is self.member.type and self.path[-1] != ITEMS

    @property
    def values(self) -> tuple[str, ...]:
        """The strings that its type names: of a closed set, or as examples."""
        match self.type:
            case Enum(values) | String(values):
                return values
            case _:
                return ()

    def inside(self) -> Iterator[DescribedValue]:
        """Yield the values one level below: members, also of branches; items; the types of an alternate."""
        match self.type:
            case Array(items):
                yield msgspec.structs.replace(self, path=(*self.path, ITEMS), type=items)
            case Alternate(types):
                yield from (msgspec.structs.replace(self, type=each) for each in types)
            case Object():
                yield from self._members(self.type)

    def _members(self, described: Object) -> Iterator[DescribedValue]:
        """Yield the members of this object or branch, and those that its own branches add."""
        for member in described.members:
            place = Place(member.line, member.file or self.place.file)
            yield msgspec.structs.replace(
                self, path=(*self.path, member.name), type=member.type, place=place, member=member
            )
        for value, branch in described.branches.items():
            condition = BranchCondition(self.path, described.discriminator, value)
            yield from msgspec.structs.replace(self, branches=(*self.branches, condition))._members(branch)


def walk(described: Type, path: KeyPath = (), place: Place = NOWHERE) -> Iterator[DescribedValue]:
    """Yield a value of a type, and every value inside, each before what is inside of it.

    Args:
        described: the type.
        path: the keys to the value.
        place: where the spec describes it.
    """
    return _walk(DescribedValue(path, described, place))


def _walk(value: DescribedValue) -> Iterator[DescribedValue]:
    yield value
    for each in value.inside():
        yield from _walk(each)


def resolve(described: Type, path: KeyPath) -> list[DescribedValue]:
    """Return the values at a path inside a value of a type; several if branches or an alternate describe it.

    Args:
        described: the type.
        path: the keys to the value, with `ITEMS` for the items of a list.
    """
    # All ways to read the path so far: of an alternate, each type may lead on.
    found = [*_choices(DescribedValue((), described))]
    for key in path:
        # The types of an alternate are in `found` themselves: what is inside of it would come twice.
        below = [
            each for holder in found if not isinstance(holder.type, Alternate) for each in holder.inside()
        ]
        found = [choice for each in below if each.path[-1] == key for choice in _choices(each)]
    return found


def _choices(value: DescribedValue) -> Iterator[DescribedValue]:
    """Yield the value, and if it is an alternate, the value as each of its types."""
    yield value
    if isinstance(value.type, Alternate):
        for each in value.inside():
            yield from _choices(each)


def load(text: bytes) -> RuleBase:
    """Return the rule base that is written in some bytes.

    Raises:
        ValueError: they are no rule base.
    """
    try:
        rule_base = msgspec.json.decode(text, type=RuleBase)
        for rule in rule_base.events.values():
            check(rule.data)
    # The file may come from the user, so it can be hostile.
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if not rule_base.events:
        raise ValueError("no event in it")
    return rule_base


DEEPEST = 100
"""How many levels of types inside of types there may be; no release has more than four.

Whatever walks through types is recursive, and Python limits how often a function may call itself.
"""

_TOO_DEEP = f"more than {DEEPEST} levels of types inside of types"


def check(described: Type, level: int = 1) -> None:
    """Check a type, and those inside of it, for what no checker could work with.

    Args:
        described: the type.
        level: how deep it is nested; 1 for the outermost type.

    Raises:
        ValueError: types are nested too deep, an object has a member twice, an alternate has types that JSON
            does not distinguish, or nothing selects a union's branch.
    """
    if level > DEEPEST:
        raise ValueError(_TOO_DEEP)
    match described:
        case Array(items):
            check(items, level + 1)
        case Alternate(types):
            _check_distinct(types)
            for each in types:
                check(each, level + 1)
        case Object():
            _check_object(described, frozenset(), level)


def _check_distinct(types: tuple[Type, ...]) -> None:
    names = [JSON_TYPES.get(type(each), "") for each in types]
    # `1` is both an integer and a number, so JSON does not distinguish these two.
    kinds = {"number" if each == "integer" else each for each in names}
    if not names or "" in kinds or len(kinds) < len(names):
        raise ValueError("an alternate of types that JSON does not distinguish")


def _check_object(described: Object, above: frozenset[str], level: int) -> None:
    """Check an object, or a branch of a union that has the members `above`."""
    if level > DEEPEST:
        raise ValueError(_TOO_DEEP)
    names = above.union(member.name for member in described.members)
    if len(names) < len(above) + len(described.members):
        raise ValueError("two members of one name in an object")
    for member in described.members:
        check(member.type, level + 1)
    if described.branches:
        # Otherwise an event could leave open which branch it has.
        tag = described.member(described.discriminator)
        if tag is None or tag.may_be_absent or not isinstance(tag.type, Enum):
            raise ValueError("a union without a mandatory enum that selects its branches")
    for branch in described.branches.values():
        _check_object(branch, names, level + 1)


def dump(rule_base: RuleBase) -> bytes:
    """Return a rule base as JSON with one event a line, so that a diff shows which events changed."""
    events: dict[str, Json] = rule_base.events
    # Each rule is encoded twice: msgspec omits a default only if it is the same object, and Python 3.10 has
    # several empty tuples. After decoding, all of them are the default.
    rules = (msgspec.json.decode(msgspec.json.encode(rule), type=EventRule) for rule in events.values())
    rows = (
        msgspec.json.encode(name) + b": " + msgspec.json.encode(rule)
        for name, rule in zip(events, rules, strict=True)
    )
    source = f'"source": "{rule_base.source}", ' if rule_base.source != TEXT else ""
    lost = f'"not_understood": {rule_base.not_understood}, ' if rule_base.not_understood else ""
    return f'{{{source}{lost}"events": {{\n'.encode() + b",\n".join(rows) + b"\n}}\n"
