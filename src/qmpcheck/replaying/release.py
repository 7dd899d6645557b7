"""A release as a client sees it: its commands, their arguments, and what it says about itself."""

from __future__ import annotations

import functools
from typing import Any

from qmpcheck import rulebase
from qmpcheck.checking.command_info import IN_SCHEMA, CommandInfo, all_commands
from qmpcheck.generating.greeting import greeting
from qmpcheck.replaying import machine
from qmpcheck.rulebase import Object, RuleBase, SpecError
from qmpcheck.specs import catalogue, schema_reply
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import safe
from qmpcheck.version import Version
from qmpcheck.version import of_greeting as version_of


class CommandFailed(Exception):
    """A command that is answered with an error.

    Attributes:
        kind: the error's class.
    """

    def __init__(self, description: str, kind: str = "GenericError") -> None:
        super().__init__(description)
        self.kind = kind


class ReplayedRelease:
    """The release that a server plays.

    Args:
        spec: its rules.
        sent: the greeting in a recording; None for the one that the release sends.

    Attributes:
        rule_base: its events.
        series: the release as (major, minor).
        greeting: the first message that it sends.
        commands: those that it has.
        rules: what commands cause.

    Raises:
        SpecError: the spec is not that of a release, so its commands are unknown.
    """

    def __init__(self, spec: Spec, sent: dict[str, Any] | None = None) -> None:
        self.greeting = greeting(spec) if sent is None else sent
        series = catalogue.series(spec)
        # What a recording says of itself counts before the spec that was named.
        version = version_of(self.greeting) or spec.origin.version or (series and Version(*series))
        if version is None:
            raise SpecError(f"{safe(spec.name)}: not a release of QEMU, so its commands are unknown")
        self.rule_base: RuleBase = spec.rule_base
        self.series = (version.major, version.minor)
        self.commands = _commands(self.series)
        self.rules = machine.rules(self.rule_base, self.series)

    @property
    def offers_oob(self) -> bool:
        """Whether clients can enable out-of-band execution."""
        capabilities = self._said.get("capabilities")
        return isinstance(capabilities, list) and "oob" in capabilities

    @property
    def _said(self) -> dict[str, Any]:
        """The content of its greeting; {} if a recording has an invalid one."""
        said = self.greeting["QMP"]
        return said if isinstance(said, dict) else {}

    def answer(self, name: str, arguments: dict[str, Any], status: str) -> Any:
        """Return the value of a command's reply; an empty one where QEMU would describe its machine.

        Args:
            name: the command; the release has it.
            arguments: its arguments.
            status: the machine's status, as in `query-status`.

        Raises:
            CommandFailed: the command does not accept these arguments.
        """
        _check(self.commands[name].arguments, arguments)
        match name:
            case "query-version":
                return self._said.get("version", {})
            case "query-commands":
                return [{"name": each} for each in self.commands]
            case "query-events":
                return [{"name": each} for each in self.rule_base.events]
            case "query-qmp-schema":
                return self._schema
            case "query-status":
                single_step = {} if self.series >= _NO_SINGLE_STEP else {"singlestep": False}
                return {"status": status, **single_step, "running": status == "running"}
        return _EMPTY[self.commands[name].returns]

    @functools.cached_property
    def _schema(self) -> list[dict[str, Any]]:
        return schema_reply.reply(self.rule_base)


_NO_SINGLE_STEP = (9, 0)
"""The first release whose `query-status` does not say whether the machine is single-stepped."""

_EMPTY: dict[str, Any] = {"object": {}, "array": [], "string": "", "integer": 0}
"""An empty value of each JSON type that commands return."""


def _commands(series: tuple[int, int]) -> dict[str, CommandInfo]:
    """Return the commands of a release.

    Releases before `IN_SCHEMA` described some elsewhere: they get what the first complete schema has.
    """
    newest = max(series, IN_SCHEMA)
    return {
        name: each
        for name, each in all_commands().items()
        if each.since <= newest and (each.until is None or series <= each.until)
    }


def _check(known: Object, given: dict[str, Any]) -> None:
    """Check the first level of a command's arguments.

    Raises:
        CommandFailed: one is missing, has the wrong JSON type, or is unknown.
    """
    # QEMU reads arguments in the order of its schema, and answers with the first error.
    members = list(known.members)
    for member in members:
        if member.name not in given:
            if not member.optional:
                raise CommandFailed(f"Parameter '{member.name}' is missing")
        elif not _is_of(given[member.name], member.type):
            expected = _EXPECTED[type(member.type)]
            raise CommandFailed(f"Invalid parameter type for '{member.name}', expected: {expected}")
    strange = next((name for name in given if known.member(name) is None), None)
    if strange is not None and not known.open:
        raise CommandFailed(f"Parameter '{strange}' is unexpected")


_PYTHON: dict[type[rulebase.Type], tuple[type, ...]] = {
    rulebase.String: (str,),
    rulebase.Integer: (int, float),
    rulebase.Number: (int, float),
    rulebase.Boolean: (bool,),
    rulebase.Array: (list,),
    rulebase.Object: (dict,),
    rulebase.Enum: (str,),
}
_EXPECTED: dict[type[rulebase.Type], str] = {
    kind: "string" if kind is rulebase.Enum else name for kind, name in rulebase.JSON_TYPES.items()
}


def _is_of(value: Any, described: rulebase.Type) -> bool:
    expected = _PYTHON.get(type(described))
    if expected is None:
        return True
    # In Python, True is an integer.
    return isinstance(value, expected) and (bool in expected or not isinstance(value, bool))
