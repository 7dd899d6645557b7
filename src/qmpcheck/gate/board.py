"""What a board is: a machine type as scenarios use it, and the guest that drives its devices.

The guest has no operating system: what its drivers would do is done from outside, over qtest.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from qmpcheck.gate.build import Build
from qmpcheck.gate.qtest import QTest

SLOT = 5
"""A slot of the first PCI bus that is free on all boards: the device that a scenario drives is there."""


class Ability(Enum):
    """What a scenario may need of a board.

    The value names it in the reason of a skip: "lacks ... on virt".
    """

    MEMORY = "guest memory"
    CPU = "a CPU"
    DUMP = "dump-guest-memory"
    CLOCK = "an RTC that sends RTC_CHANGE"
    RESET = "a reset by the guest"
    OFF = "a shutdown by the guest"
    SLEEP = "ACPI suspend (S3, S4)"
    WATCHDOG = "a watchdog device"
    PANIC = "a pvpanic device"
    DISABLED_WAIT = "a CPU with a disabled wait"
    CRASH_LOADED = "a pvpanic device that reports a crash kernel"
    PVSHUTDOWN = "a pvpanic device that reports a shutdown"
    MACHINE_CHECK = "the monitor command mce"
    PCI = "a PCI bus"
    IDENTIFY = "control-program identification (SCLP)"
    MEMORY_SLOTS = "ACPI memory hotplug"
    MORE_MEMORY = "memory hotplug (-m maxmem)"
    REFUSAL = "memory that the guest can refuse to unplug (PAPR)"
    EJECT = "PCI hotplug"
    HOT_PCI = "PCI Express hotplug"
    CHANNELS = "a channel subsystem (CCW bus)"
    NETWORK = "a virtio-net device whose events name it"
    VIRTIO = "virtio devices"


Need = Ability | str
"""An ability of the board, or a type of device, in which `{bus}` is the bus of the board's virtio devices."""


class Feature(msgspec.Struct, frozen=True):
    """One way in which a board has an ability.

    Attributes:
        act: what the guest does; its arguments after the guest depend on the ability.
        device: the value of `-device` for the device that is needed; "" if the board itself does it.
        options: further command-line options.
        firmware: what the CPU must run; b"" if it can be idle.
        since: the first version of QEMU in which it has an effect.
        where: the properties that put a further device where `act` has an effect on it.
    """

    act: Callable[..., object] = lambda *_: None
    device: str = ""
    options: tuple[str, ...] = ()
    firmware: bytes = b""
    since: tuple[int, int] = (0, 0)
    where: str = ""

    @property
    def type(self) -> str:
        """The type of the device that is needed; "" for none."""
        return self.device.partition(",")[0]


def having(*abilities: Ability) -> dict[Ability, tuple[Feature, ...]]:
    """The features of a board that has some abilities without anything to be done."""
    return dict.fromkeys(abilities, (Feature(),))


class PCI(msgspec.Struct, frozen=True):
    """How to reach a board's PCI buses. The number of a function is `bus << 8 | slot << 3 | function`.

    Attributes:
        read: returns four bytes of a function's configuration, from a register on.
        write: writes bytes there.
        memory: a free address on the bus for the registers of devices.
        shift: what the CPU adds to an address on the bus.
    """

    read: Callable[[QTest, int, int], int]
    write: Callable[[QTest, int, int, bytes], None]
    memory: int
    shift: int = 0


class Board(msgspec.Struct, frozen=True):
    """A machine type of some emulators.

    Attributes:
        name: the value of `-machine`, with properties.
        targets: the targets of the emulators that have it; none for all.
        features: the ways in which it has each ability; the first that the build has is used.
        firmware: the option for the file that the CPU runs; "" if there is no CPU.
        idle: what the CPU runs if it has nothing to do.
        cpu: the value of `-cpu`; "" for the default.
        size: the size of its memory, as `-m` takes it.
        memory: the address at which memory begins; its first and last MiB are not free.
        pci: how to reach its PCI buses; None if it has none.
        mmio: the address of the registers of a memory-mapped virtio device; 0 if it has none.
        bus: the bus of its virtio devices, as the names of their types end.
    """

    name: str
    targets: frozenset[str]
    features: dict[Ability, tuple[Feature, ...]]
    firmware: str = ""
    idle: bytes = b""
    cpu: str = ""
    size: str = "16M"
    memory: int = 0
    pci: PCI | None = None
    mmio: int = 0
    bus: str = "pci"

    @property
    def type(self) -> str:
        """The machine type's name, without properties."""
        return self.name.partition(",")[0]

    @property
    def options(self) -> tuple[str, ...]:
        """The command-line options for it; `firmware.bin` is what the CPU runs."""
        firmware = (self.firmware, "firmware.bin") if self.firmware else ()
        cpu = ("-cpu", self.cpu) if self.cpu else ()
        # Without a CPU, any accelerator will do; qtest is there even if TCG was not built.
        accelerator = "tcg" if self.firmware else "tcg:qtest"
        return ("-machine", f"{self.name},accel={accelerator}", *cpu, *firmware)


class Setting(msgspec.Struct, frozen=True):
    """The build and the board that a scenario is played on, and the features that it uses."""

    build: Build
    board: Board
    features: dict[Ability, Feature] = {}

    @property
    def options(self) -> tuple[str, ...]:
        """The command-line options for the board and for the features."""
        features = self.features.values()
        more = (option for feature in features for option in feature.options)
        devices = dict.fromkeys(feature.device for feature in features if feature.device)
        return (*self.board.options, *more, *(part for device in devices for part in ("-device", device)))

    @property
    def firmware(self) -> bytes:
        """The content of the file that the CPU runs."""
        special = (feature.firmware for feature in self.features.values() if feature.firmware)
        return next(special, self.board.idle)


_COMMAND, _CAPABILITIES = 0x04, 0x34
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

    def __init__(self, path: str, setting: Setting, sent: list[str]) -> None:
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

    def place(self, function: int, bar: int) -> int:
        """Map the registers of a PCI function, as firmware would, and let it use memory.

        Args:
            function: the function.
            bar: the configuration register for the address.

        Returns: the address of the registers for the CPU.
        """
        self.pci.write(self, function, bar, struct.pack("<I", self.pci.memory))
        self.pci.write(self, function, _COMMAND, struct.pack("<H", _PORTS | _MEMORY | _MASTER))
        return self.pci.memory + self.pci.shift

    def capability(self, function: int, kind: int) -> int:
        """The register at which a PCI function's capability of a kind begins; 0 if it has none."""
        at = self.pci.read(self, function, _CAPABILITIES) & 0xFF
        # The capabilities are a linked list, which begins at this register.
        for _ in range(_MOST_CAPABILITIES):
            header = self.pci.read(self, function, at)
            if header & 0xFF == kind:
                return at
            at = header >> 8 & 0xFF
        return 0
