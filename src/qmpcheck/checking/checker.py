"""The forward pass over a stream: from blocks of lines, in order, to findings.

`Checker.feed` reads a block of lines (`reader`), compares timestamps (`timestamps`), and takes the steps
that each message causes (`plan`), which are mostly methods of `monitors`. `Checker.finish` ends the stream.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import compress, starmap, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from qmpcheck import version
from qmpcheck.checking import errata, timestamps
from qmpcheck.checking.monitors import Judgement, Monitor, Reporter
from qmpcheck.checking.plan import MONITORS, Plan, state_changes
from qmpcheck.checking.reader import Reader
from qmpcheck.checking.result import Findings, Selection, StreamResult
from qmpcheck.checking.session import Series, Session
from qmpcheck.checking.temporal_rule import Level, TemporalRule, follow_ups
from qmpcheck.checking.timestamps import NOTHING, Column, RateLimits, Seen, TimeOrder
from qmpcheck.codes import STREAM_CODES, TIME_CODES
from qmpcheck.finding import UNCHANGED, Finding, Severities
from qmpcheck.rulebase import TEXT, RuleBase
from qmpcheck.streams.messages import Command, Greeting, RejectedEvent, Reply
from qmpcheck.text import name

if TYPE_CHECKING:
    from qmpcheck.checking import timeline


class CheckOptions(msgspec.Struct, frozen=True):
    """How streams are checked.

    Attributes:
        codes: the codes of the findings to report.
        severities: severities that the user sets for some codes.
        max_findings: how many findings of a stream are listed; all are counted.
        assumed: command-line options that QEMU was given, without dashes.
        within: seconds that the spec's follow-ups may take; None for any.
        literal: whether known errata are errors rather than warnings.
        rules: the user's temporal rules, beside those of the spec.
        command_rules: which of the shipped rules about commands are checked in streams with commands.
        selected: titles of temporal rules whose findings are reported, whatever their codes.
        ignored: titles of temporal rules that are not checked, and CODE:EVENT of findings not to report.
        series: the release that wrote the streams, if their greetings do not name it; None if unknown.
        timeline: whether results have a timeline, which takes time and memory.
        lacks_events: whether streams lack some events.
        lacks_commands: whether streams lack some commands or replies.
    """

    codes: frozenset[str] = STREAM_CODES
    severities: Severities = UNCHANGED
    max_findings: int = 10_000
    assumed: tuple[str, ...] = ()
    within: float | None = None
    literal: bool = False
    rules: tuple[TemporalRule, ...] = ()
    command_rules: Level = "strict"
    selected: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    series: Series | None = None
    timeline: bool = False
    lacks_events: bool = False
    lacks_commands: bool = False


class Checker:
    """Checks streams against one spec, one stream after the other.

    Feed it the blocks of a stream in order, then call `finish`; it is then ready for the next stream.

    Args:
        rule_base: the spec.
        options: how streams are checked.
        judged: takes every decision about a message and a temporal rule, also those that are no finding.
        reader: a reader for the same spec and options, to share; None to make one.
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
        self._known = () if self.options.literal else errata.of_spec(rule_base)
        # Without a code about time, neither monitors nor timestamps are needed, which is much faster.
        self._checks_time = bool(self.options.selected) or not TIME_CODES.isdisjoint(self.options.codes)
        rules = self._temporal_rules()
        self._unchecked_rules = tuple(
            rule.title
            for rule in self.options.rules
            if not rule.is_checkable(self.options.lacks_events, self.options.lacks_commands)
        )
        reads_commands = (
            self._checks_time and self.options.command_rules != "none" and not self.options.lacks_commands
        )
        with_commands = any(rule.is_about_commands for rule in rules)
        self._reader = reader or Reader(rule_base, self._known, with_commands or reads_commands)
        self._names = self._reader.names
        self._session = Session()
        self._before_commands: deque[Seen] = deque(maxlen=_MOST_BEFORE_COMMANDS)
        self._late = timestamps.sent_late(rule_base)
        self._recorder: timeline.TimelineRecorder | None = None
        judged = judged or (self._record if self.options.timeline else None)
        self._reporter = Reporter(self._report, self._report_more, judged, self._name)
        self._time_order = TimeOrder(self._names, self._late, self._report)
        limits = timestamps.limits_of(rule_base) if self._checks_time else {}
        self._rate_limits = RateLimits(limits, self._report)
        self._without_command_rules: _RuleSet | None = None
        self._active = self._without_command_rules = self._rule_set(rules)
        self._with_command_rules: dict[Series | None, _RuleSet] = {}
        # An event document says nothing about commands; only a user's rules can need them then.
        self._has_command_rules = reads_commands and rule_base.source != TEXT
        self._known_events = frozenset(map(name, rule_base.events))
        self._begin()

    def another(self) -> Checker:
        """Return a checker like this one, for a stream that is interleaved with others in one log.

        This is cheap: both share the compiled decoder.
        """
        return Checker(self._rule_base, self.options, reader=self._reader)

    def _temporal_rules(self) -> Sequence[TemporalRule]:
        """Return the rules of the spec and of the user; none if the user selected no code about them."""
        options = self.options
        if not self._checks_time:
            return ()
        rules = (*follow_ups(self._rule_base, options.assumed, options.within), *options.rules)
        return self._checkable(rules)

    def _checkable(self, rules: Iterable[TemporalRule]) -> Sequence[TemporalRule]:
        """Return the rules that are not ignored and that such streams can show broken, with their errata."""
        options = self.options
        return [
            errata.with_errata(rule, self._known)
            for rule in rules
            if rule.title not in options.ignored
            and rule.is_checkable(options.lacks_events, options.lacks_commands)
        ]

    def _rule_set(self, rules: Sequence[TemporalRule]) -> _RuleSet:
        """Return monitors and a plan for rules, in addition to those of the spec and of the user."""
        before = self._without_command_rules.monitors if self._without_command_rules else []
        monitors = [
            *before,
            *(MONITORS[rule.kind](rule, self._session, self._reporter) for rule in rules),
        ]
        plan = Plan(self._names, monitors, self._rate_limits, self._session, self._greet)
        bounded = [monitor for monitor in monitors if monitor.rule.within is not None]
        return _RuleSet(monitors, bounded, plan)

    def _add_command_rules(self) -> None:
        """Add the shipped rules about commands, as the stream's first command was read.

        Before that they could not be broken, and most streams have no command: their plan stays small.
        """
        from qmpcheck.checking import command_rules  # most streams have no commands

        self._waits_for_command = False
        series = self._session.series
        # Kept for the next stream: to compile the rules of a release takes longer than a short stream.
        if series not in self._with_command_rules:
            rules = command_rules.of_release(self._rule_base, series, self.options.command_rules)
            self._with_command_rules[series] = self._rule_set(self._checkable(rules))
        self._active = self._with_command_rules[series]
        # Some rules apply only in a state of the machine, which events before the first command have changed.
        changes = state_changes(self._session)
        of_session = takewhile(lambda each: each.kind is not Greeting, reversed(self._before_commands))
        for seen in reversed([*of_session]):
            for condition, step in changes.get(self._name(seen.message), ()):
                if condition.matches(seen.value_of):
                    step(seen)
        self._before_commands.clear()

    def _begin(self) -> None:
        """Begin a stream: forget everything about the one before."""
        options = self.options
        self._findings = Findings(
            Selection(options.codes, options.selected, options.ignored),
            options.max_findings,
            self._known_events,
            options.severities,
        )
        self._has_commands = False
        self._before_commands.clear()
        assert self._without_command_rules
        self._active, self._waits_for_command = self._without_command_rules, self._has_command_rules
        self._line = self._lines = self._events = 0
        self._column, self._kept_until = NOTHING, 0
        self._first_line, self._greeted = 0, None
        self._versions: dict[version.Version, None] = {}
        self._session.series = options.series
        if options.timeline:
            from qmpcheck.checking import timeline  # few reports draw one

            self._recorder = timeline.TimelineRecorder(self._names, self._late)
        self._time_order.reset()
        self._new_connection()

    def feed(
        self, lines: Sequence[bytes], numbers: Sequence[int] | None = None, is_cut: bool = False
    ) -> None:
        """Check the next lines of the stream.

        Args:
            lines: the lines without their newlines.
            numbers: their line numbers, rising; None to count on from the lines before.
            is_cut: whether the stream ends in the middle of the last line.
        """
        if not lines:
            return
        if numbers is None:
            numbers = range(self._line + 1, self._line + 1 + len(lines))
        read = self._reader.read(lines, numbers, is_cut, self._has_commands)
        for finding in read.findings:
            self._report(finding)
        self._step(read.before_commands)
        if read.from_command.kinds:
            self._has_commands = True
            if self._waits_for_command:
                self._add_command_rules()
            self._step(read.from_command)
        self._line = numbers[-1]
        self._lines += len(lines)

    def skip(self) -> None:
        """Note that messages may be missing here, as after a new connection to the same process.

        Open triggers can still be met, but are never reported as missing.
        """
        if self._first_line:
            self._reconnect()
        self._before_commands.clear()
        self._time_order.reset()
        self._new_connection()

    def feed_cut(self, numbers: Sequence[int]) -> None:
        """Report messages that are cut off in the log, by the numbers of their lines."""
        for number in numbers:
            self._report(Finding("QMP106", number, "the log holds only a part of this message"))

    def finish(self, complete: bool = False) -> StreamResult:
        """End the stream, and return its result.

        Args:
            complete: whether its last session is known to be over, so that open triggers are missing their
                responses; otherwise they are pending.
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
            timeline=self._recorder.finish() if self._recorder else None,
            unchecked_rules=self._unchecked_rules,
        )
        self._begin()
        return result

    def check(self, text: bytes, complete: bool = False) -> StreamResult:
        """Check a whole stream in memory, and return its result; `complete` is as for `finish`."""
        lines = text.split(b"\n")
        is_cut = bool(lines[-1])
        self.feed(lines if is_cut else lines[:-1], is_cut=is_cut)
        return self.finish(complete)

    def take(self) -> tuple[Finding, ...]:
        """Return the findings since the last call; the result does not list them again."""
        return self._findings.take()

    def overdue(self) -> list[Finding]:
        """Return the open triggers whose bound has passed, each once, as pending findings.

        The result does not count them: it has its own finding about each trigger.
        """
        found = (finding for monitor in self._active.monitors for finding in monitor.overdue())
        return [finding for finding in found if finding.code in self.options.codes]

    # Sessions and connections

    def _greet(self, seen: Seen) -> None:
        """Handle a greeting: a connection begins.

        It is to a new process if the one before has ended, or if it has another version. Otherwise it may be
        to the same process, whose events nobody recorded in between.
        """
        greeting, line = seen.message, seen.line
        both_known = None not in (greeting.version, self._greeted)
        differs = both_known and greeting.version != self._greeted
        self._keep_latest(line)
        is_over = differs or self._session.is_ending
        if self._recorder:
            self._recorder.connect(is_new=line == self._first_line or is_over)
        if is_over:
            self._end_session(line, complete=True)
        elif line != self._first_line:
            self._reconnect()
        self._new_connection()
        if differs or self._greeted is None:
            self._greeted = greeting.version
            # A greeting with an invalid version is a finding, and shows no release.
            known = version.of_greeting({"QMP": {"version": greeting.version}})
            self._session.series = known[:2] if known else self.options.series
            if known and len(self._versions) < _MOST_VERSIONS:
                self._versions[known] = None

    def _reconnect(self) -> None:
        self._session.reconnected()
        for monitor in self._active.monitors:
            monitor.reconnected()

    def _end_session(self, line: int, complete: bool) -> None:
        # Most sessions end with nothing open: `compress` asks all monitors in C.
        monitors = self._active.monitors
        for monitor in compress(monitors, map(_open, monitors)):
            monitor.finish(line, complete)
        self._session.reset()

    def _new_connection(self) -> None:
        self._rate_limits.reset()
        self._session.sent.reconnected()

    # Messages

    def _step(self, column: Column) -> None:
        """Take the steps of the next messages."""
        if self._recorder:
            # The plan's step for a greeting starts a session in the recorder, so the events before it must
            # have been recorded, and those after it must not.
            for part in column.connections():
                self._step_part(part)
                self._recorder.add(part.without(Greeting))
        else:
            self._step_part(column)

    def _step_part(self, column: Column) -> None:
        if not column.kinds:
            return
        self._first_line = self._first_line or column.lines[0]
        self._step_column(column)
        self._column, self._kept_until = column, 0
        # Most messages have no steps: `compress` and `filter` skip them without a bytecode for each.
        planned = [*map(self._active.plan.by_kind.get, column.kinds)]
        with_steps = compress(zip(column.lines, column.messages, column.kinds, strict=True), planned)
        for (steps, remember), seen in zip(filter(None, planned), starmap(Seen, with_steps), strict=True):
            for waiting, step in steps:  # as in `plan.take`, without a call for each message
                if waiting.open:  # asked just before the step: an earlier step may have opened or closed it
                    step(seen)
            remember(seen)
        self._keep_latest(column.lines[-1] + 1)
        self._column = NOTHING  # the next messages take the memory of these, which is still in the cache

    def _keep_latest(self, end: int) -> None:
        """Keep the timestamps of the present column up to a line, if an open trigger has a bound.

        A session can end in the middle of a column, so this is called before that, and at the end.
        """
        if any(map(_open, self._active.bounded)):
            first, past = (bisect_left(self._column.lines, line) for line in (self._kept_until, end))
            self._session.latest.add(self._column.part(first, past))
        self._kept_until = end

    def _step_column(self, column: Column) -> None:
        """Do what needs no look at single messages: count events, compare timestamps."""
        if self._waits_for_command:
            last = (
                column if len(column.kinds) <= _MOST_BEFORE_COMMANDS else column.part(-_MOST_BEFORE_COMMANDS)
            )
            self._before_commands.extend(map(Seen, last.lines, last.messages, last.kinds))
        timed = column.without(Command, Reply)
        self._events += len(timed.kinds)
        if Greeting in timed.present:
            self._events -= timed.kinds.count(Greeting)
        if timed.kinds and self._checks_time:
            self._time_order.step(timed)

    # Findings

    def _record(self, judgement: Judgement) -> None:
        if self._recorder:
            self._recorder.judge(judgement)

    def _report(self, finding: Finding) -> None:
        self._findings.add(finding)

    def _report_more(self, code: str, event: str, number: int, rule: str) -> None:
        self._findings.more(code, event, number, rule)

    def _name(self, message: Any) -> str:
        match message:
            case RejectedEvent():
                return message.event
            case Command():
                return message.name
            case _:
                return self._names[type(message)]


_open = attrgetter("open")


class _RuleSet(msgspec.Struct, frozen=True):
    """The monitors of some temporal rules, those of them with a bound (`within`), and the plan for all."""

    monitors: Sequence[Monitor]
    bounded: Sequence[Monitor]
    plan: Plan


_MOST_BEFORE_COMMANDS = 300
"""The last messages before the first command that are remembered: they can show the state of the machine."""

_MOST_VERSIONS = 20
"""Versions in greetings that are remembered."""
