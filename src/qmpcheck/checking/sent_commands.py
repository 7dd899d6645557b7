"""Commands and their replies: what a command makes happen, at once and when its reply comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from qmpcheck.checking.temporal_rule import Condition
from qmpcheck.checking.timestamps import Seen
from qmpcheck.streams.messages import Command

Step = Callable[[Seen], object]


class Triggered(Protocol):
    """What a command can trigger: see `monitors.Monitor`."""

    def applies(self, trigger: Seen) -> bool:
        """Whether it is triggered in the present state."""

    def on_trigger(self, trigger: Seen) -> None:
        """Take the command."""

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        """Take the reply to it, on that line."""


class CommandSteps:
    """What a command makes happen, each on a condition.

    Attributes:
        at_once: steps that are taken when it is sent.
        triggered: the monitors that it triggers.
        afterwards: steps that are taken after that.
        at_success: steps that are taken when it is known to have succeeded.
    """

    def __init__(self) -> None:
        self.at_once: list[tuple[Condition, Step]] = []
        self.triggered: list[tuple[Condition, Triggered]] = []
        self.afterwards: list[tuple[Condition, Step]] = []
        self.at_success: list[tuple[Condition, Step]] = []


class _Sent(NamedTuple):
    """A command without a reply so far.

    Attributes:
        id: what its reply will have, too; None for none.
        triggered: the monitors that it triggered, each with the command, or the one inside of it, that did.
        at_success: the steps that are taken when its reply says that it succeeded.
    """

    id: Any
    triggered: Sequence[tuple[Triggered, Seen]]
    at_success: Sequence[tuple[Step, Seen]]


class SentCommands:
    """The commands of a connection that have no reply so far.

    Attributes:
        open: those commands, oldest first: replies matter only while there are any.
        last: the line of the last command; 0 where there was none.
    """

    def __init__(self) -> None:
        self.open: deque[_Sent] = deque(maxlen=_MOST_SENT)
        self.last = 0

    def reset(self) -> None:
        """Forget all: a new process begins."""
        self.reconnected()
        self.last = 0

    def reconnected(self) -> None:
        """Replies are for the connection on which their commands were sent."""
        self.open.clear()

    def on_command(self, steps_of: Mapping[str, CommandSteps], seen: Seen) -> None:
        """A command, and those in it, trigger rules, until its reply says that it failed.

        Args:
            steps_of: what each command makes happen, by its name.
            seen: the command.
        """
        triggered: list[tuple[Triggered, Seen]] = []
        at_success: list[tuple[Step, Seen]] = []
        for part in seen.message.parts:
            if steps := steps_of.get(part.name):
                self._take(Seen(seen.line, part, Command), steps, triggered, at_success)
        self.last = seen.line
        self.open.append(_Sent(seen.message.id, triggered, at_success))

    def _take(
        self,
        seen: Seen,
        steps: CommandSteps,
        triggered: list[tuple[Triggered, Seen]],
        at_success: list[tuple[Step, Seen]],
    ) -> None:
        for condition, step in steps.at_once:
            if condition.holds_where(seen.value_of):
                step(seen)
        for condition, monitor in steps.triggered:
            if condition.holds_where(seen.value_of) and monitor.applies(seen):
                monitor.on_trigger(seen)
                triggered.append((monitor, seen))
        for condition, step in steps.afterwards:
            if condition.holds_where(seen.value_of):
                step(seen)
        at_success += [
            (step, seen) for condition, step in steps.at_success if condition.holds_where(seen.value_of)
        ]

    def on_reply(self, seen: Seen) -> None:
        """A reply is to the oldest command that has its id, or has none like it."""
        sent = next((sent for sent in self.open if sent.id == seen.message.id), None)
        if sent is None:
            return
        self.open.remove(sent)
        failed = seen.message.failed
        for monitor, command in sent.triggered:
            monitor.on_reply(command, seen.line, failed)
        for step, command in () if failed else sent.at_success:
            step(command)


_MOST_SENT = 1000
"""Commands that wait for their replies; QEMU itself queues far fewer."""
