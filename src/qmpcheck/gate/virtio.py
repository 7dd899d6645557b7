"""The least of a guest's driver for virtio devices on PCI, over qtest."""

from __future__ import annotations

import struct

from qmpcheck.gate.qtest import QTest

_BAR = 0xC000
"""Where the device's ports are put."""

_FEATURES, _PAGE, _SELECT, _SIZE, _NOTIFY, _STATUS, _CONFIG = 4, 8, 14, 12, 16, 18, 20

_DRIVER, _DRIVER_OK = 0x3, 0x7

_PAGE_BITS = 12
_RINGS = 0x100000
_BUFFERS = 0x200000

_NEXT, _WRITE = 1, 2


def select_register(qtest: QTest, slot: int, function: int, register: int) -> None:
    """Point the PCI host at a configuration register, so that 0xcfc reads and writes it."""
    qtest.outl(0xCF8, 1 << 31 | slot << 11 | function << 8 | register)


_MEMORY_BAR = 0xE000_0000
"""Where the registers of a modern device are put."""

_MODERN_SELECT, _MODERN_FEATURES = 8, 12


def take_high_features(qtest: QTest, slot: int, features: int) -> None:
    """Take features from bit 32 on, which only the driver of a modern device can."""
    _place(qtest, slot, 0x20, _MEMORY_BAR)
    for register, value in ((_MODERN_SELECT, 1), (_MODERN_FEATURES, features)):
        qtest.write(_MEMORY_BAR + register, struct.pack("<I", value))


def _place(qtest: QTest, slot: int, bar: int, address: int) -> None:
    """Put a device's ports or memory where they can be used, and let it write to memory."""
    select_register(qtest, slot, 0, bar)
    qtest.outl(0xCFC, address)
    select_register(qtest, slot, 0, 0x04)
    qtest.outw(0xCFC, 0x7)  # ports, memory, bus master


class Device:
    """A legacy device in a slot of the first PCI bus.

    Args:
        qtest: the machine's test connection.
        slot: where the device is.
        features: the features to take, as bits.
    """

    def __init__(self, qtest: QTest, slot: int, features: int = 0) -> None:
        self._qtest = qtest
        self._used = 0
        _place(qtest, slot, 0x10, _BAR)
        qtest.outb(_BAR + _STATUS, _DRIVER)
        qtest.outl(_BAR + _FEATURES, features)

    def ready(self, *queues: int) -> None:
        """Give it the queues, and say that the driver is there."""
        for queue in queues:
            self._qtest.outw(_BAR + _SELECT, queue)
            self._qtest.outl(_BAR + _PAGE, _ring(queue) >> _PAGE_BITS)
        self._qtest.outb(_BAR + _STATUS, _DRIVER_OK)

    def set(self, offset: int, value: int) -> None:
        """Write four bytes of its configuration."""
        self._qtest.outl(_BAR + _CONFIG + offset, value)

    def send(self, queue: int, *parts: bytes, answer: int = 0) -> None:
        """Put one request into a queue: parts that the device reads, and bytes for it to answer in."""
        ring, count = _ring(queue), len(parts) + bool(answer)
        self._qtest.outw(_BAR + _SELECT, queue)
        size = self._qtest.inl(_BAR + _SIZE) & 0xFFFF
        for index, part in enumerate([*parts, bytes(answer)][:count]):
            address = _BUFFERS + index * 0x1000
            flags = (_NEXT if index + 1 < count else 0) | (_WRITE if index == len(parts) else 0)
            self._qtest.write(address, part)
            self._qtest.write(ring + 16 * index, struct.pack("<QIHH", address, len(part), flags, index + 1))
        available = ring + 16 * size
        self._qtest.write(available + 4 + 2 * (self._used % size), struct.pack("<H", 0))
        self._used += 1
        self._qtest.write(available + 2, struct.pack("<H", self._used))
        self._qtest.outw(_BAR + _NOTIFY, queue)


def _ring(queue: int) -> int:
    return _RINGS + queue * 0x4000
