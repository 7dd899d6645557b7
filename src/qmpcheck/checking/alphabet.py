"""The letters that events are written down in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from qmpcheck.checking.occurrence import Refused
from qmpcheck.checking.written import BEGIN, REFUSED, Event, Greeting, Reader, Wanted, Written

_NOTHING, _FIRST, _NEVER = " ", ord("A"), "\0"
"""The letters of what is no event, of the first kind of decoded event, and one that is never written."""


class Alphabet:
    """The letter of each event, and the readers of its members.

    Args:
        names: the event that a decoded struct is, by its class.
    """

    def __init__(self, names: dict[type, str]) -> None:
        letters = {kind: chr(_FIRST + at) for at, kind in enumerate(names)}
        every: dict[type, str] = {type(None): _NOTHING, Greeting: BEGIN, Refused: REFUSED, **letters}
        self._letter = every.__getitem__
        self._letters = {names[kind]: letter for kind, letter in letters.items()}
        self._names = names
        self.kinds = {name: kind for kind, name in names.items()}
        self.readers: dict[tuple[str, tuple[str, ...]], Reader] = {}

    def write(self, events: Sequence[Event | None]) -> Written:
        """Write lines down: of each, the event that it is, or None."""
        end = len(events)
        lines: Sequence[int] = range(1, end + 1)
        letters = "".join(map(self._letter, map(type, events)))
        if _NOTHING in letters:
            lines = [line for line, event in enumerate(events, 1) if event is not None]
            events = [event for event in events if event is not None]
            letters = letters.replace(_NOTHING, "")
        return Written(events, lines, letters, end, self._names)

    def letter(self, event: str) -> str:
        """The letter of an event; one that is always refused has one that never stands for any."""
        return self._letters.get(event, _NEVER)

    def letters(self, events: Iterable[str]) -> str:
        """The letters of some events."""
        return "".join(self._letters.get(event, "") for event in events)

    def any_of(self, events: Collection[str]) -> Wanted:
        """Some events."""
        return Wanted(_any_of(REFUSED + self.letters(events)), events.__contains__)

    def any_but(self, events: Collection[str]) -> Wanted:
        """All events but these."""
        others = self.letters(self._letters.keys() - events)
        return Wanted(_any_of(REFUSED + others), lambda event: event not in events)

    def waiting(self, trigger: str, answers: Collection[str]) -> re.Pattern[str]:
        """Finds the stretch that no answer ends, from the end of a session on, if it holds a trigger.

        An answer that is a trigger itself stands in the stretch that it begins.
        """
        of_trigger, of_answer = (re.escape(self.letters(each)) for each in ([trigger], answers))
        begin = f"[{of_answer}]?" if trigger in answers and of_answer else ""
        last = f"[^{of_trigger}{REFUSED}{of_answer}{BEGIN}]*[{of_trigger}{REFUSED}]"
        return re.compile(f"{BEGIN}{last}[^{of_answer}{BEGIN}]*{begin}")

    def refused(self, events: Collection[str]) -> Wanted:
        """Events where they were refused."""
        return Wanted(_any_of(REFUSED), events.__contains__)


def _any_of(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(letters or _NEVER)}]")
