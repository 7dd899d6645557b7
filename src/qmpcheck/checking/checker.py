"""The forward pass: blocks of lines of one stream, in order, to findings."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, NamedTuple

import msgspec

from qmpcheck import version
from qmpcheck.checking import errata, timestamps
from qmpcheck.checking.monitors import MONITORS, Judgement, Monitor, Reporter
from qmpcheck.checking.plan import NOTHING, Plan
from qmpcheck.checking.reader import Reader
from qmpcheck.checking.result import Findings, StreamResult
from qmpcheck.checking.session import Series, Session
from qmpcheck.checking.temporal_rule import TemporalRule, follow_ups
from qmpcheck.checking.timestamps import Column, RateLimits, Seen, TimeOrder
from qmpcheck.codes import STREAM_CODES, TIME_CODES
from qmpcheck.finding import AS_IT_IS, Finding, Severities
from qmpcheck.printable import name
from qmpcheck.rulebase import RuleBase
from qmpcheck.streams.messages import Command, Greeting, RejectedEvent, Reply


class CheckOptions(msgspec.Struct, frozen=True):
    """How streams are checked.

    Attributes:
        codes: the codes of the findings that are wanted.
        severities: how bad the user holds some codes to be.
        most: how many findings of a stream are listed; all are counted.
        assumed: command-line options that QEMU was given, without dashes.
        within: seconds that the spec's follow-ups may take; None for any.
        literal: whether known errata of QEMU excuse nothing.
        rules: temporal rules beside the spec's.
        series: the release that wrote the streams, where their greetings do not say; None if unknown.
    """

    codes: frozenset[str] = STREAM_CODES
    severities: Severities = AS_IT_IS
    most: int = 10_000
    assumed: tuple[str, ...] = ()
    within: float | None = None
    literal: bool = False
    rules: tuple[TemporalRule, ...] = ()
    series: Series | None = None


class Checker:
    """Checks streams against one spec, one stream after the other.

    Feed it the blocks of a stream in order, then `finish`; it is then ready for the next stream.

    Args:
        rule_base: the spec.
        options: how streams are checked.
        judged: takes what is decided about each trigger of a temporal rule, also where that is no finding.
        reader: reads lines by the same spec and options; None for one of its own.
    """

    def __init__(
        self,
        rule_base: RuleBase,
        options: CheckOptions | None = None,
        judged: Callable[[Judgement], object] | None = None,
        reader: Reader | None = None,
    ) -> None:
        self.options = options or CheckOptions()
        self._rule_base = rule_base
        known = () if self.options.literal else errata.of_spec(rule_base)
        self._checks_time = not TIME_CODES.isdisjoint(self.options.codes)
        rules = [errata.with_errata(rule, known) for rule in self._temporal_rules()]
        with_commands = any(rule.trigger.is_command for rule in rules)
        self._reader = reader or Reader(rule_base, known, with_commands)
        self._names = self._reader.names
        self._session = Session()
        reporter = Reporter(self._report, self._report_more, judged, self._name)
        self._monitors = [MONITORS[rule.kind](rule, self._session, reporter) for rule in rules]
        self._has_bounds = any(rule.within is not None for rule in rules)
        self._time_order = TimeOrder(self._names, timestamps.sent_late(rule_base), self._report)
        limits = timestamps.rate_limits(rule_base) if self._checks_time else {}
        self._rate_limits = RateLimits(limits, self._report)
        self._plan = Plan(self._names, self._monitors, self._rate_limits, self._session)
        self._known_events = frozenset(map(name, rule_base.events))
        self._sent: deque[_Sent] = deque(maxlen=_MOST_SENT)
        self._begin()

    def another(self) -> Checker:
        """A checker like this one, for a stream that is interleaved with others; making it is cheap."""
        return Checker(self._rule_base, self.options, reader=self._reader)

    def _temporal_rules(self) -> Sequence[TemporalRule]:
        """All that are to be watched: none where no finding of theirs is wanted."""
        options = self.options
        if not self._checks_time:
            return ()
        return (*follow_ups(self._rule_base, options.assumed, options.within), *options.rules)

    def _begin(self) -> None:
        options = self.options
        self._findings = Findings(options.codes, options.most, self._known_events, options.severities)
        self._line = self._lines = self._events = 0
        self._is_new, self._version = True, None
        self._versions: dict[version.Version, None] = {}
        self._session.series = options.series
        self._new_connection()

    def feed(
        self, lines: Sequence[bytes], numbers: Sequence[int] | None = None, is_cut: bool = False
    ) -> None:
        """Check the next lines of the stream.

        Args:
            lines: without their newlines.
            numbers: of the lines, rising; None where they go on from those before.
            is_cut: whether the stream ends within the last of them.
        """
        if not lines:
            return
        if numbers is None:
            numbers = range(self._line + 1, self._line + 1 + len(lines))
        read = self._reader.read(lines, numbers, is_cut)
        for finding in read.findings:
            self._report(finding)
        column = Column(read.messages, [*map(type, read.messages)], read.lines)
        begin = 0
        if Greeting in column.kinds:
            for at in [at for at, kind in enumerate(column.kinds) if kind is Greeting]:
                self._step(column.part(begin, at))
                self._greet(column.events[at], column.lines[at])
                begin = at + 1
        self._step(column.part(begin, len(column.kinds)) if begin else column)
        self._line = numbers[-1]
        self._lines += len(lines)

    def feed_cut(self, numbers: Sequence[int]) -> None:
        """Report lines of which what carried the stream did not keep all."""
        for number in numbers:
            self._report(Finding("QMP106", number, "the log holds only a part of this message"))

    def finish(self, complete: bool = False) -> StreamResult:
        """The result of the stream that was fed.

        Args:
            complete: whether its last session is known to be over.
        """
        self._end_session(self._line, complete)
        found = self._findings
        result = StreamResult(
            path="",
            lines=self._lines,
            events=self._events,
            counts=found.counts,
            listed=found.listed(),
            taken=found.taken,
            severities=self.options.severities,
            versions=tuple(self._versions),
        )
        self._begin()
        return result

    def check(self, text: bytes, complete: bool = False) -> StreamResult:
        """The result of a whole stream that is in memory."""
        lines = text.split(b"\n")
        is_cut = bool(lines[-1])
        self.feed(lines if is_cut else lines[:-1], is_cut=is_cut)
        return self.finish(complete)

    def take(self) -> tuple[Finding, ...]:
        """The findings since the last call; the result does not list them again."""
        return self._findings.take()

    def overdue(self) -> list[Finding]:
        """The triggers, each once, that can only be met too late any more: as pending, and not counted."""
        found = (finding for monitor in self._monitors for finding in monitor.overdue())
        return [finding for finding in found if finding.code in self.options.codes]

    # Sessions and connections

    def _greet(self, greeting: Greeting, line: int) -> None:
        """A connection begins: to a new process if the one before is over, otherwise perhaps to the same."""
        both_known = None not in (greeting.version, self._version)
        differs = both_known and greeting.version != self._version
        if self._session.is_ending or differs:
            self._end_session(line, complete=True)
        elif not self._is_new:
            for monitor in self._monitors:
                monitor.reconnected()
        self._new_connection()
        if differs or self._version is None:
            self._version = greeting.version
            told = version.of_greeting({"QMP": {"version": greeting.version}})
            self._session.series = told[:2] if told else self.options.series
            if told and len(self._versions) < _MOST_VERSIONS:
                self._versions[told] = None
        self._is_new = False

    def _end_session(self, line: int, complete: bool) -> None:
        for monitor in self._monitors:
            monitor.finish(line, complete)
        self._session.reset()

    def _new_connection(self) -> None:
        self._time_order.reset()
        self._rate_limits.reset()
        self._sent.clear()

    # Messages

    def _step(self, column: Column) -> None:
        """The next messages of a session; no greeting is among them."""
        if not column.kinds:
            return
        self._is_new = False
        events = column.without(Command, Reply) if self._plan.commands else column
        self._events += len(events.kinds)
        if events.kinds and self._checks_time:
            self._time_order.step(events)
            if self._has_bounds:
                self._session.latest.step(events.events, events.lines)
        by_kind, by_name, last = self._plan.by_kind, self._plan.by_name, self._session.last
        is_watched = map(self._plan.watched.__contains__, column.kinds)
        for seen in map(
            _seen, compress(zip(column.lines, column.events, column.kinds, strict=True), is_watched)
        ):
            steps = by_kind.get(seen.kind)
            if steps is None:
                if seen.kind is RejectedEvent:
                    steps = by_name.get(seen.message.event, NOTHING)
                else:
                    self._take_command(seen) if seen.kind is Command else self._take_reply(seen.message)
                    continue
            for waiting, step in steps.awaited:
                if waiting.open:
                    step(seen)
            for step in steps.others:
                step(seen)
            last[steps.name] = seen

    def _take_command(self, seen: Seen) -> None:
        """A command triggers rules, until its reply says that it failed."""
        arguments = seen.message.arguments
        triggered = [
            monitor
            for condition, monitor in self._plan.commands.get(seen.message.name, ())
            if condition.holds(arguments)
        ]
        for monitor in triggered:
            monitor.on_trigger(seen)
        self._sent.append(_Sent(seen.message.id, seen.line, triggered))

    def _take_reply(self, reply: Reply) -> None:
        """A reply is to the oldest command that has its id, or has none like it."""
        sent = next((sent for sent in self._sent if sent.id == reply.id), None)
        if sent:
            self._sent.remove(sent)
            for monitor in sent.triggered if reply.failed else ():
                monitor.cancel(sent.line)

    # Findings

    def _report(self, finding: Finding) -> None:
        self._findings.add(finding)

    def _report_more(self, code: str, event: str, number: int) -> None:
        self._findings.more(code, event, number)

    def _name(self, message: Any) -> str:
        match message:
            case RejectedEvent():
                return message.event
            case Command():
                return message.name
            case _:
                return self._names[type(message)]


class _Sent(NamedTuple):
    """A command without a reply so far: its id, its line, and the monitors that it triggered."""

    id: Any
    line: int
    triggered: Sequence[Monitor]


_MOST_VERSIONS = 20
"""Versions in greetings that are remembered."""

_MOST_SENT = 1000
"""Commands that wait for their replies; QEMU itself queues far fewer."""

_seen: Callable[[Any], Seen] = functools.partial(tuple.__new__, Seen)
"""Makes a `Seen` of a triple, in half the time that its constructor takes."""
