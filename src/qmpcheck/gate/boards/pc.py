"""PCs: i440FX, Q35, and microvm."""

from __future__ import annotations

import struct
from collections.abc import Callable

import msgspec

from qmpcheck.gate.board import PCI, SLOT, Ability, Board, Feature, Guest, having
from qmpcheck.gate.boards import devices
from qmpcheck.gate.qtest import QTest

_X86 = frozenset({"x86_64", "i386"})

_HALT = b"\xf4" * (1 << 16)
"""`hlt` everywhere: wherever the CPU begins, it waits."""

_ADDRESS, _DATA = 0xCF8, 0xCFC
"""The two ports by which a PC reaches PCI configuration space."""


def _select(guest: QTest, function: int, register: int) -> int:
    """Point the PCI host at a register, and return the port that reads and writes it."""
    guest.outl(_ADDRESS, 1 << 31 | function << 8 | register & 0xFC)
    return _DATA | register & 3


def _read(guest: QTest, function: int, register: int) -> int:
    return guest.inl(_select(guest, function, register))


def _write(guest: QTest, function: int, register: int, data: bytes) -> None:
    port = _select(guest, function, register)
    guest.out({1: "b", 2: "w", 4: "l"}[len(data)], port, int.from_bytes(data, "little"))


_PCI = PCI(_read, _write, memory=0xE000_0000)


def _set_clock(guest: Guest, minutes: int) -> None:
    # The ports of the CMOS clock: choose the register of the minutes, and write them as decimal digits.
    guest.outb(0x70, 0x02)
    guest.outb(0x71, minutes // 10 << 4 | minutes % 10)


def _reset(guest: Guest, way: int = 0) -> None:
    """Reset the machine by the keyboard controller (0) or by the chipset (1)."""
    # The command that pulses the CPU's reset line, and the value for a full reset.
    guest.outb(*((0x64, 0xFE), (0xCF9, 0x06))[way])


_PM_BASE = 0xB000
"""Where the ports of power management go; firmware, which we do not run, would choose the place."""

_PM_CONTROL = _PM_BASE + 4
_SLEEP, _SLEEP_TYPE = 1 << 13, 10


def _sleep(function: int, switch: int, on: int) -> Callable[..., None]:
    """A function that puts the machine to sleep by a chipset whose power management firmware would switch on.

    Args:
        function: the PCI function of the chipset.
        switch: its register that enables power management.
        on: the value to write there.
    """

    def act(guest: Guest, kind: int = 0) -> None:
        _write(guest, function, 0x40, struct.pack("<I", _PM_BASE | 1))
        _write(guest, function, switch, bytes([on]))
        guest.outw(_PM_CONTROL, _SLEEP | kind << _SLEEP_TYPE)

    return act


def _pvpanic(event: int) -> Feature:
    return Feature(lambda guest: guest.outb(0x505, event), "pvpanic")  # the usual port of the ISA device


_IB700 = Feature(lambda guest: guest.outb(0x443, 0xF), "ib700")
"""The guest sets the watchdog to expire at once: 15 is the code for no seconds at all."""


def _eject(guest: Guest) -> None:
    # Registers of ACPI's PCI hot-plug: choose the bus, then eject a slot.
    guest.outl(0xAE10, 0)
    guest.outl(0xAE08, 1 << SLOT)


def _memory_slots(guest: Guest, register: int, value: bytes) -> None:
    for at, byte in enumerate(value):
        guest.outb(0xA00 + register + at, byte)  # registers of ACPI's memory hot-plug


_EVERY = having(Ability.MEMORY, Ability.CPU, Ability.DUMP, Ability.MORE_MEMORY, Ability.MACHINE_CHECK) | {
    Ability.CLOCK: (Feature(_set_clock),),
    Ability.PANIC: (_pvpanic(devices.PANICKED),),
    Ability.CRASH_LOADED: (_pvpanic(devices.CRASH_LOADED),),
    Ability.PVSHUTDOWN: (_pvpanic(devices.SHUTDOWN),),
    Ability.WATCHDOG: (_IB700,),
}

_FULL = (
    having(Ability.PCI, Ability.NETWORK)
    | _EVERY
    | {
        Ability.RESET: (Feature(_reset),),
        Ability.PANIC: (_pvpanic(devices.PANICKED), devices.pvpanic_pci(devices.PANICKED)),
        Ability.CRASH_LOADED: (_pvpanic(devices.CRASH_LOADED), devices.pvpanic_pci(devices.CRASH_LOADED)),
        Ability.PVSHUTDOWN: (_pvpanic(devices.SHUTDOWN), devices.pvpanic_pci(devices.SHUTDOWN)),
        Ability.WATCHDOG: (_IB700, devices.I6300ESB),
        Ability.VIRTIO: (devices.VIRTIO_PCI,),
        Ability.MEMORY_SLOTS: (devices.memory_slots(_memory_slots),),
    }
)

# The function of each chipset that manages power, and the bit that switches its ports on.
_piix4 = _sleep(1 << 3 | 3, 0x80, 1)
_ich9 = _sleep(31 << 3, 0x44, 0x80)

PC = Board(
    "pc",
    _X86,
    _FULL
    | {
        Ability.OFF: (Feature(_piix4),),
        Ability.SLEEP: (Feature(_piix4),),
        Ability.EJECT: (Feature(_eject, where=f"addr={SLOT}"),),
    },
    firmware="-bios",
    idle=_HALT,
    cpu="max",  # not every emulator's usual one knows machine checks
    pci=_PCI,
)

_NATIVE = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
_HOT = (msgspec.structs.replace(devices.ROOT_PORT, options=_NATIVE, since=(6, 1)), devices.ROOT_PORT)
"""Since 6.1, ACPI drives the slots of root ports, unless an option gives them to the guest."""

Q35 = Board(
    "q35",
    _X86,
    _FULL
    | {
        Ability.OFF: (Feature(_ich9),),
        Ability.SLEEP: (Feature(_ich9),),
        Ability.HOT_PCI: _HOT,
        Ability.EJECT: _HOT,
    },
    firmware="-bios",
    idle=_HALT,
    cpu="max",
    pci=_PCI,
)

_EVENTS = 0xFEA0_0200
"""The address of the registers of ACPI's generic event device."""


def _off(guest: Guest) -> None:
    guest.write(_EVENTS, bytes([1 << 5 | 5 << 2]))  # sleep, of the type S5


def _reset_microvm(guest: Guest, _: int = 0) -> None:
    guest.write(_EVENTS + 2, b"\x42")  # the value that the reset register expects


MICROVM = Board(
    "microvm",
    _X86,
    _EVERY
    | {
        Ability.RESET: (Feature(_reset_microvm, since=(6, 0)),),  # before, its reason was guest-shutdown
        Ability.OFF: (Feature(_off),),
        Ability.VIRTIO: (
            Feature(
                options=("-global", "virtio-mmio.force-legacy=false"),
                where="bus=virtio-mmio-bus.0",
            ),
        ),
    },
    firmware="-bios",
    idle=_HALT,
    cpu="max",
    mmio=0xFEB0_0000,
    bus="device",
)

NONE = Board("none", frozenset(), having(Ability.MEMORY))
"""The machine that every emulator has."""
