"""Devices that several boards have."""

from __future__ import annotations

import struct
from collections.abc import Callable

from qmpcheck.gate.board import PCI, SLOT, Feature, Guest
from qmpcheck.gate.qtest import QTest

_FUNCTION, _BAR = SLOT << 3, 0x10

PANICKED, CRASH_LOADED, SHUTDOWN = 1, 2, 4
"""What a guest writes to a pvpanic device."""


def pvpanic_pci(event: int) -> Feature:
    """The feature that the guest reports an event by a PCI pvpanic device."""

    def act(guest: Guest) -> None:
        guest.write(guest.place(_FUNCTION, _BAR), bytes([event]))

    return Feature(act, f"pvpanic-pci,addr={SLOT}")


# Registers of the i6300esb: a timer for each stage, and the one that unlocks them by two keys; and its
# registers in PCI configuration.
_TIMERS, _RELOAD = (0x00, 0x04), 0x0C
_KEYS = (0x80, 0x86)
_LOCK, _ENABLE = 0x68, 1 << 1
_CONFIG, _FAST = 0x60, 1 << 2


def _expire(guest: Guest) -> None:
    """Set both stages of the watchdog to a moment, and switch it on."""
    registers = guest.place(_FUNCTION, _BAR)
    guest.pci.write(guest, _FUNCTION, _CONFIG, struct.pack("<H", _FAST))
    for timer in _TIMERS:
        for key in _KEYS:
            guest.write(registers + _RELOAD, struct.pack("<H", key))
        guest.write(registers + timer, struct.pack("<I", 1))
    guest.pci.write(guest, _FUNCTION, _LOCK, bytes([_ENABLE]))


I6300ESB = Feature(_expire, f"i6300esb,addr={SLOT}")

# The root port's number, its capability of PCI Express, and the control of its slot: lights and power.
_PORT = 6 << 3
_EXPRESS = 0x10
_SLOT_CONTROL = 0x18
_LED_ON, _LED_OFF, _POWER_OFF = 1 << 8, 3 << 8, 1 << 10


def _switch(guest: Guest, on: bool = False) -> None:
    """Switch the slot of the root port on or off."""
    control = guest.capability(_PORT, _EXPRESS) + _SLOT_CONTROL
    value = _LED_ON if on else _LED_OFF | _POWER_OFF
    guest.pci.write(guest, _PORT, control, struct.pack("<H", value))


ROOT_PORT = Feature(_switch, "pcie-root-port,id=hot0,chassis=1,addr=6", where="bus=hot0")
"""A device leaves the slot when the guest switches it off."""


VIRTIO_PCI = Feature(where=f"addr={SLOT},romfile=")
"""No boot ROM is loaded: nothing boots, and a build may come without the file."""


def ecam(base: int, memory: int) -> PCI:
    """PCI Express, with the configuration of all functions in memory from `base` on."""

    def place(function: int, register: int) -> int:
        return base + (function << 12) + register

    def read(guest: QTest, function: int, register: int) -> int:
        return int.from_bytes(guest.read(place(function, register), 4), "little")

    def write(guest: QTest, function: int, register: int, data: bytes) -> None:
        guest.write(place(function, register), data)

    return PCI(read, write, memory)


def memory_slots(write: Callable[[Guest, int, bytes], None]) -> Feature:
    """Slots for memory modules, as ACPI methods drive them.

    Args:
        write: writes bytes to one of their registers.
    """

    def act(guest: Guest, register: int, value: bytes) -> None:
        write(guest, 0, bytes(4))  # select the first slot
        write(guest, register, value)

    return Feature(act)
