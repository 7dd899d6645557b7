"""Show which scenarios are being played: a live line on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from qmpcheck.cli.messages import notify
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome

_EVERY = 10.0
"""Seconds between two lines, if they do not replace each other."""


class _ProgressLines:
    """Prints how many scenarios have been played. Scenarios are played in threads, hence the lock.

    Args:
        total: how many scenarios there are.
        is_live: whether each line replaces the one before.
    """

    def __init__(self, total: int, is_live: bool) -> None:
        self._total, self._is_live = total, is_live
        self._done = 0
        self._playing: list[str] = []
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def begins(self, scenario: Scenario) -> None:
        """Note that a scenario begins."""
        with self._lock:
            self._playing.append(scenario.name)
            self._print()

    def ends(self, outcome: ScenarioOutcome) -> None:
        """Note that a scenario has ended."""
        with self._lock:
            self._playing.remove(outcome.scenario.name)
            self._done += 1
            self._print()

    def _print(self) -> None:
        text = f"{self._done} of {self._total} scenarios played"
        if self._playing:
            text += f"; now {', '.join(self._playing)}"
        if self._is_live:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        # The log of a CI job keeps every line, so there are few.
        elif time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            notify(text)


@contextmanager
def shown(total: int) -> Iterator[_ProgressLines]:
    """Show the progress of `total` scenarios in the block; a live line is removed at its end."""
    is_live = sys.stderr is not None and sys.stderr.isatty()
    yield _ProgressLines(total, is_live)
    if is_live:
        sys.stderr.write("\r\x1b[K")
