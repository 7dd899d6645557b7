"""What a board is: a machine type as scenarios use it, and how what is on it is driven from outside."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import msgspec

from qmpcheck.gate.build import Build
from qmpcheck.gate.qtest import QTest

SLOT = 5
"""A slot of the first PCI bus that is free on all boards."""


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
"""An ability of the board, or a type of device; in that `{bus}` is the bus of the board's virtio devices."""


class Feature(msgspec.Struct, frozen=True):
    """One way in which a board has an ability.

    Attributes:
        act: what the guest does; what it takes beside the guest depends on the ability.
        device: the value of `-device` for what does it; "" where the board itself does.
        options: others of the command line.
        firmware: what the CPU runs for it; b"" where it may as well be idle.
        since: the first version of QEMU in which it has an effect.
        where: the properties of a further device that put it where `act` has an effect on it.
    """

    act: Callable[..., object] = lambda *_: None
    device: str = ""
    options: tuple[str, ...] = ()
    firmware: bytes = b""
    since: tuple[int, int] = (0, 0)
    where: str = ""

    @property
    def type(self) -> str:
        """The type of device that the build must have for it; "" for none."""
        return self.device.partition(",")[0]


class PCI(msgspec.Struct, frozen=True):
    """How a board's PCI buses are reached. A function is numbered as `bus << 8 | slot << 3 | function`.

    Attributes:
        read: four bytes of the configuration of a function, from a register on.
        write: write bytes there.
        memory: a free address for the registers of devices, as the bus has it.
        shift: what the CPU has to add to the addresses of the bus.
    """

    read: Callable[[QTest, int, int], int]
    write: Callable[[QTest, int, int, bytes], None]
    memory: int
    shift: int = 0


class Board(msgspec.Struct, frozen=True):
    """A machine type of some emulators.

    Attributes:
        name: as `-machine` takes it, with properties.
        targets: the emulators that have it, by the names of their targets.
        features: in how many ways it has each ability; the first that the build has is taken.
        firmware: the option that takes the file that the CPU runs; "" if there is no CPU.
        idle: what a CPU runs that has nothing to do.
        cpu: the value of `-cpu`; "" for the usual one.
        size: of its memory, as `-m` takes it.
        memory: the address at which memory begins; the first and the last MiB of it are not free.
        pci: how its PCI buses are reached; None if it has none.
        mmio: the address of the registers of a virtio device that has them in memory.
        bus: the bus of its virtio devices, as their names end.
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
        """The options of the command line that make it; `firmware.bin` is what the CPU runs."""
        firmware = (self.firmware, "firmware.bin") if self.firmware else ()
        cpu = ("-cpu", self.cpu) if self.cpu else ()
        accelerator = "tcg" if self.firmware else "tcg:qtest"
        return ("-machine", f"{self.name},accel={accelerator}", *cpu, *firmware)


class Setting(msgspec.Struct, frozen=True):
    """The build and the board that a scenario is played on, and how they have what it needs."""

    build: Build
    board: Board
    features: dict[Ability, Feature] = {}

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command line for the board and what is needed of it."""
        features = self.features.values()
        more = (option for feature in features for option in feature.options)
        devices = dict.fromkeys(feature.device for feature in features if feature.device)
        return (*self.board.options, *more, *(part for device in devices for part in ("-device", device)))

    @property
    def firmware(self) -> bytes:
        """What the CPU runs."""
        special = (feature.firmware for feature in self.features.values() if feature.firmware)
        return next(special, self.board.idle)
