"""The keys that distinguish the messages of QMP, in the text of a message."""

from __future__ import annotations

import re

import msgspec

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
    if keys.execute is not msgspec.UNSET or keys.oob is not msgspec.UNSET:
        return True
    if isinstance(keys.error, msgspec.Raw) and bytes(keys.error).startswith(b"{"):
        return False
    known = (keys.event, keys.greeting, keys.answer)
    return None if all(key is msgspec.UNSET for key in known) else False


def is_event(text: bytes) -> bool:
    """Whether this is JSON with the key of an event."""
    try:
        return _keys.decode(text).event is not msgspec.UNSET
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
