"""A build of QEMU: its version, its events and its commands, as it states them itself."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

from qmpcheck.qmp import introspect
from qmpcheck.qmp.introspect import Unanswered
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs import introspection
from qmpcheck.version import Version


class Build(NamedTuple):
    """A binary and what it says of itself.

    Attributes:
        path: of the binary.
        version: of QEMU.
        rule_base: its events.
        commands: the commands that it knows.
        target: what it emulates, such as `x86_64`; "" for a storage daemon.
        machines: the types of machines that it has, by all their names.
        types: the types of its object model, devices among them.
        drivers: its block drivers; none if it does not say.
    """

    path: str
    version: Version
    rule_base: RuleBase
    commands: frozenset[str]
    target: str = ""
    machines: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    drivers: frozenset[str] = frozenset()

    @property
    def is_system(self) -> bool:
        """Whether it emulates a machine; the storage daemon does not."""
        return "system_reset" in self.commands

    def has(self, event: str, member: str = "") -> bool:
        """Whether it knows the event, and that a member of its data."""
        rule = self.rule_base.events.get(event)
        return rule is not None and (not member or rule.data.member(member) is not None)


def ask(path: str) -> Build:
    """The build at a path, or of the command of that name.

    Raises:
        Unanswered: it cannot be started, or does not answer.
    """
    path = located(path)
    answer = introspect.ask(path)
    try:
        rule_base = introspection.read(answer.schema)
    except introspection.NotIntrospection as error:
        raise Unanswered(str(error)) from None
    commands = frozenset(_commands(answer.schema))
    drivers = introspect.block_drivers(path) if answer.machines else frozenset()
    return Build(
        path, answer.version, rule_base, commands, answer.target, answer.machines, answer.types, drivers
    )


def located(path: str) -> str:
    """The whole path of a binary at a path, or of the command of that name."""
    if os.sep not in path and not os.path.exists(path):
        path = shutil.which(path) or path
    return os.path.abspath(path)


def _commands(schema: list[object]) -> list[str]:
    """The names of commands, which introspection does not mask."""
    infos = [info for info in schema if isinstance(info, dict) and info.get("meta-type") == "command"]
    return [name for info in infos if isinstance(name := info.get("name"), str)]
