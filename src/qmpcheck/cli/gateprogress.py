"""Which scenarios are being played: a live line on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from qmpcheck.cli.messages import tell
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome

_EVERY = 10.0
"""Seconds between two lines where they do not replace each other."""


class _Lines:
    """Says how far the gate has come.

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
        """A scenario begins."""
        with self._lock:
            self._playing.append(scenario.name)
            self._say()

    def ends(self, outcome: ScenarioOutcome) -> None:
        """A scenario has ended."""
        with self._lock:
            self._playing.remove(outcome.scenario.name)
            self._done += 1
            self._say()

    def _say(self) -> None:
        text = f"{self._done} of {self._total} scenarios played; now {', '.join(self._playing) or 'none'}"
        if self._is_live:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            tell(text)


@contextmanager
def shown(total: int) -> Iterator[_Lines]:
    """What shows the progress of so many scenarios; a live line goes away at the end."""
    is_live = sys.stderr is not None and sys.stderr.isatty()
    yield _Lines(total, is_live)
    if is_live:
        sys.stderr.write("\r\x1b[K")
