"""The `virt` machines of ARM and RISC-V."""

from __future__ import annotations

import struct

import msgspec

from qmpcheck.gate.board import Ability, Board, Feature, Guest, having
from qmpcheck.gate.boards import devices

_EVERY = having(Ability.MEMORY, Ability.CPU, Ability.MORE_MEMORY, Ability.PCI, Ability.NETWORK) | {
    Ability.PANIC: (devices.pvpanic_pci(devices.PANICKED),),
    Ability.CRASH_LOADED: (devices.pvpanic_pci(devices.CRASH_LOADED),),
    Ability.PVSHUTDOWN: (devices.pvpanic_pci(devices.SHUTDOWN),),
    Ability.WATCHDOG: (devices.I6300ESB,),
    Ability.HOT_PCI: (devices.ROOT_PORT,),
    Ability.EJECT: (devices.ROOT_PORT,),
    Ability.VIRTIO: (devices.VIRTIO_PCI,),
}

_MAILBOX = 0x4010_0000
"""The CPU waits until a number is written here, and calls that function of its firmware."""

_PSCI = struct.pack(
    "<6I",
    0xD2A80201,  # mov x1, _MAILBOX
    0xB9400020,  # wait: ldr w0, [x1]
    0x34FFFFE0,  # cbz w0, wait
    0xB900003F,  # str wzr, [x1]
    0xD4000002,  # hvc 0
    0x17FFFFFC,  # b wait
)
_SYSTEM_OFF, _SYSTEM_RESET = 0x8400_0008, 0x8400_0009


_PSCI_32 = struct.pack(
    "<9I",
    0xE3A01101,  # mov r1, 0x4000_0000
    0xE2811601,  # add r1, r1, 0x10_0000
    0xE3A02000,  # mov r2, 0
    0xE5910000,  # wait: ldr r0, [r1]
    0xE3500000,  # cmp r0, 0
    0x0AFFFFFC,  # beq wait
    0xE5812000,  # str r2, [r1]
    0xE1400070,  # hvc 0
    0xEAFFFFF9,  # b wait
)


def _psci(function: int, firmware: bytes) -> tuple[Feature, ...]:
    def act(guest: Guest, _: int = 0) -> None:
        guest.write(_MAILBOX, struct.pack("<I", function))

    return (Feature(act, firmware=firmware),)


_CLOCK = 0x0901_0000
_DATA, _LOAD = 0x00, 0x08


def _set_clock(guest: Guest, minutes: int) -> None:
    """Set the minutes of the hour, as on a PC; this clock counts seconds."""
    now = int.from_bytes(guest.read(_CLOCK + _DATA, 4), "little")
    guest.write(_CLOCK + _LOAD, struct.pack("<I", now // 3600 * 3600 + now % 60 + minutes * 60))


_MEMORY_SLOTS = 0x0907_0000

ARM = Board(
    "virt",
    frozenset({"aarch64"}),
    _EVERY
    | having(Ability.DUMP)
    | {
        Ability.RESET: _psci(_SYSTEM_RESET, _PSCI),
        Ability.OFF: _psci(_SYSTEM_OFF, _PSCI),
        Ability.CLOCK: (Feature(_set_clock, since=(6, 2)),),
        Ability.MEMORY_SLOTS: (
            devices.memory_slots(lambda guest, register, value: guest.write(_MEMORY_SLOTS + register, value)),
        ),
    },
    firmware="-bios",
    idle=struct.pack("<2I", 0xD503207F, 0x17FFFFFF),  # wait: wfi; b wait
    cpu="max",
    memory=0x4000_0000,
    pci=devices.ecam(0x40_1000_0000, memory=0x1000_0000),
)

_BEYOND_32_BITS = {Ability.MORE_MEMORY, Ability.MEMORY_SLOTS}

ARM_32 = msgspec.structs.replace(
    ARM,
    name="virt,highmem=off",
    targets=frozenset({"arm"}),
    features={ability: ARM.features[ability] for ability in ARM.features if ability not in _BEYOND_32_BITS}
    | {
        Ability.RESET: _psci(_SYSTEM_RESET, _PSCI_32),
        Ability.OFF: _psci(_SYSTEM_OFF, _PSCI_32),
    },
    idle=struct.pack("<2I", 0xE320F003, 0xEAFFFFFD),  # wait: wfi; b wait
    pci=devices.ecam(0x3F00_0000, memory=0x1000_0000),
)

_TEST = 0x10_0000
"""The address of the device by which a guest of RISC-V ends."""

_PASS, _RESET = 0x5555, 0x7777


def _test(word: int, since: tuple[int, int] = (0, 0)) -> Feature:
    return Feature(lambda guest, _=0: guest.write(_TEST, struct.pack("<I", word)), since=since)


RISCV = Board(
    "virt",
    frozenset({"riscv64", "riscv32"}),
    _EVERY
    | {
        Ability.DUMP: (Feature(since=(6, 0)),),
        Ability.RESET: (_test(_RESET),),
        Ability.OFF: (_test(_PASS, since=(8, 2)),),  # before that the process exited without an event
    },
    firmware="-bios",
    idle=struct.pack("<2I", 0x10500073, 0xFFDFF06F),  # wait: wfi; j wait
    memory=0x8000_0000,
    pci=devices.ecam(0x3000_0000, memory=0x4000_0000),
)
