"""A guest without an operating system: what its drivers would do is done from outside, over qtest."""

from __future__ import annotations

import struct
from typing import Any

from qmpcheck.gate.board import PCI, Ability, Setting
from qmpcheck.gate.qtest import QTest

COMMAND, CAPABILITIES = 0x04, 0x34
"""Registers of PCI configuration space."""

# Bits of the command register: what the function answers to, and that it may use memory itself.
_PORTS, _MEMORY, _MASTER = 1, 2, 4

_MOST_CAPABILITIES = 48
"""How many capabilities configuration space has room for: a faulty list may have no end."""


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
        """Use an ability that the scenario says that it needs."""
        self._features[ability].act(self, *arguments)

    @property
    def pci(self) -> PCI:
        """How to reach the board's PCI buses."""
        assert self.board.pci
        return self.board.pci

    def place(self, function: int, bar: int, address: int = 0) -> int:
        """Map the registers of a PCI function, as firmware would, and let it use memory.

        Args:
            function: the function.
            bar: the configuration register for the address.
            address: an address on the bus; 0 for the free one that the board names.

        Returns: the address of the registers for the CPU.
        """
        address = address or self.pci.memory
        self.pci.write(self, function, bar, struct.pack("<I", address))
        self.pci.write(self, function, COMMAND, struct.pack("<H", _PORTS | _MEMORY | _MASTER))
        return address + self.pci.shift

    def capability(self, function: int, kind: int) -> int:
        """The register at which a PCI function's capability of a kind begins; 0 if it has none."""
        at = self.pci.read(self, function, CAPABILITIES) & 0xFF
        for _ in range(_MOST_CAPABILITIES):
            header = self.pci.read(self, function, at)
            if header & 0xFF == kind:
                return at
            at = header >> 8 & 0xFF
        return 0
