"""The commands that QEMU's releases have, and their arguments: `commands.json` beside the rule bases."""

from __future__ import annotations

import functools

import msgspec

from qmpcheck.checking.session import Series
from qmpcheck.rulebase import Object
from qmpcheck.specs import catalogue

IN_SCHEMA = (2, 8)
"""The first release whose schema has every command; before, some were described elsewhere."""


class CommandInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command of QEMU.

    Attributes:
        since: the first release whose schema has it, as (major, minor).
        until: the last such release; None if the newest one has it.
        arguments: all arguments that it has ever had, without what is inside of them.
        returns: the JSON type of its result.
        allows_oob: whether it can be executed out of band (`exec-oob`).
    """

    since: Series
    until: Series | None = None
    arguments: Object = Object()
    returns: str = "object"
    allows_oob: bool = False


@functools.cache
def all_commands() -> dict[str, CommandInfo]:
    """Return the commands of all releases, by name."""
    return msgspec.json.decode(catalogue.rules_file("commands.json"), type=dict[str, CommandInfo])


def of_release(series: Series | None) -> dict[str, CommandInfo]:
    """Return the commands of a release, or of all releases if it is unknown or older than `IN_SCHEMA`."""
    found = all_commands()
    if series is None or series < IN_SCHEMA:
        return found  # a rule about an unknown command is an error, so rather too many than too few
    return {
        name: each
        for name, each in found.items()
        if each.since <= series and (each.until is None or series <= each.until)
    }
