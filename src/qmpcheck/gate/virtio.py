"""The least of a guest's driver for virtio devices, over qtest."""

from __future__ import annotations

import struct
from typing import Protocol

from qmpcheck.gate import mainframe
from qmpcheck.gate.board import SLOT
from qmpcheck.gate.guest import Guest

VERSION_1 = 1 << 32
"""The feature of all devices that are not legacy ones."""

_DRIVER, _FEATURES_OK, _DRIVER_OK = 0x3, 0x8, 0x4

_RINGS, _BUFFERS = 0x10_0000, 0x20_0000
"""Where they are, from the begin of memory on."""

_SIZE = 16
_AVAILABLE, _USED = 0x1000, 0x2000
"""How many entries a ring has, and where its parts after the descriptors are in it."""

_NEXT, _WRITE = 1, 2


class Transport(Protocol):
    """How the registers of a device are reached."""

    def __init__(self, guest: Guest) -> None: ...

    def set_status(self, status: int) -> None:
        """Say how far the driver is."""

    def take(self, features: int) -> None:
        """Take features, given as bits."""

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        """Give it a queue, by the addresses of its parts."""

    def notify(self, queue: int) -> None:
        """Say that there is a request in a queue."""

    def configure(self, offset: int, data: bytes) -> None:
        """Write to its configuration."""

    def settle(self) -> None:
        """Wait until it has been told of all requests, if it is not told at once."""


class OnPCI:
    """A device in a slot of the first PCI bus. QEMU has all kinds of registers in one region."""

    _CONFIG, _NOTIFY = 0x2000, 0x3000

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        guest.pci.write(guest, SLOT << 3, 0x24, bytes(4))
        self._base = guest.place(SLOT << 3, 0x20)

    def set_status(self, status: int) -> None:
        """Say how far the driver is."""
        self._write(20, "<B", status)

    def take(self, features: int) -> None:
        """Take features, given as bits."""
        for half in (0, 1):
            self._write(8, "<I", half)
            self._write(12, "<I", features >> 32 * half & 0xFFFF_FFFF)

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        """Give it a queue, by the addresses of its parts."""
        self._write(22, "<H", queue)
        self._write(24, "<H", _SIZE)
        for register, part in ((32, descriptors), (40, available), (48, used)):
            self._write(register, "<I", part & 0xFFFF_FFFF)
            self._write(register + 4, "<I", part >> 32)
        self._write(28, "<H", 1)

    def settle(self) -> None:
        """Do nothing, as it is told at once."""

    def notify(self, queue: int) -> None:
        """Say that there is a request in a queue."""
        self._write(self._NOTIFY + 4 * queue, "<H", queue)

    def configure(self, offset: int, data: bytes) -> None:
        """Write to its configuration."""
        self._guest.write(self._base + self._CONFIG + offset, data)

    def _write(self, register: int, form: str, value: int) -> None:
        self._guest.write(self._base + register, struct.pack(form, value))


class OnMMIO:
    """A device whose registers are in memory, at the first place for one."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def set_status(self, status: int) -> None:
        """Say how far the driver is."""
        self._write(0x70, status)

    def take(self, features: int) -> None:
        """Take features, given as bits."""
        for half in (0, 1):
            self._write(0x24, half)
            self._write(0x20, features >> 32 * half & 0xFFFF_FFFF)

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        """Give it a queue, by the addresses of its parts."""
        self._write(0x30, queue)
        self._write(0x38, _SIZE)
        for register, part in ((0x80, descriptors), (0x90, available), (0xA0, used)):
            self._write(register, part & 0xFFFF_FFFF)
            self._write(register + 4, part >> 32)
        self._write(0x44, 1)

    def settle(self) -> None:
        """Do nothing, as it is told at once."""

    def notify(self, queue: int) -> None:
        """Say that there is a request in a queue."""
        self._write(0x50, queue)

    def configure(self, offset: int, data: bytes) -> None:
        """Write to its configuration."""
        self._guest.write(self._guest.board.mmio + 0x100 + offset, data)

    def _write(self, register: int, value: int) -> None:
        self._guest.write(self._guest.board.mmio + register, struct.pack("<I", value))


class OnChannel:
    """The only device on a mainframe's channels."""

    _REVISION, _RESET, _TAKE, _CONFIGURE, _STATUS, _ENABLE = 0x83, 0x33, 0x11, 0x21, 0x31, 0x13

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        mainframe.enable_channel(guest)
        self._command(self._REVISION, ">HH", 1, 0)

    def set_status(self, status: int) -> None:
        """Say how far the driver is."""
        self._command(self._STATUS, ">B", status)

    def take(self, features: int) -> None:
        """Take features, given as bits."""
        for half in (0, 1):
            self._command(self._TAKE, "<IB", features >> 32 * half & 0xFFFF_FFFF, half)

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        """Give it a queue, by the addresses of its parts."""
        self._command(self._ENABLE, ">QIHHQQ", descriptors, 0, queue, _SIZE, available, used)

    def settle(self) -> None:
        """Wait until it has been told of all requests."""
        mainframe.settle(self._guest)

    def notify(self, queue: int) -> None:
        """Say that there is a request in a queue."""
        mainframe.notify(self._guest, queue)

    def configure(self, offset: int, data: bytes) -> None:
        """Write to its configuration, where zeroes may stand before that."""
        mainframe.channel(self._guest, self._CONFIGURE, bytes(offset) + data)

    def _command(self, command: int, form: str, *values: int) -> None:
        mainframe.channel(self._guest, command, struct.pack(form, *values))


_TRANSPORTS: dict[str, type[Transport]] = {"pci": OnPCI, "device": OnMMIO, "ccw": OnChannel}


class Device:
    """A device, with its driver.

    Args:
        guest: what the machine is driven by.
        features: the features to take beside `VERSION_1`, as bits.
    """

    def __init__(self, guest: Guest, features: int = 0) -> None:
        self._guest = guest
        self._memory = guest.board.memory
        self._used = 0
        self._transport = _TRANSPORTS[guest.board.bus](guest)
        self._transport.set_status(_DRIVER)
        self._transport.take(features | VERSION_1)
        self._transport.set_status(_DRIVER | _FEATURES_OK)

    def start(self, *queues: int) -> None:
        """Give it the queues, and say that the driver is ready."""
        for queue in queues:
            ring = self._ring(queue)
            self._transport.enable(queue, ring, ring + _AVAILABLE, ring + _USED)
        self._transport.set_status(_DRIVER | _FEATURES_OK | _DRIVER_OK)

    def configure(self, offset: int, value: int) -> None:
        """Write four bytes of its configuration."""
        self._transport.configure(offset, struct.pack("<I", value))

    def send(self, queue: int, *parts: bytes, answer: int = 0) -> None:
        """Put one request into a queue: parts that the device reads, and bytes for it to answer in."""
        self._transport.settle()
        ring, count = self._ring(queue), len(parts) + bool(answer)
        for index, part in enumerate([*parts, bytes(answer)][:count]):
            address = self._memory + _BUFFERS + index * 0x1000
            flags = (_NEXT if index + 1 < count else 0) | (_WRITE if index == len(parts) else 0)
            self._guest.write(address, part)
            entry = struct.pack("<QIHH", address, len(part), flags, index + 1)
            self._guest.write(ring + len(entry) * index, entry)
        available = ring + _AVAILABLE
        self._guest.write(available + 4 + 2 * (self._used % _SIZE), struct.pack("<H", 0))
        self._used += 1
        self._guest.write(available + 2, struct.pack("<H", self._used))
        self._transport.notify(queue)

    def _ring(self, queue: int) -> int:
        return self._memory + _RINGS + queue * 0x4000
