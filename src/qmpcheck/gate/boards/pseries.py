"""The logical partition of a POWER server; qtest calls its firmware (RTAS) as a guest would."""

from __future__ import annotations

import struct

from qmpcheck.gate.board import PCI, SLOT, Ability, Board, Feature, Guest, having
from qmpcheck.gate.boards import devices
from qmpcheck.gate.qtest import QTest

_ARGUMENTS, _RESULTS = 0x1000, 0x1100
"""Addresses in memory through which a guest and its firmware talk."""


def _call(guest: QTest, function: str, *arguments: int, results: int = 1) -> tuple[int, ...]:
    """Call the firmware, and return its results; the first one is a status."""
    # Even without arguments something is written: qtest refuses an empty write.
    guest.write(_ARGUMENTS, struct.pack(f">{len(arguments) or 1}I", *(arguments or (0,))))
    guest.ask(f"rtas {function} {len(arguments)} {_ARGUMENTS:#x} {results} {_RESULTS:#x}")
    return struct.unpack(f">{results}I", guest.read(_RESULTS, 4 * results))


_BUS = (0x0800_0000, 0x2000_0000)
"""The two halves of the identifier of the first PCI bus."""


def _read(guest: QTest, function: int, register: int) -> int:
    return _call(guest, "ibm,read-pci-config", function << 8 | register, *_BUS, 4, results=2)[1]


def _write(guest: QTest, function: int, register: int, data: bytes) -> None:
    value = int.from_bytes(data, "little")
    _call(guest, "ibm,write-pci-config", function << 8 | register, *_BUS, len(data), value)


def _set_clock(guest: Guest, minutes: int) -> None:
    year, month, day, hour, _, second, _ = _call(guest, "get-time-of-day", results=8)[1:]
    _call(guest, "set-time-of-day", year, month, day, hour, minutes, second, 0)


# The indicator by which a guest releases a resource or refuses to. Resources are numbered by what they are.
_ISOLATION = 9001
_ISOLATE, _KEEP = 0, 1


def _eject(guest: Guest) -> None:
    _call(guest, "set-indicator", _ISOLATION, 0x4000_0000 | SLOT << 3, _ISOLATE)


def _keep_memory(guest: Guest) -> None:
    """Refuse to give back the first block of the first memory module, which begins at 1 GiB."""
    _call(guest, "set-indicator", _ISOLATION, 0x8000_0004, _KEEP)


_WAIT = bytes.fromhex("386000e0440000224bfffff8")  # wait: li r3,H_CEDE; sc 1; b wait

PSERIES = Board(
    "pseries",
    frozenset({"ppc64"}),
    having(Ability.MEMORY, Ability.CPU, Ability.DUMP, Ability.PCI, Ability.NETWORK)
    | {
        Ability.CLOCK: (Feature(_set_clock),),
        Ability.RESET: (Feature(lambda guest, _=0: _call(guest, "system-reboot")),),
        Ability.OFF: (Feature(lambda guest: _call(guest, "power-off", 0, 0)),),
        Ability.PANIC: (Feature(lambda guest: _call(guest, "ibm,os-term", _ARGUMENTS)),),
        Ability.CRASH_LOADED: (devices.pvpanic_pci(devices.CRASH_LOADED),),
        Ability.PVSHUTDOWN: (devices.pvpanic_pci(devices.SHUTDOWN),),
        Ability.WATCHDOG: (devices.I6300ESB,),
        Ability.EJECT: (Feature(_eject, where=f"addr={SLOT}"),),
        Ability.REFUSAL: (Feature(_keep_memory, since=(6, 2)),),
        Ability.VIRTIO: (devices.VIRTIO_PCI,),
    },
    firmware="-bios",
    idle=_WAIT.ljust(0x80, b"\0") * 64,  # wherever it begins, and whatever interrupts it
    size="256M",
    pci=PCI(_read, _write, memory=0xC000_0000, shift=0x2000_0000_0000),
)
