"""Answer a client's messages as QEMU does: negotiation first, then commands, with one reply each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from qmpcheck.replaying.release import CommandFailed, ReplayedRelease

NEGOTIATION = "qmp_capabilities"
_EXECUTE, _OOB = "execute", "exec-oob"

ServerAnswer = Callable[[str, dict[str, Any]], Any]
"""Takes a command's name and arguments; returns the value of its reply, or raises `CommandFailed`."""


class ServerReply(NamedTuple):
    """A reply, and what it is the reply to.

    Attributes:
        message: the reply, which has the command's `id`.
        command: the command's name, if it was executed; "" otherwise.
        arguments: the command's; None if it was not executed.
    """

    message: dict[str, Any]
    command: str = ""
    arguments: dict[str, Any] | None = None


class Negotiator:
    """Takes the messages of one connection in their order.

    Args:
        release: says which commands there are.
        answer: executes a command.

    Attributes:
        has_negotiated: whether commands other than `qmp_capabilities` are accepted.
    """

    def __init__(self, release: ReplayedRelease, answer: ServerAnswer) -> None:
        self.has_negotiated = False
        self._release, self._answer = release, answer
        self._is_oob_enabled = False

    def reply(self, message: Any) -> ServerReply:
        """Return the reply to a message, whatever JSON value that is."""
        identity = {"id": message["id"]} if isinstance(message, dict) and "id" in message else {}
        try:
            name, arguments, is_oob = self._command(message)
            value = self._executed(name, arguments, is_oob)
        except CommandFailed as error:
            return ServerReply({**identity, **failure(error)})
        return ServerReply({"return": value, **identity}, name, arguments)

    def _command(self, message: Any) -> tuple[str, dict[str, Any], bool]:
        """Return the name and the arguments of a command, and whether to execute it out of band.

        Raises:
            CommandFailed: it is not a command; the texts are QEMU's.
        """
        if not isinstance(message, dict):
            raise CommandFailed("QMP input must be a JSON object")
        commands = [_EXECUTE, _OOB] if self._is_oob_enabled else [_EXECUTE]
        given = [each for each in message if each in commands]
        for key, value in message.items():
            if key in commands and len(given) > 1:
                raise CommandFailed(f"QMP input member '{_EXECUTE}' clashes with '{_OOB}'")
            if key in commands and not isinstance(value, str):
                raise CommandFailed(f"QMP input member '{key}' must be a string")
            if key == "arguments" and not isinstance(value, dict):
                raise CommandFailed("QMP input member 'arguments' must be an object")
            if key not in (*commands, "arguments", "id"):
                raise CommandFailed(f"QMP input member '{key}' is unexpected")
        if not given:
            raise CommandFailed(f"QMP input lacks member '{_EXECUTE}'")
        return message[given[0]], message.get("arguments", {}), given[0] == _OOB

    def _executed(self, name: str, arguments: dict[str, Any], is_oob: bool) -> Any:
        if name == NEGOTIATION and not is_oob:
            return self._negotiate(arguments)
        if not self.has_negotiated:
            raise CommandFailed(f"Expecting capabilities negotiation with '{NEGOTIATION}'", _NOT_FOUND)
        if name not in self._release.commands:
            raise CommandFailed(f"The command {name} has not been found", _NOT_FOUND)
        if is_oob and not self._release.commands[name].allows_oob:
            raise CommandFailed(f"The command {name} does not support OOB")
        return self._answer(name, arguments)

    def _negotiate(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.has_negotiated:
            raise CommandFailed("Capabilities negotiation is already complete, command ignored", _NOT_FOUND)
        wanted = arguments.get("enable", [])
        if not isinstance(wanted, list):
            raise CommandFailed("Invalid parameter type for 'enable', expected: array")
        for at, each in enumerate(wanted):
            if not isinstance(each, str):
                raise CommandFailed(f"Invalid parameter type for 'enable[{at}]', expected: string")
            if each != "oob":
                # QEMU says 'null' for an item of a list, which has no name.
                raise CommandFailed(f"Parameter 'null' does not accept value '{each}'")
        strange = next((each for each in arguments if each != "enable"), None)
        if strange is not None:
            raise CommandFailed(f"Parameter '{strange}' is unexpected")
        if wanted and not self._release.offers_oob:
            raise CommandFailed("Capability oob not available")
        self.has_negotiated, self._is_oob_enabled = True, bool(wanted)
        return {}


_NOT_FOUND = "CommandNotFound"


def failure(error: CommandFailed) -> dict[str, Any]:
    """Return an error reply, without its `id`."""
    return {"error": {"class": error.kind, "desc": str(error)}}
