"""Read members of messages: rules name them by paths, and decoded events have them as attributes.

The path is resolved once for each class of events, not once for each event.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from qmpcheck.checking.decoder import TAG
from qmpcheck.streams.messages import Command, RejectedEvent

MemberPath = tuple[str, ...]
"""The keys from an event's `data`, or from a command's `arguments`, to a member."""


class _MissingMember:
    """The value of a member that is absent; `null` is a value of its own."""

    def __repr__(self) -> str:
        return "missing"


MISSING = _MissingMember()


def data_of(message: Any) -> dict[str, Any]:
    """Return the members of an event, or the arguments of a command, as plain JSON values."""
    if isinstance(message, RejectedEvent):
        return message.data
    if isinstance(message, Command):
        return message.arguments
    data = message.data
    return {} if data is msgspec.UNSET else dict(msgspec.to_builtins(data))


def value_at(data: Any, path: MemberPath) -> Any:
    """Return the value at a path in plain JSON values; MISSING if there is none."""
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return MISSING
        data = data[key]
    return data


Accessor = Callable[[Any], Any]
"""Takes a message; returns the value of one of its members, or MISSING."""


@functools.cache
def accessor(kind: type, path: MemberPath) -> Accessor:
    """Return an accessor for messages of one class.

    Args:
        kind: the class of a decoded event; RejectedEvent or Command.
        path: the keys to the member.
    """
    if kind in (RejectedEvent, Command):
        return lambda message: value_at(data_of(message), path)
    fields = _mandatory(kind, ("data", *path))
    if fields:
        # If everything on the way is mandatory, one call in C reads it.
        return attrgetter(".".join(field.name for field in fields))
    return lambda event: _decoded_value(event.data, path)


def comparable(value: Any) -> str:
    """Return a text that is equal only for equal JSON values: in Python, `True == 1`."""
    if type(value) is str:
        return value
    # No member of an event begins with a NUL character, so other values never equal a string.
    if value is MISSING:
        return "\0"
    import json  # most values are strings

    return "\0" + json.dumps(msgspec.to_builtins(value), sort_keys=True, default=str)


def _mandatory(kind: Any, path: MemberPath) -> list[msgspec.structs.FieldInfo]:
    """Return the fields on the way to a member; [] if one of them may be absent, or is no field."""
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


def _decoded_value(data: Any, path: MemberPath) -> Any:
    for key in path:
        if isinstance(data, msgspec.Struct):
            data = getattr(data, _attributes(type(data)).get(key, ""), MISSING)
        else:
            data = data.get(key, MISSING) if isinstance(data, dict) else MISSING
    return MISSING if data is msgspec.UNSET else data


@functools.cache
def _attributes(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the attribute of each member in a decoded object; a union's discriminator is no field."""
    names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    discriminator = kind.__struct_config__.tag_field
    return names | {discriminator: TAG} if discriminator else names
