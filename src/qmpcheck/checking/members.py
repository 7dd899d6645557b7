"""Members of decoded events: the rules name them by paths, a decoded struct by attributes."""

from __future__ import annotations

import functools
from operator import attrgetter
from typing import Any, NamedTuple, get_args

import msgspec

from qmpcheck.checking.decoder import TAG
from qmpcheck.checking.followup import Condition, Path, holds
from qmpcheck.checking.letters import Alphabet, Reader, Wanted, Written


class Carrying(NamedTuple):
    """Events of one name that carry certain values.

    Attributes:
        decoded: all of that name that were decoded.
        read: what must be read of them.
        refused: all of that name that were not.
        condition: what must hold for them.
    """

    decoded: Wanted
    read: list[tuple[Reader, tuple[Any, ...]]]
    refused: Wanted
    condition: Condition

    def places(self, written: Written, begin: int = 0) -> list[int]:
        """Where they stand, those that were refused last."""
        places = [*written.places(self.decoded, begin)]
        for read, values in self.read if places else ():
            places = written.having(read, values, places)
        if written.has_refused:
            refused = written.places(self.refused, begin)
            places += (at for at in refused if holds(self.condition, written.events[at].data))
        return places


def carrying(alphabet: Alphabet, event: str, condition: Condition) -> Carrying:
    """Events of that name for which a condition holds."""
    kind = alphabet.kinds.get(event)
    possible = kind is not None and all(_can_have(kind, path[0]) for path, _ in condition)
    read = [(reader(kind, path), values) for path, values in condition] if kind and possible else []
    return Carrying(alphabet.decoded(event if possible else ""), read, alphabet.refused({event}), condition)


def _can_have(kind: type, member: str) -> bool:
    """Whether the data of decoded events of a class can have a member: where not, none need be read."""
    data = next(field.type for field in msgspec.structs.fields(kind) if field.name == "data")
    kinds = get_args(data) or (data,)
    return any(
        member in _fields(each) if _is_struct(each) else each is not msgspec.UnsetType for each in kinds
    )


def reader(kind: type, path: Path) -> Reader:
    """Reads the value at a path into the data of decoded events of a class; None where there is none."""
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
