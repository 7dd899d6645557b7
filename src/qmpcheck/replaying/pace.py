"""Decide when events are sent: at the pace of their timestamps, and no more often than QEMU would."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

from qmpcheck import rate_limits
from qmpcheck.checking.accessors import value_at
from qmpcheck.rulebase import RateLimit, RuleBase
from qmpcheck.streams.messages import MICROSECONDS


class ReplayClock:
    """The clock of a connection's machine: it begins at the first event, and may run faster than ours.

    With infinite speed it shows the time of the event that was sent last, and runs on from there.

    Args:
        begin: the time that it shows first, in microseconds since 1970; None for our time.
        speed: how many times faster than ours it runs; may be infinity.
    """

    def __init__(self, begin: int | None, speed: float) -> None:
        self._shown = time.time_ns() // 1000 if begin is None else begin
        self._speed = speed
        self._since = time.monotonic()

    def now(self) -> int:
        """Return the time, in microseconds since 1970."""
        rate = 1 if math.isinf(self._speed) else self._speed
        return self._shown + int((time.monotonic() - self._since) * rate * MICROSECONDS)

    async def until(self, moment: int | None) -> None:
        """Wait until the clock shows a time. If that is None, or over, only let other tasks run."""
        seconds = 0.0
        if moment is not None and math.isinf(self._speed):
            self._shown, self._since = moment, time.monotonic()  # as fast as possible: jump there
        elif moment is not None:
            seconds = max(0.0, (moment - self.now()) / MICROSECONDS / self._speed)
        await asyncio.sleep(seconds)


PacedEvent = tuple[str, dict[str, Any]]
"""The name of an event, and its data."""


class Throttle:
    """Sends rate-limited events at most once a second for each key, as QEMU does.

    Of the events that come within that second, only the last one is sent, at its end.

    Args:
        rule_base: says which events are limited.
        send: called with each event when it is time to send it.
        speed: how much faster than ours the machine's clock runs.
    """

    def __init__(self, rule_base: RuleBase, send: Callable[[PacedEvent], None], speed: float) -> None:
        self._limits = {name: limit for name in rule_base.events if (limit := _limit(rule_base, name))}
        self._send = send
        self._second = 1 if math.isinf(speed) else 1 / speed
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._waiting: dict[str, PacedEvent] = {}

    def sent(self, event: PacedEvent) -> None:
        """Note an event that was sent regardless of its limit, as one of a recording is."""
        key = self._key(event)
        if key and key not in self._timers:
            self._begin(key)

    def offer(self, event: PacedEvent) -> None:
        """Send an event as soon as its limit allows."""
        key = self._key(event)
        if key in self._timers:
            self._waiting[key] = event
            return
        self.sent(event)
        self._send(event)

    def stop(self) -> None:
        """Send nothing more."""
        for timer in self._timers.values():
            timer.cancel()

    def _begin(self, key: str) -> None:
        self._timers[key] = asyncio.get_running_loop().call_later(self._second, self._expire, key)

    def _expire(self, key: str) -> None:
        del self._timers[key]
        # What is sent late begins a second of its own.
        if key in self._waiting:
            self._begin(key)
            self._send(self._waiting.pop(key))

    def _key(self, event: PacedEvent) -> str:
        """Return a key that all events have which share a limit with this one; "" if it has no limit."""
        name, data = event
        limit = self._limits.get(name)
        if limit is None or any(data.get(member) in values for member, values in limit.unless.items()):
            return ""
        return repr((name, *(value_at(data, (member,)) for member in limit.key)))


def _limit(rule_base: RuleBase, name: str) -> RateLimit | None:
    stated = rule_base.events[name].rate_limit
    if stated is None and name in rate_limits.ALWAYS_LIMITED:
        stated = RateLimit()
    return rate_limits.keyed(name, stated) if stated else None
