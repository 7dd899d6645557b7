"""Checking blocks of a stream."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from qmpcheck.checking import decoder
from qmpcheck.checking.summary import Summary, down
from qmpcheck.diagnostic import CODES, Diagnostic
from qmpcheck.rulebase import RuleBase

if TYPE_CHECKING:
    from qmpcheck.checking.diagnose import Diagnosis

_BATCH = 256
"""Lines decoded at once: what they become stays in the processor's cache and is dropped together."""

_BLANKS = b" \t\r\n"


class Checker:
    """Holds blocks of a stream against one rule base.

    Args:
        rule_base: the rules.
        codes: the codes of the findings that are wanted.
        most: how many findings a summary lists at most; all are counted.
    """

    def __init__(self, rule_base: RuleBase, codes: Iterable[str] = CODES, most: int = 10_000) -> None:
        self.empty = Summary(most)
        self._codes = frozenset(codes)
        self._rule_base = rule_base
        self._decode, *self._decode_rarely = decoder.compile(rule_base)

    def __reduce__(self) -> tuple[Any, ...]:
        """A checker travels to another process as what it is made from."""
        return Checker, (self._rule_base, self._codes, self.empty.most)

    def check(self, block: bytes) -> Summary:
        """Check lines; only the last line of a whole stream may lack its newline."""
        lines = block.split(b"\n")
        cut_line = lines.pop()
        findings: list[Diagnostic] = []
        events = len(lines)
        for at in self._refused(lines):
            is_event, found = self._look_at(lines[at])
            events -= not is_event
            findings += (down(finding, at) for finding in found if finding.code in self._codes)
        summary = self._summary(len(lines), events, findings)
        return summary + self._cut(cut_line) if cut_line else summary

    def _refused(self, lines: list[bytes]) -> Iterator[int]:
        """The lines, by index, that the decoder does not take.

        `extend` keeps what was decoded before a refusal, and `map` goes on behind it.
        """
        decoded = map(self._decode, lines)
        taken: list[Any] = []
        at = 0
        while at < len(lines):
            try:
                taken.extend(islice(decoded, _BATCH))
                at += len(taken)
            except decoder.REFUSALS:
                at += len(taken) + 1
                yield at - 1
            taken.clear()

    def _look_at(self, line: bytes) -> Diagnosis | tuple[bool, tuple[Diagnostic, ...]]:
        """Whether a refused line is an event after all, and what is wrong with it."""
        if not line.strip(_BLANKS):
            return False, ()
        if any(_takes(decode, line) for decode in self._decode_rarely):
            return True, ()
        return self._diagnose(line)

    def _cut(self, line: bytes) -> Summary:
        """The stream's last line, which lacks its newline."""
        is_event, findings = self._look_at(line)
        if any(finding.code == "QMP101" for finding in findings):
            findings = (Diagnostic("QMP106", 1, "the stream ends within this line"),)
        wanted = [finding for finding in findings if finding.code in self._codes]
        return self._summary(1, int(is_event), wanted)

    def _summary(self, lines: int, events: int, findings: list[Diagnostic]) -> Summary:
        counts = Counter((finding.code, finding.event) for finding in findings)
        return Summary(self.empty.most, lines, events, counts, tuple(findings[: self.empty.most]))

    @functools.cached_property
    def _diagnose(self) -> Callable[[bytes], Diagnosis]:
        from qmpcheck.checking.diagnose import Diagnostician  # jsonschema: a clean stream never needs it

        return Diagnostician(self._rule_base).diagnose


def _takes(decode: Callable[[bytes], Any], line: bytes) -> bool:
    try:
        decode(line)
    except decoder.REFUSALS:
        return False
    return True
