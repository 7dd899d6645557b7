"""Checking blocks of a stream."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from qmpcheck.checking import decoder, errata, message, summary
from qmpcheck.checking.alphabet import Alphabet
from qmpcheck.checking.occurrence import MICROSECONDS, NO_CLOCK, Refused, Timestamp
from qmpcheck.checking.session import Found, Timing
from qmpcheck.checking.summary import Summary, Terms
from qmpcheck.checking.watch import Watch
from qmpcheck.checking.written import GREETING, Event, Written
from qmpcheck.diagnostic import TIME_CODES, Diagnostic
from qmpcheck.printable import name
from qmpcheck.rulebase import RuleBase
from qmpcheck.streams.blocks import Block, lines_of

if TYPE_CHECKING:
    from qmpcheck.checking.diagnose import Diagnosis

_BLANKS = b" \t\r\n"


class Checker:
    """Holds blocks of a stream against one rule base.

    Args:
        rule_base: the rules.
        terms: the findings that are wanted, and the rules over time; not watched where none of theirs is.
        known: cases in which QEMU is known not to keep to the rules.
    """

    def __init__(
        self, rule_base: RuleBase, terms: Terms | None = None, known: tuple[errata.Entry, ...] = ()
    ) -> None:
        self._made_from = rule_base, terms, known
        self.terms = msgspec.structs.replace(terms or Terms(), events=frozenset(map(name, rule_base.events)))
        if TIME_CODES.isdisjoint(self.terms.codes):
            self.terms = msgspec.structs.replace(self.terms, timing=Timing())
        self._decoder = decoder.compile(rule_base)
        self._alphabet = Alphabet(self._decoder.names)
        self._watch = Watch(self.terms.timing, self._alphabet)

    def __reduce__(self) -> tuple[Any, ...]:
        """A checker travels to another process as what it is made from."""
        return Checker, self._made_from

    def begin(self) -> Summary:
        """What the parts of a stream are added to."""
        return summary.begin(self.terms)

    def check(self, text: bytes) -> Summary:
        """Check lines; only the last line of a whole stream may lack its newline."""
        return self.check_block(text.split(b"\n"))

    def check_block(self, block: Block) -> Summary:
        """The same for a block of lines."""
        lines, cut = lines_of(block), bool(block[-1])
        read = self._read(lines, cut)
        written = self._alphabet.write(read.events)
        begins = written.begins
        summary = self._sessions(written, begins[0], begins[-1]) if begins else self._sessionless(written)
        return summary.with_found(Found(read.findings))

    def _sessionless(self, written: Written) -> Summary:
        """Lines that go on with the session that stood before them."""
        part, found = self._watch.see(written)
        return Summary(self.terms, part, None, written.end, written.number).with_found(found)

    def _sessions(self, written: Written, first: int, last: int) -> Summary:
        """Lines with greetings, at these places: the rest of a session, whole ones, the begin of one."""
        rest, found_in_rest = self._watch.see(written.part(0, first))
        begun, found_in_begun = self._watch.begin(written.part(last + 1, len(written.events)))
        found = found_in_rest + self._watch.judge(written.part(first, last)) + found_in_begun
        head = msgspec.structs.replace(rest, ended=written.lines[first])
        return Summary(self.terms, head, begun, written.end, written.number).with_found(found)

    def _read(self, lines: list[bytes], cut: bool) -> _Read:
        """Decode lines. `extend` keeps what was decoded before a refusal, and `map` goes on behind it."""
        read = _Read([], [])
        rest = iter(lines)
        decoded: Iterator[Event | None] = map(self._decoder.decode, rest)
        while len(read.events) < len(lines):
            try:
                read.events.extend(decoded)
            except decoder.REFUSALS:  # noqa: PERF203 -- once a refused line, not once a line
                at = len(read.events)
                read.events.append(None)
                self._look_at(lines[at], at, read, cut and at == len(lines) - 1)
                if lines[at].startswith(_REPLY):
                    decoded = map(self._decode_unless_reply, rest)
        return read

    def _decode_unless_reply(self, line: bytes) -> Event | None:
        """The event that a line is; None where it is a reply: a decoder takes longer to refuse it."""
        if line.startswith(_REPLY) and message.is_reply(_object(line)):
            return None
        return self._decoder.decode(line)

    def _look_at(self, line: bytes, at: int, read: _Read, cut: bool) -> None:
        """Find out what a refused line is."""
        if not line.strip(_BLANKS):
            return
        value = _object(line)
        if not message.is_other(value) and not self._is_clockless(value, line):
            diagnosis = self._diagnose(line)
            value = diagnosis.message
            for finding in diagnosis.findings:
                truncated = cut and finding.code == "QMP101"
                read.findings.append((_TRUNCATED if truncated else finding).down(at))
        if message.is_event(value):
            read.events[at] = _refused(value)
        elif message.is_greeting(value):
            read.events[at] = GREETING

    def _is_clockless(self, value: dict[str, Any], line: bytes) -> bool:
        """Whether this is an event that breaks no rule, of a host without a clock."""
        if value.get("timestamp") != NO_CLOCK:
            return False
        try:
            self._decode_clockless(line)
        except decoder.REFUSALS:
            return False
        return True

    @functools.cached_property
    def _decode_clockless(self) -> decoder.Decode:
        return decoder.compile(self._made_from[0], clock=False).decode

    @functools.cached_property
    def _diagnose(self) -> Callable[[bytes], Diagnosis]:
        from qmpcheck.checking.diagnose import Diagnostician  # jsonschema: a clean stream never needs it

        rule_base, _, known = self._made_from
        return Diagnostician(rule_base, known).diagnose


class _Read(NamedTuple):
    """What lines hold: an entry a line, and what is wrong line by line."""

    events: list[Event | None]
    findings: list[Diagnostic]


_REPLY = b'{"return"'
"""How QEMU begins a reply."""

_TRUNCATED = Diagnostic("QMP106", 1, "the stream ends within this line")


def _object(line: bytes) -> dict[str, Any]:
    """The object that a line holds; {} where it is no plain one."""
    try:
        value = msgspec.json.decode(line)
    except decoder.REFUSALS:
        return {}
    return value if isinstance(value, dict) else {}


def _refused(event: dict[str, Any]) -> Refused:
    data = event.get("data")
    timestamp = _timestamp(event.get("timestamp"))
    return Refused(event["event"], timestamp, data if isinstance(data, dict) else {})


def _timestamp(value: Any) -> Timestamp:
    """A timestamp that can be compared; none where it cannot."""
    if not isinstance(value, dict):
        return Timestamp()
    seconds, microseconds = value.get("seconds"), value.get("microseconds")
    if type(seconds) is not int or type(microseconds) is not int:
        return Timestamp()
    is_time = abs(seconds) < _LONG and 0 <= microseconds < MICROSECONDS
    return Timestamp(seconds, microseconds) if is_time else Timestamp()


_LONG = 1 << 63
