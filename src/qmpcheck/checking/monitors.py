"""Monitors: each tracks one temporal rule through one stream, forward, one message after the other.

There is one class for each kind of rule; that of the usual kind has a module of its own, `response`. The
methods `on_trigger`, `on_response` and so on are steps of a `plan`, taken for the messages that match the
rule's patterns, in the order of the stream. One message can match several patterns: it is a response first,
and then a trigger, so that no message is its own response. The checker calls `finish` at the end of each
session; the monitor is then ready for the next one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from qmpcheck.checking.accessors import data_of
from qmpcheck.checking.session import Key, Session, key_reader
from qmpcheck.checking.temporal_rule import Excuse, TemporalRule
from qmpcheck.checking.timestamps import Seen
from qmpcheck.codes import RULE_CODES
from qmpcheck.finding import Finding
from qmpcheck.streams.messages import Command
from qmpcheck.text import name, safe, shortened

Outcome = Literal["met", "not needed", "late", "missing", "pending", "unpreceded", "present"]


class Judgement(msgspec.Struct, frozen=True):
    """What a monitor decided about one message.

    Attributes:
        rule: the rule.
        line: the line of the message.
        outcome: what was decided.
        response: the line of the response, early or late; None if none came.
        erratum: the known erratum that covers it, "" for none.
    """

    rule: TemporalRule
    line: int
    outcome: Outcome
    response: int | None = None
    erratum: str = ""


class Reporter(msgspec.Struct, frozen=True):
    """The functions that monitors report to.

    Attributes:
        finding: takes each finding.
        more: takes the code, the event, the number and the rule's title of findings that are only counted.
        judgement: takes each judgement, also those that are no finding; None if nobody needs them.
        name_of: returns the name of a message.
    """

    finding: Callable[[Finding], object]
    more: Callable[[str, str, int, str], object]
    judgement: Callable[[Judgement], object] | None
    name_of: Callable[[Any], str]


class Monitor:
    """Tracks one temporal rule through one stream.

    Attributes:
        rule: the rule.
        session: the state that the messages of the present QEMU process show.
        open: whether the monitor waits for anything, by its truth. While it does not, it need not learn of
            responses, nor of the end of a session.

    Args:
        rule: the rule.
        session: shared by all monitors of a checker.
        reporter: takes what the monitor finds.
    """

    open: Any = True

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        self.rule, self.session, self._reporter = rule, session, reporter
        self._trigger_key = key_reader(tuple(path for path, _ in rule.same))
        self._response_key = key_reader(tuple(path for _, path in rule.same))
        self._states = [
            (session.state(state), key_reader(tuple(path for path, _ in state.same)), is_required)
            for state, is_required in [(rule.during, True), *((each, False) for each in rule.unless)]
            if state
        ]

    def reconnected(self) -> None:
        """Handle a new connection to the same process: messages may be missing before it."""

    def applies(self, trigger: Seen) -> bool:
        """Return whether a trigger comes in a state in which the rule applies."""
        return all(
            tracker.includes(key(trigger)) == is_required for tracker, key, is_required in self._states
        )

    def on_trigger(self, trigger: Seen) -> None:
        """Handle a trigger."""

    def on_response(self, response: Seen) -> None:
        """Handle one of the responses."""

    def on_until(self, until: Seen) -> None:
        """Handle a message that ends an absence for its key."""

    def on_until_all(self, until: Seen) -> None:
        """Handle a message that ends an absence for every key."""

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        """Handle the reply to a trigger that is a command.

        Args:
            trigger: the command.
            reply: the line of the reply.
            failed: whether the reply is an error.
        """

    def on_situation(self, excuse: Excuse, begin: Seen) -> None:
        """Handle the event that begins the situation of an erratum."""

    def on_ending(self, shutdown: Seen) -> None:
        """Handle the SHUTDOWN with which the process begins to end."""

    def finish(self, end: int, complete: bool) -> None:
        """Report what is open at the end of a session, and forget it.

        Args:
            end: the last line of the session.
            complete: whether the session is known to be over, so that nothing can come any more.
        """

    def overdue(self) -> Iterator[Finding]:
        """Yield the open triggers whose bound has passed, each once, as pending findings."""
        return iter(())

    def _judge(self, outcome: Outcome, seen: Seen, response: Seen | None = None, erratum: str = "") -> None:
        if self._reporter.judgement:
            line = response.line if response else None
            self._reporter.judgement(Judgement(self.rule, seen.line, outcome, line, erratum))

    def _finding(
        self,
        outcome: Outcome,
        seen: Seen,
        observed: str,
        erratum: str = "",
        searched: int | None = None,
    ) -> Finding:
        """Return the finding on a message.

        Args:
            outcome: what was decided.
            seen: the message.
            observed: what happened, in words.
            erratum: the known erratum that covers it, "" for none.
            searched: the last line that was searched for a response.
        """
        data = data_of(seen.message)
        carries = safe(shortened(_to_json()(data), 200)) if data else ""
        is_command = seen.kind is Command
        about = f"its arguments are {carries}" if is_command else f"the event carries {carries}"
        if not carries:
            about = "it has no arguments" if is_command else "the event has no data"
        title = f"{safe(self.rule.name)}: " if self.rule.name else ""
        return Finding(
            RULE_CODES[outcome],
            seen.line,
            f"{title}{self.rule.text}, but {observed}",
            name(self._reporter.name_of(seen.message)),
            spec_line=self.rule.line,
            spec_file=self.rule.file,
            searched=searched,
            carries=about,
            erratum=erratum,
            rule=safe(self.rule.title),
        )


@functools.cache
def _to_json() -> Callable[[Any], str]:
    import json  # a stream without findings does not need it

    return json.JSONEncoder(default=str).encode


class Precedence(Monitor):
    """Before a trigger, one of the responses came."""

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        super().__init__(rule, session, reporter)
        self._seen: set[Key] = set()
        self._is_certain = True

    def reconnected(self) -> None:
        self._is_certain = False  # a response may have come while no client was connected

    def on_response(self, response: Seen) -> None:
        key = self._response_key(response)
        if key is not None:
            self._seen.add(key)

    def on_trigger(self, trigger: Seen) -> None:
        if self._trigger_key(trigger) in self._seen:
            self._judge("met", trigger)
        elif self._is_certain:
            self._judge("unpreceded", trigger)
            self._reporter.finding(self._finding("unpreceded", trigger, "none came"))

    def finish(self, end: int, complete: bool) -> None:
        self._seen.clear()
        self._is_certain = True


class Absence(Monitor):
    """After a trigger, none of the responses comes, or none until one of `until` comes.

    A forbidden response does not end the absence: the next one is a finding, too.

    Attributes:
        open: the keys for which the responses are forbidden now, each with the lines of the triggers that
            forbid them. A command that fails takes back only what it forbade itself.
    """

    def __init__(self, rule: TemporalRule, session: Session, reporter: Reporter) -> None:
        super().__init__(rule, session, reporter)
        self.open: dict[Key, set[int]] = {}

    def reconnected(self) -> None:
        if self.rule.until or self.rule.until_all:
            self.open.clear()  # one of `until` may have come while no client was connected

    def on_response(self, response: Seen) -> None:
        if self._response_key(response) in self.open:
            self._judge("present", response)
            erratum = next((each.erratum for each in self.rule.excuses), "")
            self._reporter.finding(self._finding("present", response, "this one did", erratum))

    def on_until(self, until: Seen) -> None:
        self.open.pop(self._response_key(until), None)

    def on_until_all(self, until: Seen) -> None:
        self.open.clear()

    def on_trigger(self, trigger: Seen) -> None:
        key = self._trigger_key(trigger)
        if key is None:
            return
        if trigger.kind is Command and self.rule.error_closes:
            self.open.setdefault(key, set()).add(trigger.line)
        else:
            self.open[key] = {trigger.line}

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        key = self._trigger_key(trigger)
        lines = self.open.get(key, set())
        if trigger.line not in lines:
            return  # one of `until` came since, or another command has succeeded
        if not failed:
            self.open[key] = {trigger.line}  # the replies to the other commands change nothing any more
        elif self.rule.error_closes:
            lines.remove(trigger.line)
            if not lines:
                del self.open[key]

    def finish(self, end: int, complete: bool) -> None:
        self.open.clear()


class Never(Monitor):
    """A trigger does not come at all."""

    def on_trigger(self, trigger: Seen) -> None:
        self._judge("present", trigger)
        self._reporter.finding(self._finding("present", trigger, "this one did"))
