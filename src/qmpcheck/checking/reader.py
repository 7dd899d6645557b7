"""Turn lines into messages: decode the lines that break no rule, and explain the others.

The decoder is the fast way, and takes nearly all lines of a healthy stream. A line that it refuses costs an
exception and is read once more, so the lines that it cannot take but that are common (replies, commands,
greetings) get decoders of their own as soon as the first one comes.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

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


class Read(msgspec.Struct, frozen=True):
    """The messages on some lines, and what is wrong with these lines.

    Attributes:
        before_commands: the messages before the first command of the stream: decoded events,
            `RejectedEvent` and `Greeting`; all such messages if commands are not needed.
        from_command: the messages from the first command on, `Command` and `Reply` among them.
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
        with_commands: whether some rule needs commands and their replies.
    """

    def __init__(self, rule_base: RuleBase, known: tuple[Erratum, ...], with_commands: bool) -> None:
        self._rule_base, self._known, self._with_commands = rule_base, known, with_commands
        compiled = decoder.compile(rule_base)
        self._decode, self.names = compiled.decode, compiled.names
        self._chooses_decoders = False
        """Set by the first reply or command: from then on, the first key on a line chooses its decoder."""

    def read(
        self, lines: Sequence[bytes], numbers: Sequence[int], is_cut: bool, has_commands: bool = False
    ) -> Read:
        """Read the next lines of a stream.

        Args:
            lines: the lines without their newlines.
            numbers: their line numbers.
            is_cut: whether the stream ends in the middle of the last line.
            has_commands: whether the stream had a command before these lines.
        """
        cut = numbers[-1] if is_cut else None
        found: list[Any] = []
        findings: list[Finding] = []
        decoded = self._decoded(lines)
        while len(found) < len(lines):
            try:
                # `extend` keeps what was decoded before an exception, and `map` can be asked for more after
                # one: so it is raised once for each refused line, and the loop runs in C for all others.
                found.extend(decoded)
            except decoder.REFUSALS:  # noqa: PERF203 -- once a refused line, not once a line
                at = len(found)
                found.append(self._read_refused(lines[at], numbers[at], findings, numbers[at] == cut))
                if not self._chooses_decoders and type(found[at]) in _OF_COMMANDS:
                    self._chooses_decoders = True  # a decoder of its own takes less time than a refusal
                    decoded = self._decoded(lines[at + 1 :])
        column = Column.of(found, numbers)
        # One entry for each line up to here, so that lines and numbers match; now the blank ones go.
        if has_commands:
            return Read(NOTHING, column.without(_Blank), findings)
        if not self._with_commands or Command not in column.present:
            return Read(column.without(_Blank, Reply, Command), NOTHING, findings)
        first = column.kinds.index(Command)
        # A reply before the first command answers one that the stream does not have.
        before, after = column.part(0, first), column.part(first)
        return Read(before.without(_Blank, Reply), after.without(_Blank), findings)

    def _decoded(self, lines: Sequence[bytes]) -> Iterator[Any]:
        """Return an iterator that decodes lines; it raises for each refused line, and can then go on."""
        if not self._chooses_decoders:
            return map(self._decode, iter(lines))
        marks = [line[3:4] for line in lines]  # Python keeps bytes of length 1 ready: nothing is made here
        # To ask the whole block whether it is ASCII is much faster than to check each reply.
        decoders = _DECODERS if b"".join(lines).isascii() else _DECODERS_OF_UTF8
        return map(_call, map(decoders.get, marks, repeat(self._decode)), iter(lines))

    def _read_refused(self, line: bytes, number: int, findings: list[Finding], is_cut: bool) -> Any:
        """Return the message on a line that the decoder refused; _BLANK if there is none."""
        # The usual reasons first: a log of many short connections has many greetings.
        if line.startswith(b'{"QMP"') and (greeting := _valid_greeting(line)):
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
        # An event that breaks a rule came nevertheless: it can be a trigger or a response.
        found = messages.message(value)
        return _BLANK if found is None else found

    def _explain(
        self, value: dict[str, Any], line: bytes, number: int, findings: list[Finding], is_cut: bool
    ) -> dict[str, Any]:
        """Add to the findings what is wrong with a line, and return the object on it; {} if there is none.

        Args:
            value: the object on the line; {} if it could not be parsed quickly.
            line: the line.
            number: its number.
            findings: takes what is wrong.
            is_cut: whether the stream ends in the middle of the line.
        """
        found: Sequence[Finding]
        if value:
            found = self._explainer.explain_object(value)
        else:
            value, found = self._explainer.explain(line)
        for each in found:
            # A recording that is still being written, or a full disk: the line is incomplete, not wrong.
            finding = _TRUNCATED if is_cut and each.code == "QMP101" else each
            findings.append(msgspec.structs.replace(finding, line=number))
        return value

    def _is_clockless(self, value: dict[str, Any], line: bytes) -> bool:
        """Return whether a line is a conforming event of a host without a clock."""
        if value.get("timestamp") != NO_CLOCK:
            return False
        try:
            self._decode_clockless(line)
        except decoder.REFUSALS:
            return False
        return True

    @functools.cached_property
    def _decode_clockless(self) -> decoder.Decode:
        # Compiling takes a while, and hardly any host has no clock.
        return decoder.compile(self._rule_base, clock=False).decode

    @functools.cached_property
    def _explainer(self) -> Explainer:
        from qmpcheck.checking.explain import Explainer  # a clean stream does not need it

        return Explainer(self._rule_base, self._known)


def _valid_greeting(line: bytes) -> Greeting | None:
    """Return the greeting on a line if nothing is wrong with it; None otherwise."""
    return _greeting(line) if len(line) < _LONGEST_GREETING else None


@functools.lru_cache(maxsize=64)
def _greeting(line: bytes) -> Greeting | None:
    """Return the greeting on a short line. It is cached: all greetings of one QEMU are the same."""
    value = _object(line)
    return Greeting(value["QMP"]["version"]) if version.of_greeting(value) and len(value) == 1 else None


_LONGEST_GREETING = 1000
"""Bytes. A longer one is a hostile one, which must not fill the cache."""


def _decode_greeting(line: bytes) -> Greeting:
    greeting = _valid_greeting(line)
    if greeting is None:
        raise msgspec.ValidationError  # one of `REFUSALS`, as of any decoder
    return greeting


_decode_reply = msgspec.json.Decoder(Reply).decode
"""`Reply` keeps what a command returned as raw JSON: it can be megabytes, and no rule needs it."""


def _decode_utf8_reply(line: bytes) -> Reply:
    line.decode()  # msgspec does not check the UTF-8 of raw values
    return _decode_reply(line)


_DECODERS: dict[bytes, Callable[[bytes], Any]] = {
    b"e": _decode_reply,  # {"return"
    b"r": _decode_reply,  # {"error"
    b"x": msgspec.json.Decoder(Command).decode,  # {"execute" and {"exec-oob"
    b"M": _decode_greeting,  # {"QMP"
}
"""The decoders of lines by their fourth byte: it suffices to tell apart the keys that are written first.

All other lines are decoded as events. A line that is written otherwise is refused by its decoder, and then
read by `_read_refused`: only slower.
"""

_DECODERS_OF_UTF8 = {
    **_DECODERS,
    **{mark: _decode_utf8_reply for mark, decode in _DECODERS.items() if decode == _decode_reply},
}
"""The decoders for blocks in which some line is not ASCII."""


if sys.version_info >= (3, 11):
    from operator import call as _call
else:

    def _call(decode: Callable[[bytes], Any], line: bytes) -> Any:
        return decode(line)


_OF_COMMANDS = frozenset({Command, Reply})


class _Blank:
    """Takes the place of a line without a message, until lines and messages have been paired."""


_BLANK = _Blank()

_TRUNCATED = Finding("QMP106", 1, "the last line is incomplete: it is not whole JSON, and no newline ends it")


def _object(line: bytes) -> dict[str, Any]:
    """Return the object on a line; {} if there is none, or only `jsontext` may be able to parse it."""
    if line.count(b"[") + line.count(b"{") > DEEPEST:  # msgspec's limit depends on the Python
        return {}
    try:
        value = msgspec.json.decode(line)
    except decoder.REFUSALS:
        return {}
    return value if isinstance(value, dict) else {}
