"""Commands and their replies: the steps that a command causes, at once and when its reply comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from qmpcheck.checking.temporal_rule import Condition
from qmpcheck.checking.timestamps import Seen
from qmpcheck.streams.messages import Command

Step = Callable[[Seen], object]
"""Handles one message."""


class Triggered(Protocol):
    """The part of a `monitors.Monitor` that commands need; that module imports this one."""

    def applies(self, trigger: Seen) -> bool:
        """Return whether the rule applies to a trigger in the present state."""

    def on_trigger(self, trigger: Seen) -> None:
        """Handle a trigger."""

    def on_reply(self, trigger: Seen, reply: int, failed: bool) -> None:
        """Handle the reply to a trigger, on the line `reply`."""


class CommandSteps:
    """The steps that commands of one name cause, each on a condition.

    Attributes:
        at_once: steps taken when the command is sent, before it triggers anything.
        triggered: the monitors that it triggers.
        afterwards: steps taken when it is sent, after it has triggered.
        at_success: steps taken when its reply says that it succeeded.
    """

    def __init__(self) -> None:
        self.at_once: list[tuple[Condition, Step]] = []
        self.triggered: list[tuple[Condition, Triggered]] = []
        self.afterwards: list[tuple[Condition, Step]] = []
        self.at_success: list[tuple[Condition, Step]] = []


class _SentCommand(msgspec.Struct, frozen=True):
    """A command that has no reply yet.

    Attributes:
        id: the `id` that its reply will repeat; None if it has none.
        triggered: the monitors that it triggered, each with the trigger: the command, or one that it contains
            (`transaction`).
        at_success: the steps to take when its reply says that it succeeded, each with its command.
    """

    id: Any
    triggered: Sequence[tuple[Triggered, Seen]]
    at_success: Sequence[tuple[Step, Seen]]


class SentCommands:
    """The commands of a connection that have no reply yet.

    Attributes:
        open: these commands, oldest first. Replies are ignored while there are none.
        last: the line of the last command; 0 if there was none.
    """

    def __init__(self) -> None:
        self.open: deque[_SentCommand] = deque(maxlen=_MOST_SENT)
        self.last = 0

    def reset(self) -> None:
        """Forget everything: a new process begins."""
        self.open.clear()
        self.last = 0

    def reconnected(self) -> None:
        """Forget the open commands: QEMU sends a reply only on the connection of its command."""
        self.open.clear()

    def on_command(self, steps_of: Mapping[str, CommandSteps], seen: Seen) -> None:
        """Take the steps of a command and of those that it contains, and remember it until its reply comes.

        Args:
            steps_of: the steps of each command, by its name.
            seen: the command.
        """
        # A transaction triggers what its actions do: each is a message on the line of the command.
        triggered: list[tuple[Triggered, Seen]] = []
        at_success: list[tuple[Step, Seen]] = []
        for part in seen.message.parts:
            if steps := steps_of.get(part.name):
                self._take(Seen(seen.line, part, Command), steps, triggered, at_success)
        self.last = seen.line
        # Commands that cause nothing are remembered, too: without an `id`, only their order shows which
        # reply is theirs.
        self.open.append(_SentCommand(seen.message.id, triggered, at_success))

    def _take(
        self,
        seen: Seen,
        steps: CommandSteps,
        triggered: list[tuple[Triggered, Seen]],
        at_success: list[tuple[Step, Seen]],
    ) -> None:
        for condition, step in steps.at_once:
            if condition.matches(seen.value_of):
                step(seen)
        for condition, monitor in steps.triggered:
            if condition.matches(seen.value_of) and monitor.applies(seen):
                monitor.on_trigger(seen)
                triggered.append((monitor, seen))
        for condition, step in steps.afterwards:
            if condition.matches(seen.value_of):
                step(seen)
        at_success += [
            (step, seen) for condition, step in steps.at_success if condition.matches(seen.value_of)
        ]

    def on_reply(self, seen: Seen) -> None:
        """Handle a reply: to the oldest open command with the same `id`, or with none, too."""
        sent = next((sent for sent in self.open if sent.id == seen.message.id), None)
        if sent is None:
            return  # its command came before the recording began, or is not in the log
        self.open.remove(sent)
        failed = seen.message.failed
        for monitor, command in sent.triggered:
            monitor.on_reply(command, seen.line, failed)
        for step, command in () if failed else sent.at_success:
            step(command)


_MOST_SENT = 1000
"""Open commands that are remembered; QEMU itself queues far fewer."""
