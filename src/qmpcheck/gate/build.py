"""A build of QEMU: its version, its events and its commands, as it states them itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from qmpcheck.qmp import introspect
from qmpcheck.qmp.introspect import Unanswered
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs import introspection
from qmpcheck.version import Version


class Build(NamedTuple):
    """A binary, and what it says about itself.

    Attributes:
        path: the binary.
        version: the version of QEMU.
        rule_base: its events.
        commands: the names of its commands.
        target: what it emulates, such as `x86_64`; "" for a storage daemon.
        machines: its machine types, with their aliases.
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
        """Whether it knows an event, or a member of the event's data."""
        rule = self.rule_base.events.get(event)
        return rule is not None and (not member or rule.data.member(member) is not None)

    def lacking(self, options: Sequence[str]) -> str:
        """The first thing in command-line options that the build does not list; "" for none.

        A scenario is skipped for nothing else. What a process writes when it refuses its options is no proof:
        a build that has lost a module writes the same.
        """
        for option, value in pairwise(options):
            for kind, names, listed in self._needs(option, value):
                # A build that lists nothing of a kind does not say what it lacks.
                if listed and listed.isdisjoint(names):
                    return f"the {kind} {names[0].removesuffix(_ACCELERATOR)}"
        return ""

    def _needs(self, option: str, value: str) -> Iterator[tuple[str, Sequence[str], frozenset[str]]]:
        """What an option needs: the kind, the names (one is enough), and all names that the build lists."""
        first, *properties = value.split(",")
        match option:
            case "-machine":
                yield "machine type", [first], self.machines
                for each in properties:
                    if each.startswith("accel="):
                        names = each.removeprefix("accel=").split(":")
                        yield "accelerator", [f"{name}{_ACCELERATOR}" for name in names], self.types
            case "-device":
                yield "device", [first], self.types
            case "--blockdev":
                for driver in _drivers(json.loads(value)):
                    yield "block driver", [driver], self.drivers


_ACCELERATOR = "-accel"
"""How the names of accelerators' types end."""


def _drivers(node: Any) -> Iterator[str]:
    """The drivers of a block node and of the nodes below it."""
    if isinstance(node, dict):
        if "driver" in node:
            yield node["driver"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _drivers(each)


def ask(path: str) -> Build:
    """Ask the binary at a path, or the command of that name, what it has.

    Raises:
        Unanswered: it cannot be started, or does not answer.
    """
    path = located(path)
    answer = introspect.ask(path)
    try:
        rule_base = introspection.read(answer.schema)
    except introspection.NotIntrospection as error:
        raise Unanswered(str(error)) from None
    # Introspection masks the names of types, but not those of commands.
    infos = [info for info in answer.schema if isinstance(info, dict) and info.get("meta-type") == "command"]
    commands = frozenset(name for info in infos if isinstance(name := info.get("name"), str))
    # The schema has the names of all block drivers, whether or not they were built.
    drivers = introspect.block_drivers(path) if answer.machines else frozenset()
    return Build(
        path, answer.version, rule_base, commands, answer.target, answer.machines, answer.types, drivers
    )


def located(path: str) -> str:
    """The absolute path of a binary that is given by a path, or by the name of a command."""
    if os.sep not in path and not os.path.exists(path):
        path = shutil.which(path) or path
    return os.path.abspath(path)
