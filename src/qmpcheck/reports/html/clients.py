"""Which of the clients whose lists come with qmpcheck a change concerns."""

from __future__ import annotations

from collections.abc import Sequence

from qmpcheck.drift import client_usage, client_usage_file
from qmpcheck.drift.change import Change
from qmpcheck.rulebase import RuleBase


class ClientNames:
    """Says which clients changes between specs concern.

    Args:
        specs: all of those.
    """

    def __init__(self, specs: Sequence[RuleBase]) -> None:
        self._usages = {
            name: client_usage_file.load(name, specs).uses for name in client_usage_file.clients()
        }

    def of(self, change: Change) -> list[str]:
        """The clients that a change concerns."""
        return [name for name, uses in self._usages.items() if client_usage.touches(change, uses)]
