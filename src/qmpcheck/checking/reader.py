"""Turn lines into messages: decode those that break no rule, and explain the others."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress, count
from operator import not_
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from qmpcheck import version
from qmpcheck.checking import decoder
from qmpcheck.checking.errata import Erratum
from qmpcheck.checking.timestamps import Column
from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.streams import messages
from qmpcheck.streams.blocks import LONGEST, LongLine
from qmpcheck.streams.messages import NO_CLOCK, Command, Greeting, Reply

if TYPE_CHECKING:
    from qmpcheck.checking.explain import Explainer

_BLANKS = b" \t\r\n"

_REPLY = b'{"return"'
"""How QEMU begins the reply to a command that succeeded."""


class Read(NamedTuple):
    """What some lines contain.

    Attributes:
        column: decoded events, `RejectedEvent` and `Greeting`; on request also `Command`, and after the
            first command `Reply`.
        findings: what is wrong with single lines.
        holds_commands: whether the stream has had a command so far.
    """

    column: Column
    findings: list[Finding]
    holds_commands: bool = False


class _SuccessReply(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The reply to a command that succeeded. Its JSON is checked, but its values do not matter."""

    value: msgspec.Raw = msgspec.field(name="return")
    id: msgspec.Raw = msgspec.Raw(b"")


class Reader:
    """Reads the lines of streams.

    Args:
        rule_base: the spec.
        known: the errata about it.
        with_commands: whether to read commands and replies, which takes longer. Replies before the first
            command are skipped, as nobody needs them.
    """

    def __init__(self, rule_base: RuleBase, known: tuple[Erratum, ...], with_commands: bool) -> None:
        self._rule_base, self._known, self._with_commands = rule_base, known, with_commands
        self._decode, self.names = decoder.compile(rule_base)
        self._decode_reply = msgspec.json.Decoder(_SuccessReply).decode
        self._skips_replies = False
        """Set by the first reply: they are sorted out before decoding, as a refusal takes longer."""

    def read(
        self, lines: Sequence[bytes], numbers: Sequence[int], is_cut: bool, holds_commands: bool = False
    ) -> Read:
        """Read the next lines of a stream.

        Args:
            lines: the lines without their newlines.
            numbers: their line numbers.
            is_cut: whether the stream ends within the last of them.
            holds_commands: whether the stream had a command before.
        """
        cut = numbers[-1] if is_cut else None
        all_lines, all_numbers = lines, numbers
        if self._skips_replies and not holds_commands:
            lines, numbers = self._without_replies(lines, numbers)
        found: list[Any] = []
        findings: list[Finding] = []
        decoded = map(self._decode, iter(lines))
        while len(found) < len(lines):
            try:
                found.extend(decoded)  # keeps what was decoded before a refusal, and goes on after it
            except decoder.REFUSALS:  # noqa: PERF203 -- once a refused line, not once a line
                at = len(found)
                message = self._look_at(lines[at], numbers[at], findings, numbers[at] == cut)
                is_first = type(message) is Command and self._with_commands and not holds_commands
                if type(message) in _SENT_OR_ANSWERED and not (holds_commands or is_first):
                    message = _NOTHING
                found.append(message)
                if is_first:
                    holds_commands = True
                    begin = bisect_left(all_numbers, numbers[at])  # a line of a log may hold several messages
                    begin += next(i for i, line in enumerate(all_lines[begin:], 1) if line is lines[at])
                    lines = [*lines[: at + 1], *all_lines[begin:]]
                    numbers = [*numbers[: at + 1], *all_numbers[begin:]]
                    decoded = map(self._decode, iter(lines[at + 1 :]))
                elif lines[at].startswith(_REPLY) and not self._skips_replies and not holds_commands:
                    self._skips_replies = True
                    rest, its_numbers = self._without_replies(lines[at + 1 :], numbers[at + 1 :])
                    lines, numbers = [*lines[: at + 1], *rest], [*numbers[: at + 1], *its_numbers]
                    decoded = map(self._decode, iter(rest))
        return Read(Column.of(found, numbers).without(_Nothing), findings, holds_commands)

    def _without_replies(
        self, lines: Sequence[bytes], numbers: Sequence[int]
    ) -> tuple[Sequence[bytes], Sequence[int]]:
        """Return the lines that are no plain replies, with their numbers."""
        is_reply = [line[:9] == _REPLY for line in lines]
        replies = [*compress(lines, is_reply)]
        if odd := self._odd(replies):
            places = [*compress(count(), is_reply)]
            for at in odd:
                is_reply[places[at]] = False
        kept = [*map(not_, is_reply)]
        return [*compress(lines, kept)], [*compress(numbers, kept)]

    def _odd(self, replies: Sequence[bytes]) -> list[int]:
        """Return the places of lines that begin like replies, but are something else or no JSON."""
        odd: list[int] = []
        decoded = map(self._decode_reply, iter(replies))
        done: list[Any] = []
        while len(done) < len(replies):
            try:
                done.extend(decoded)
            except decoder.REFUSALS:  # noqa: PERF203 -- once an odd one
                odd.append(len(done))
                done.append(None)
        if not b"".join(replies).isascii():  # msgspec looks into no raw string
            odd += (at for at, reply in enumerate(replies) if not _is_utf8(reply))
        return odd

    def _look_at(self, line: bytes, number: int, findings: list[Finding], is_cut: bool) -> Any:
        """Return the message on a line that the decoder refused; _NOTHING if there is none."""
        if line.startswith(b'{"QMP"') and len(line) < _LONGEST_GREETING:
            greeting = _greeting(line)
            if greeting:
                return greeting
        if isinstance(line, LongLine):
            text = f"a line of {line.length} bytes; QEMU takes none of more than {LONGEST}"
            findings.append(Finding("QMP101", number, text))
            return _NOTHING
        if not line.strip(_BLANKS):
            return _NOTHING
        value = _object(line)
        is_fine = messages.is_other(value) and not messages.is_greeting(value)
        if not is_fine and not self._is_clockless(value, line):
            value = self._explain(value, line, number, findings, is_cut)
        found = messages.message(value)
        return _NOTHING if found is None else found

    def _explain(
        self, value: dict[str, Any], line: bytes, number: int, findings: list[Finding], is_cut: bool
    ) -> dict[str, Any]:
        """Return the object on a line, {} if there is none, and add what is wrong with it to the findings."""
        found: Sequence[Finding]
        if value:
            found = self._explainer.explain_object(value)
        else:
            value, found = self._explainer.explain(line)
        for each in found:
            finding = _TRUNCATED if is_cut and each.code == "QMP101" else each
            findings.append(msgspec.structs.replace(finding, line=number))
        return value

    def _is_clockless(self, value: dict[str, Any], line: bytes) -> bool:
        """Whether this is a conforming event of a host without a clock."""
        if value.get("timestamp") != NO_CLOCK:
            return False
        try:
            self._decode_clockless(line)
        except decoder.REFUSALS:
            return False
        return True

    @functools.cached_property
    def _decode_clockless(self) -> decoder.Decode:
        return decoder.compile(self._rule_base, clock=False).decode

    @functools.cached_property
    def _explainer(self) -> Explainer:
        from qmpcheck.checking.explain import Explainer  # a clean stream needs none

        return Explainer(self._rule_base, self._known)


@functools.lru_cache(maxsize=64)
def _greeting(line: bytes) -> Greeting | None:
    """The greeting that a line holds, if nothing is wrong with it: of one QEMU they are all the same."""
    value = _object(line)
    return Greeting(value["QMP"]["version"]) if version.of_greeting(value) and len(value) == 1 else None


_LONGEST_GREETING = 1000

_SENT_OR_ANSWERED = frozenset({Command, Reply})


class _Nothing:
    """Stands for a line without a message that matters."""


_NOTHING = _Nothing()

_TRUNCATED = Finding("QMP106", 1, "the last line is incomplete: it is not whole JSON, and no newline ends it")


def _object(line: bytes) -> dict[str, Any]:
    """Return the object on a line; {} if there is none, or it cannot be parsed quickly."""
    try:
        value = msgspec.json.decode(line)
    except decoder.REFUSALS:
        return {}
    return value if isinstance(value, dict) else {}


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
