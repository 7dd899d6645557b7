"""A guest without code of its own: what it would do is done from outside, over qtest."""

from __future__ import annotations

import struct
from typing import Any

from qmpcheck.gate.board import PCI, Ability, Setting
from qmpcheck.gate.qtest import QTest

COMMAND, HEADER, CAPABILITIES = 0x04, 0x0E, 0x34
"""Registers of PCI configuration space."""

_PORTS, _MEMORY, _MASTER = 1, 2, 4

_MOST_CAPABILITIES = 48
"""As many as there is room for, should their list have no end."""


class Guest(QTest):
    """A machine's devices and memory, driven from outside.

    Args:
        path: of the qtest socket.
        setting: the board, and what the scenario needs of it.
        sent: takes each command that is sent over qtest.
    """

    def __init__(self, path: str, setting: Setting, sent: list[str] | None = None) -> None:
        super().__init__(path, sent)
        self.board = setting.board
        self._features = setting.features

    def do(self, ability: Ability, *arguments: Any) -> None:
        """Make use of an ability that the scenario says it needs."""
        self._features[ability].act(self, *arguments)

    @property
    def pci(self) -> PCI:
        """How the board's PCI buses are reached."""
        assert self.board.pci
        return self.board.pci

    def place(self, function: int, bar: int, address: int = 0) -> int:
        """Put the registers of a PCI function where they can be used, and let it use memory.

        Args:
            function: the function.
            bar: the register that holds the address.
            address: on the bus; 0 for where memory of devices may be.

        Returns: their address for the CPU.
        """
        address = address or self.pci.memory
        self.pci.write(self, function, bar, struct.pack("<I", address))
        self.pci.write(self, function, COMMAND, struct.pack("<H", _PORTS | _MEMORY | _MASTER))
        return address + self.pci.shift

    def capability(self, function: int, kind: int) -> int:
        """The register at which a capability of a PCI function begins; 0 if it has none of that kind."""
        at = self.pci.read(self, function, CAPABILITIES) & 0xFF
        for _ in range(_MOST_CAPABILITIES):
            header = self.pci.read(self, function, at)
            if header & 0xFF == kind:
                return at
            at = header >> 8 & 0xFF
        return 0
