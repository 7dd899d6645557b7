"""What an object of the protocol is, by its keys."""

from __future__ import annotations

from typing import Any

_OTHERS = frozenset({"QMP", "return", "error", "execute", "exec-oob"})


def is_event(message: dict[str, Any]) -> bool:
    """Whether it is an event, known or not."""
    return isinstance(message.get("event"), str)


def is_greeting(message: dict[str, Any]) -> bool:
    """Whether it is the greeting that begins a session."""
    return "QMP" in message and "event" not in message


def is_reply(message: dict[str, Any]) -> bool:
    """Whether it is the reply to a command that succeeded, and nothing else besides."""
    return "return" in message and "event" not in message and "QMP" not in message


def is_other(message: dict[str, Any]) -> bool:
    """Whether it is a greeting, a reply or a command: a message that is passed over."""
    return "event" not in message and not _OTHERS.isdisjoint(message)
