"""Members of decoded events: the rules name them by paths, a decoded struct by attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, get_args

import msgspec

from qmpcheck.checking.alphabet import Alphabet
from qmpcheck.checking.decoder import TAG
from qmpcheck.checking.followup import Condition, Path, holds
from qmpcheck.checking.written import Reader, Wanted, Written

Told = tuple[Reader, Collection[Any]]
"""Tells some decoded events from others: only in them a reader finds one of the values."""


class Carrying(NamedTuple):
    """Events of one name for which a condition holds.

    Attributes:
        letter: of those that were decoded.
        told: tells those of them for which it holds; None for all.
        refused: searches for those that were not decoded.
        condition: what must hold for them.
    """

    letter: str
    told: Told | None
    refused: Wanted
    condition: Condition

    def places(self, written: Written, begin: int = 0) -> list[int]:
        """Where they stand from a place on, those that were refused last."""
        places = [*written.decoded(self.letter, begin)]
        if places and self.told:
            reader, values = self.told
            read = zip(places, written.read(self.letter, reader, begin), strict=True)
            places = [at for at, value in read if value in values]
        if written.has_refused:
            refused = written.places(self.refused, begin)
            places += (at for at in refused if holds(self.condition, written.events[at].data))
        return places


def carrying(alphabet: Alphabet, event: str, condition: Condition) -> Carrying:
    """Events of that name for which a condition holds."""
    kind, refused = alphabet.kinds.get(event), alphabet.refused({event})
    if kind is None or not all(_can_have(kind, path[0]) for path, _ in condition):
        return Carrying(alphabet.letter(""), None, refused, condition)
    told = told_by([(reader(alphabet, event, path), values) for path, values in condition], all)
    return Carrying(alphabet.letter(event), told, refused, condition)


def told_by(each: Sequence[Told], how: Callable[[Iterable[bool]], bool]) -> Told | None:
    """What tells events that several tell: `all` of them, or `any`; None where there are none."""
    if len(each) > 1:
        return (lambda event: how(read(event) in values for read, values in each)), (True,)
    return next(iter(each), None)


def together(readers: Sequence[Reader]) -> Reader | None:
    """Reads what several readers read: a tuple of it; None where there are none."""
    if len(readers) > 1:
        return lambda event: tuple(read(event) for read in readers)
    return next(iter(readers), None)


def _can_have(kind: type, member: str) -> bool:
    """Whether the data of decoded events of a class can have a member: where not, none need be read."""
    data = next(field.type for field in msgspec.structs.fields(kind) if field.name == "data")
    kinds = get_args(data) or (data,)
    return any(
        member in _fields(each) if _is_struct(each) else each is not msgspec.UnsetType for each in kinds
    )


def reader(alphabet: Alphabet, event: str, path: Path) -> Reader:
    """Reads the value at a path into the data of decoded events of that name; None where there is none.

    Always the same reader, so that what it finds need not be read again.
    """
    if (event, path) not in alphabet.readers:
        alphabet.readers[event, path] = _reader(alphabet.kinds[event], path)
    return alphabet.readers[event, path]


def _reader(kind: type, path: Path) -> Reader:
    fields = _always(kind, ("data", *path))
    if fields:
        return attrgetter(".".join(field.name for field in fields))
    return lambda event: _decoded_member(event.data, path)


def is_always_text(kind: type, path: Path) -> bool:
    """Whether a string stands at that path in all decoded events of a class."""
    fields = _always(kind, ("data", *path))
    return bool(fields) and fields[-1].type is str


def _always(kind: Any, path: Path) -> list[msgspec.structs.FieldInfo]:
    """The fields on the way; none where something on it may be absent."""
    found: list[msgspec.structs.FieldInfo] = []
    for key in path:
        fields = msgspec.structs.fields(kind) if _is_struct(kind) else ()
        field = next((each for each in fields if each.encode_name == key and each.required), None)
        if field is None:
            return []
        found.append(field)
        kind = field.type
    return found


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _decoded_member(data: Any, path: Path) -> Any:
    """The value at a path of keys in decoded data; None where there is none."""
    for key in path:
        if isinstance(data, msgspec.Struct):
            data = getattr(data, _fields(type(data)).get(key, ""), None)
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The name that each member has in a decoded struct; the discriminator of a union is no field."""
    names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    discriminator = kind.__struct_config__.tag_field
    return names | {discriminator: TAG} if discriminator else names
