"""The messages of QMP: which kind a message is, by its keys, and what the checker keeps of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

DEEPEST = 1024
"""How many levels of nesting a message may have; QEMU itself accepts no more."""

MICROSECONDS = 1_000_000
"""Microseconds in a second."""

NO_CLOCK = {"seconds": -1, "microseconds": -1}
"""The timestamp that QEMU gives to events if the host has no clock."""

LAST_SECOND = ((1 << 63) - 1) // MICROSECONDS
"""The most seconds before or after 1970 that a timestamp can have: QEMU counts microseconds in 64 bits."""

_OTHERS = frozenset({"QMP", "return", "error", "execute", "exec-oob"})
"""The keys of all messages that are no events."""


def is_event(message: dict[str, Any]) -> bool:
    """Whether a message is an event, known or not."""
    return isinstance(message.get("event"), str)


def is_greeting(message: dict[str, Any]) -> bool:
    """Whether a message is a greeting, which begins a connection."""
    return "QMP" in message and "event" not in message


def is_reply(message: dict[str, Any]) -> bool:
    """Whether a message is a reply to a command."""
    return not message.keys().isdisjoint(("return", "error")) and message.keys().isdisjoint(("event", "QMP"))


def is_command(message: dict[str, Any]) -> bool:
    """Whether a message is a command."""
    return not message.keys().isdisjoint(("execute", "exec-oob")) and message.keys().isdisjoint(
        ("event", "QMP", "return", "error")
    )


def is_other(message: dict[str, Any]) -> bool:
    """Whether a message is a greeting, a reply or a command: one without a payload to check."""
    return "event" not in message and not _OTHERS.isdisjoint(message)


class Timestamp(msgspec.Struct, frozen=True, gc=False):
    """When an event happened, by the host's clock; both members are -1 if there is no clock."""

    seconds: int = -1
    microseconds: int = -1


class RejectedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that the decoder rejected, as far as temporal rules can use it.

    Attributes:
        event: its name, as sent.
        timestamp: when it happened; as without a clock if the timestamp is invalid.
        data: its members; {} if it has none.
    """

    event: str
    timestamp: Timestamp
    data: dict[str, Any]


class Greeting(msgspec.Struct, frozen=True, gc=False):
    """The first message of a connection; `version` is what QEMU says about its version, None if nothing."""

    version: Any = None

    timestamp: ClassVar[Timestamp] = Timestamp()


class Command(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A message from a client to QEMU. It has no timestamp."""

    name: str = msgspec.field(name="execute")
    id: Any = None
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)

    timestamp: ClassVar[Timestamp] = Timestamp()

    @property
    def parts(self) -> tuple[Command, ...]:
        """The command, and those inside of it: the actions of a transaction, or each of several settings."""
        if self.name not in LISTS:
            return (self,)
        key, make = LISTS[self.name]
        listed = self.arguments.get(key)
        if not isinstance(listed, list):
            return (self,)
        return (self, *(make(self, each) for each in listed if isinstance(each, dict)))


def _action(_: Command, action: dict[str, Any]) -> Command:
    data = action.get("data")
    return Command(str(action.get("type")), None, data if isinstance(data, dict) else {})


def _setting(command: Command, setting: dict[str, Any]) -> Command:
    return Command(command.name, None, setting)


LISTS: dict[str, tuple[str, Callable[[Command, dict[str, Any]], Command]]] = {
    "transaction": ("actions", _action),
    "migrate-set-capabilities": ("capabilities", _setting),
}
"""Commands that contain others: the argument that lists them, and a function that makes each a command."""


class Reply(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """QEMU's answer to the command with the same id; without an id, to the oldest such command.

    The JSON of what it returns is checked where it is decoded, but nobody needs the values.
    """

    id: Any = None
    value: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="return")
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    timestamp: ClassVar[Timestamp] = Timestamp()

    @property
    def failed(self) -> bool:
        """Whether the command failed."""
        return self.error is not msgspec.UNSET


def time_of(event: Any) -> int | None:
    """Return when an event happened, in microseconds since 1970; None without a clock.

    Args:
        event: anything with a `timestamp`.
    """
    stamp: Timestamp = event.timestamp
    if stamp.microseconds == -1:  # and so are the seconds
        return None
    return stamp.seconds * MICROSECONDS + stamp.microseconds


def message(value: dict[str, Any]) -> RejectedEvent | Greeting | Command | Reply | None:
    """Return the message that an object is, as far as temporal rules use it; None if it is none."""
    if is_event(value):
        data = value.get("data")
        timestamp = _timestamp(value.get("timestamp"))
        return RejectedEvent(value["event"], timestamp, data if isinstance(data, dict) else {})
    if is_greeting(value):
        said = value["QMP"]
        return Greeting(said.get("version") if isinstance(said, dict) else None)
    if is_command(value):
        arguments = value.get("arguments")
        name = value.get("execute", value.get("exec-oob"))
        return Command(str(name), value.get("id"), arguments if isinstance(arguments, dict) else {})
    if is_reply(value):
        return Reply(value.get("id"), error=msgspec.Raw() if "error" in value else msgspec.UNSET)
    return None


def _timestamp(value: Any) -> Timestamp:
    """Return a timestamp that can be compared with others; an invalid one is as one without a clock."""
    if not isinstance(value, dict):
        return Timestamp()
    seconds, microseconds = value.get("seconds"), value.get("microseconds")
    if type(seconds) is not int or type(microseconds) is not int:
        return Timestamp()
    # Out of range, a time could not be compared in 64 bits.
    is_time = abs(seconds) <= LAST_SECOND and 0 <= microseconds < MICROSECONDS
    return Timestamp(seconds, microseconds) if is_time else Timestamp()


MESSAGE_KEY = rb'"(?:timestamp|event|QMP|return|error|execute|exec-oob|id|data|arguments|control)"'
"""The keys that a QMP message may begin with."""


class _MessageKeys(msgspec.Struct, rename={"answer": "return", "greeting": "QMP", "oob": "exec-oob"}):
    """The keys that distinguish the messages of QMP."""

    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    greeting: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    answer: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    execute: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    oob: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_keys = msgspec.json.Decoder(_MessageKeys)
_RECEIVED = rb'"(?:event|QMP|return|error)"\s*:'
_SENT = rb'"(?:execute|exec-oob)"\s*:'


def is_sent(text: bytes) -> bool | None:
    """Whether a client sent this message to QEMU, by its keys; None for an object that is no QMP message.

    In text that is not JSON, the first such key counts, wherever it is. `error` counts only before an object,
    as logs of other programs have it, too.
    """
    try:
        keys = _keys.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        received, sent = re.search(_RECEIVED, text), re.search(_SENT, text)
        if received is None:
            return True if sent else None
        return sent is not None and sent.start() < received.start()
    # A client's command may have any other key in it by mistake; QEMU never sends these two.
    if keys.execute is not msgspec.UNSET or keys.oob is not msgspec.UNSET:
        return True
    if isinstance(keys.error, msgspec.Raw) and bytes(keys.error).startswith(b"{"):
        return False
    known = (keys.event, keys.greeting, keys.answer)
    return None if all(key is msgspec.UNSET for key in known) else False


def is_text_of_event(text: bytes) -> bool:
    """Whether this is JSON with the key of an event."""
    try:
        return _keys.decode(text).event is not msgspec.UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
