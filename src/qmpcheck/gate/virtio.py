"""The smallest driver for virtio devices, over qtest."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod

from qmpcheck.gate.board import SLOT, Guest
from qmpcheck.gate.boards import s390

VERSION_1 = 1 << 32
"""The feature bit of all devices that are not legacy ones."""

STANDBY = 1 << 62
"""The feature bit of a network card that can be the standby of another."""

# Bits of the status: the driver has found the device and can drive it; features are agreed; it is ready.
_DRIVER, _FEATURES_OK, _DRIVER_OK = 0x3, 0x8, 0x4

_RINGS, _BUFFERS = 0x10_0000, 0x20_0000
"""Where rings and buffers are, from the beginning of memory on."""

_SIZE = 16
_AVAILABLE, _USED = 0x1000, 0x2000
"""How many entries a ring has, and where the parts after its descriptors begin."""

# Flags of a descriptor: another one follows; the device writes to its buffer.
_NEXT, _WRITE = 1, 2


class Transport(ABC):
    """How to reach the registers of a device."""

    @abstractmethod
    def __init__(self, guest: Guest) -> None: ...

    @abstractmethod
    def set_status(self, status: int) -> None:
        """Say how far the driver is."""

    @abstractmethod
    def take(self, features: int) -> None:
        """Accept features, given as bits."""

    @abstractmethod
    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        """Enable a queue, by the addresses of its parts."""

    @abstractmethod
    def notify(self, queue: int) -> None:
        """Say that there is a request in a queue."""

    @abstractmethod
    def configure(self, offset: int, data: bytes) -> None:
        """Write to the device's configuration."""

    def settle(self) -> None:  # noqa: B027 -- most devices are notified at once
        """Wait until the device has been notified of all requests."""


class OnPCI(Transport):
    """A device in the slot of the first PCI bus. QEMU maps all kinds of its registers into one region."""

    _CONFIG, _NOTIFY = 0x2000, 0x3000

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        # BAR 4 has 64 bits: clear the upper half.
        guest.pci.write(guest, SLOT << 3, 0x24, bytes(4))
        self._base = guest.place(SLOT << 3, 0x20)

    # The offsets below are those of the standard's common configuration structure.

    def set_status(self, status: int) -> None:
        self._write(20, "<B", status)

    def take(self, features: int) -> None:
        for half in (0, 1):
            self._write(8, "<I", half)
            self._write(12, "<I", features >> 32 * half & 0xFFFF_FFFF)

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        self._write(22, "<H", queue)
        self._write(24, "<H", _SIZE)
        for register, part in ((32, descriptors), (40, available), (48, used)):
            self._write(register, "<I", part & 0xFFFF_FFFF)
            self._write(register + 4, "<I", part >> 32)
        self._write(28, "<H", 1)

    def notify(self, queue: int) -> None:
        self._write(self._NOTIFY + 4 * queue, "<H", queue)

    def configure(self, offset: int, data: bytes) -> None:
        self._guest.write(self._base + self._CONFIG + offset, data)

    def _write(self, register: int, form: str, value: int) -> None:
        self._guest.write(self._base + register, struct.pack(form, value))


class OnMMIO(Transport):
    """A device whose registers are in memory, at the first address for one."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    # The offsets below are those of the standard's registers for MMIO.

    def set_status(self, status: int) -> None:
        self._write(0x70, status)

    def take(self, features: int) -> None:
        for half in (0, 1):
            self._write(0x24, half)
            self._write(0x20, features >> 32 * half & 0xFFFF_FFFF)

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        self._write(0x30, queue)
        self._write(0x38, _SIZE)
        for register, part in ((0x80, descriptors), (0x90, available), (0xA0, used)):
            self._write(register, part & 0xFFFF_FFFF)
            self._write(register + 4, part >> 32)
        self._write(0x44, 1)

    def notify(self, queue: int) -> None:
        self._write(0x50, queue)

    def configure(self, offset: int, data: bytes) -> None:
        self._guest.write(self._guest.board.mmio + 0x100 + offset, data)

    def _write(self, register: int, value: int) -> None:
        self._guest.write(self._guest.board.mmio + register, struct.pack("<I", value))


class OnChannel(Transport):
    """The only device on a mainframe's channels."""

    # Channel commands of the standard.
    _REVISION, _TAKE, _CONFIGURE, _STATUS, _ENABLE = 0x83, 0x11, 0x21, 0x31, 0x13

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        s390.enable_channel(guest)
        self._command(self._REVISION, ">HH", 1, 0)

    def set_status(self, status: int) -> None:
        self._command(self._STATUS, ">B", status)

    def take(self, features: int) -> None:
        for half in (0, 1):
            self._command(self._TAKE, "<IB", features >> 32 * half & 0xFFFF_FFFF, half)

    def enable(self, queue: int, descriptors: int, available: int, used: int) -> None:
        self._command(self._ENABLE, ">QIHHQQ", descriptors, 0, queue, _SIZE, available, used)

    def settle(self) -> None:
        s390.settle(self._guest)

    def notify(self, queue: int) -> None:
        s390.notify(self._guest, queue)

    def configure(self, offset: int, data: bytes) -> None:
        # The command writes from the beginning on: devices must ignore the zeroes before the offset.
        s390.channel(self._guest, self._CONFIGURE, bytes(offset) + data)

    def _command(self, command: int, form: str, *values: int) -> None:
        s390.channel(self._guest, command, struct.pack(form, *values))


_TRANSPORTS: dict[str, type[Transport]] = {"pci": OnPCI, "device": OnMMIO, "ccw": OnChannel}


class Device:
    """A device and its driver.

    Args:
        guest: drives the machine.
        features: the features to accept beside `VERSION_1`, as bits.
    """

    def __init__(self, guest: Guest, features: int = 0) -> None:
        self._guest = guest
        self._memory = guest.board.memory
        self._sent = 0
        self._transport = _TRANSPORTS[guest.board.bus](guest)
        self._transport.set_status(_DRIVER)
        self._transport.take(features | VERSION_1)
        self._transport.set_status(_DRIVER | _FEATURES_OK)

    def start(self, *queues: int) -> None:
        """Enable queues, and say that the driver is ready."""
        for queue in queues:
            ring = self._ring(queue)
            self._transport.enable(queue, ring, ring + _AVAILABLE, ring + _USED)
        self._transport.set_status(_DRIVER | _FEATURES_OK | _DRIVER_OK)

    def configure(self, offset: int, value: int) -> None:
        """Write four bytes of the device's configuration."""
        self._transport.configure(offset, struct.pack("<I", value))

    def send(self, queue: int, *parts: bytes, answer: int = 0) -> None:
        """Send a request.

        Args:
            queue: the queue's number.
            parts: what the device reads.
            answer: how many bytes it may write; nobody reads them.
        """
        self._transport.settle()
        ring, count = self._ring(queue), len(parts) + bool(answer)
        # All requests use the same buffers and descriptors: QEMU has taken the one before by then.
        for index, part in enumerate([*parts, bytes(answer)][:count]):
            address = self._memory + _BUFFERS + index * 0x1000
            flags = (_NEXT if index + 1 < count else 0) | (_WRITE if index == len(parts) else 0)
            self._guest.write(address, part)
            entry = struct.pack("<QIHH", address, len(part), flags, index + 1)
            self._guest.write(ring + len(entry) * index, entry)
        available = ring + _AVAILABLE
        self._guest.write(available + 4 + 2 * (self._sent % _SIZE), struct.pack("<H", 0))
        self._sent += 1
        self._guest.write(available + 2, struct.pack("<H", self._sent))
        self._transport.notify(queue)

    def _ring(self, queue: int) -> int:
        return self._memory + _RINGS + queue * 0x4000
