"""Turn lines into messages: decode those that break no rule, and explain the others."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from qmpcheck import version
from qmpcheck.checking import decoder
from qmpcheck.checking.errata import Erratum
from qmpcheck.checking.timestamps import NOTHING, Column
from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.streams import messages
from qmpcheck.streams.blocks import LONGEST, LongLine
from qmpcheck.streams.messages import DEEPEST, NO_CLOCK, Command, Greeting, Reply

if TYPE_CHECKING:
    from qmpcheck.checking.explain import Explainer

_BLANKS = b" \t\r\n"


class Read(NamedTuple):
    """What some lines contain.

    Attributes:
        before_commands: the messages before the first command of the stream: decoded events,
            `RejectedEvent` and `Greeting`; all messages where commands are not wanted.
        from_command: the messages from the first command on: `Command` and `Reply`, too.
        findings: what is wrong with single lines.
    """

    before_commands: Column
    from_command: Column
    findings: list[Finding]


class Reader:
    """Reads the lines of streams.

    Args:
        rule_base: the spec.
        known: the errata about it.
        with_commands: whether commands are wanted, and their replies.
    """

    def __init__(self, rule_base: RuleBase, known: tuple[Erratum, ...], with_commands: bool) -> None:
        self._rule_base, self._known, self._with_commands = rule_base, known, with_commands
        self._decode, self.names = decoder.compile(rule_base)
        self._sorts = False
        """Set by the first reply or command: from then on each line's first bytes choose its decoder."""

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
        found: list[Any] = []
        findings: list[Finding] = []
        decoded = self._decoded(lines)
        while len(found) < len(lines):
            try:
                found.extend(decoded)  # keeps what was decoded before a refusal, and goes on after it
            except decoder.REFUSALS:  # noqa: PERF203 -- once a refused line, not once a line
                at = len(found)
                found.append(self._look_at(lines[at], numbers[at], findings, numbers[at] == cut))
                if not self._sorts and type(found[at]) in _SENT_OR_ANSWERED:
                    self._sorts = True  # a decoder of its own takes less time than a refusal
                    decoded = self._decoded(lines[at + 1 :])
        column = Column.of(found, numbers)
        if holds_commands:
            return Read(NOTHING, column.without(_Blank), findings)
        if not self._with_commands or Command not in column.present:
            return Read(column.without(_Blank, Reply, Command), NOTHING, findings)
        first = column.kinds.index(Command)
        before, after = column.part(0, first), column.part(first)
        return Read(before.without(_Blank, Reply), after.without(_Blank), findings)

    def _decoded(self, lines: Sequence[bytes]) -> Iterator[Any]:
        """Decode lines one by one, as the iterator is asked for them; it goes on after a refusal."""
        if not self._sorts:
            return map(self._decode, iter(lines))
        heads = [line[:_HEAD] for line in lines]
        decoders = _DECODERS if b"".join(lines).isascii() else _DECODERS_OF_UTF8
        return map(_call, map(decoders.get, heads, repeat(self._decode)), iter(lines))

    def _look_at(self, line: bytes, number: int, findings: list[Finding], is_cut: bool) -> Any:
        """Return the message on a line that the decoder refused; _BLANK if there is none."""
        if line.startswith(b'{"QMP"') and (greeting := _known_greeting(line)):
            return greeting
        if isinstance(line, LongLine):
            text = f"a line of {line.length} bytes; QEMU takes none of more than {LONGEST}"
            findings.append(Finding("QMP101", number, text))
            return _BLANK
        if not line.strip(_BLANKS):
            return _BLANK
        value = _object(line)
        is_fine = messages.is_other(value) and not messages.is_greeting(value)
        if not is_fine and not self._is_clockless(value, line):
            value = self._explain(value, line, number, findings, is_cut)
        found = messages.message(value)
        return _BLANK if found is None else found

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


def _known_greeting(line: bytes) -> Greeting | None:
    """The greeting that a line holds, if nothing is wrong with it."""
    return _greeting(line) if len(line) < _LONGEST_GREETING else None


@functools.lru_cache(maxsize=64)
def _greeting(line: bytes) -> Greeting | None:
    """As above, for lines that are worth keeping: the greetings of one QEMU are all the same."""
    value = _object(line)
    return Greeting(value["QMP"]["version"]) if version.of_greeting(value) and len(value) == 1 else None


_LONGEST_GREETING = 1000


def _decode_greeting(line: bytes) -> Greeting:
    greeting = _known_greeting(line)
    if greeting is None:
        raise msgspec.ValidationError
    return greeting


_decode_reply = msgspec.json.Decoder(Reply).decode


def _decode_utf8_reply(line: bytes) -> Reply:
    line.decode()  # msgspec looks into no raw value
    return _decode_reply(line)


_HEAD = 9
"""Bytes at the begin of a line that tell which decoder to try."""

_DECODERS: dict[bytes, Callable[[bytes], Any]] = {
    b'{"return"': _decode_reply,
    b'{"error":': _decode_reply,
    b'{"execute': msgspec.json.Decoder(Command).decode,
    b'{"QMP": {': _decode_greeting,
}
"""The decoder of lines that begin so, as QEMU and its clients write them; all others are tried as events."""

_DECODERS_OF_UTF8 = {
    **_DECODERS,
    **{head: _decode_utf8_reply for head, decode in _DECODERS.items() if decode == _decode_reply},
}
"""The same, where some line is not ASCII."""


if sys.version_info >= (3, 11):
    from operator import call as _call
else:

    def _call(decode: Callable[[bytes], Any], line: bytes) -> Any:
        return decode(line)


_SENT_OR_ANSWERED = frozenset({Command, Reply})


class _Blank:
    """Stands for a line without a message that matters."""


_BLANK = _Blank()

_TRUNCATED = Finding("QMP106", 1, "the last line is incomplete: it is not whole JSON, and no newline ends it")


def _object(line: bytes) -> dict[str, Any]:
    """Return the object on a line; {} if there is none, or it cannot be parsed quickly."""
    if line.count(b"[") + line.count(b"{") > DEEPEST:  # msgspec's limit depends on the Python
        return {}
    try:
        value = msgspec.json.decode(line)
    except decoder.REFUSALS:
        return {}
    return value if isinstance(value, dict) else {}
