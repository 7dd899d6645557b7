"""Clocks, memory, hot-plug, trays, and devices that tell of their driver's doings."""

from __future__ import annotations

import struct

from qmpcheck.gate import virtio
from qmpcheck.gate.expectations import QUIT, OneOf, expected
from qmpcheck.gate.machine import APART
from qmpcheck.gate.scenario import Scenario
from qmpcheck.gate.stage import Stage

_LEGACY = "disable-modern=on,disable-legacy=off,addr=5"
_SLOT = 5


def _rtc(stage: Stage) -> None:
    with stage.pc("-rtc", "base=2020-01-01T00:00:00,clock=vm") as (vm, qtest):
        for minutes in (0x10, 0x20):
            qtest.outb(0x70, 0x02)
            qtest.outb(0x71, minutes)
            vm.wait("RTC_CHANGE")
            vm.pause(APART)


def _memory_failure(stage: Stage) -> None:
    with stage.pc() as (vm, _):
        vm.command("human-monitor-command", **{"command-line": "mce 0 1 0xbd00000000000000 0x5 0x1000 0x8c"})
        vm.wait("RESET")


def _unplug_usb(stage: Stage) -> None:
    with stage.pc("-device", "piix3-usb-uhci,id=uhci") as (vm, _):
        vm.command("device_add", driver="usb-tablet", id="tablet0")
        vm.command("device_del", id="tablet0")
        vm.wait("DEVICE_DELETED")


_PCI = 0xAE00
_PCI_EJECT, _PCI_BUS = _PCI + 8, _PCI + 0x10


def _unplug_pci(stage: Stage) -> None:
    with stage.pc() as (vm, qtest):
        vm.command("device_add", driver="virtio-balloon-pci", id="balloon0", addr=str(_SLOT))
        vm.command("device_del", id="balloon0")
        qtest.outl(_PCI_BUS, 0)
        qtest.outl(_PCI_EJECT, 1 << _SLOT)
        vm.wait("DEVICE_DELETED", device="balloon0")


_MEMORY = 0xA00
_SELECT, _OST_EVENT, _OST_STATUS, _CONTROL = _MEMORY, _MEMORY + 4, _MEMORY + 8, _MEMORY + 0x14
_EJECT = 8


def _memory_module(stage: Stage) -> None:
    backend = "memory-backend-ram,id=mem0,size=128M"
    with stage.pc("-object", backend, memory="size=16M,slots=2,maxmem=1G") as (vm, qtest):
        vm.command("device_add", driver="pc-dimm", id="dimm0", memdev="mem0")
        qtest.outl(_SELECT, 0)
        qtest.outl(_OST_EVENT, 1)
        qtest.outl(_OST_STATUS, 0)
        vm.wait("ACPI_DEVICE_OST")
        vm.command("device_del", id="dimm0")
        qtest.outl(_SELECT, 0)
        qtest.outb(_CONTROL, _EJECT)
        vm.wait("DEVICE_DELETED")


def _tray(stage: Stage) -> None:
    medium = "driver=null-co,read-only=on,node-name=medium0,size=1048576"
    with stage.pc("-blockdev", medium, "-device", "ide-cd,bus=ide.0,drive=medium0,id=cd0") as (vm, _):
        for command in ("blockdev-open-tray", "blockdev-close-tray"):
            vm.command(command, id="cd0")
            vm.wait("DEVICE_TRAY_MOVED")


_MEMORY_SIZE = 16 << 20
_GIVEN_BACK = (512, 1024)


def _balloon(stage: Stage) -> None:
    with stage.pc("-device", f"virtio-balloon-pci,id=balloon0,{_LEGACY}") as (vm, qtest):
        device = virtio.Device(qtest, _SLOT)
        device.ready()
        for pages in _GIVEN_BACK:
            device.set(4, pages)
            vm.wait("BALLOON_CHANGE")
            vm.pause(APART)


_MULTIPORT = 1 << 1
_CONTROL_OUT = 3
_READY, _PORT_READY, _PORT_OPEN = 0, 3, 6


def _serial_port(stage: Stage) -> None:
    options = ("-device", f"virtio-serial-pci,{_LEGACY}", "-chardev", "null,id=null0")
    port = ("-device", "virtserialport,nr=1,chardev=null0,id=port0,name=port.0")
    with stage.pc(*options, *port) as (vm, qtest):
        device = virtio.Device(qtest, _SLOT, _MULTIPORT)
        device.ready(_CONTROL_OUT)
        for message in ((0, _READY, 1), (1, _PORT_READY, 1), (1, _PORT_OPEN, 1), (1, _PORT_OPEN, 0)):
            device.send(_CONTROL_OUT, struct.pack("<IHH", *message))
            if message[1] == _PORT_OPEN:
                vm.wait("VSERPORT_CHANGE")
                vm.pause(APART)


_CONTROL_QUEUE, _CONTROL_RX = 1 << 17, 1 << 18


def _rx_filter(stage: Stage) -> None:
    with stage.pc("-device", f"virtio-net-pci,id=nic0,romfile=,{_LEGACY}") as (vm, qtest):
        device = virtio.Device(qtest, _SLOT, _CONTROL_QUEUE | _CONTROL_RX)
        device.ready(2)
        device.send(2, b"\0\0", b"\1", answer=1)
        vm.wait("NIC_RX_FILTER_CHANGED")


_VERSION_1, _STANDBY = 1, 1 << 30
"""Features 32 and 62, counted from 32 on."""


def _failover(stage: Stage) -> None:
    with stage.pc("-device", f"virtio-net-pci,id=nic0,romfile=,failover=on,addr={_SLOT}") as (vm, qtest):
        virtio.take_high_features(qtest, _SLOT, _VERSION_1 | _STANDBY)
        vm.wait("FAILOVER_NEGOTIATED")


SCENARIOS = (
    Scenario(
        "rtc",
        "the guest sets its clock twice",
        (*(expected("RTC_CHANGE", offset=OneOf(each, each - 1)) for each in (600, 1200)), QUIT),
        _rtc,
    ),
    Scenario(
        "memory-failure",
        "a machine check that the guest does not handle",
        (
            expected(
                "MEMORY_FAILURE",
                recipient="guest",
                action="reset",
                flags={"action-required": False, "recursive": False},
            ),
            expected("RESET", guest=True, reason="guest-reset"),
            QUIT,
        ),
        _memory_failure,
    ),
    Scenario(
        "unplug-usb",
        "a USB device is unplugged, which needs no guest",
        (expected("DEVICE_DELETED", device="tablet0", path="/machine/peripheral/tablet0"), QUIT),
        _unplug_usb,
    ),
    Scenario(
        "unplug-pci",
        "a PCI device is unplugged as the guest ejects it",
        (
            expected("DEVICE_DELETED", path="/machine/peripheral/balloon0/virtio-backend"),
            expected("DEVICE_DELETED", device="balloon0", path="/machine/peripheral/balloon0"),
            QUIT,
        ),
        _unplug_pci,
    ),
    Scenario(
        "memory-module",
        "a memory module is plugged, confirmed by the guest, and unplugged",
        (
            expected(
                "ACPI_DEVICE_OST",
                info={"device": "dimm0", "slot": "0", "slot-type": "DIMM", "source": 1, "status": 0},
            ),
            expected("DEVICE_DELETED", device="dimm0", path="/machine/peripheral/dimm0"),
            QUIT,
        ),
        _memory_module,
    ),
    Scenario(
        "tray",
        "the tray of a CD drive is opened and closed",
        (
            expected("DEVICE_TRAY_MOVED", device="", id="cd0", tray_open=True),
            expected("DEVICE_TRAY_MOVED", device="", id="cd0", tray_open=False),
            QUIT,
        ),
        _tray,
    ),
    Scenario(
        "balloon",
        "the guest gives memory back twice",
        (*(expected("BALLOON_CHANGE", actual=_MEMORY_SIZE - pages * 4096) for pages in _GIVEN_BACK), QUIT),
        _balloon,
    ),
    Scenario(
        "serial-port",
        "the guest opens and closes a virtio serial port",
        (
            expected("VSERPORT_CHANGE", id="port0", open=True),
            expected("VSERPORT_CHANGE", id="port0", open=False),
            QUIT,
        ),
        _serial_port,
    ),
    Scenario(
        "rx-filter",
        "the guest makes a network card promiscuous",
        (
            expected("NIC_RX_FILTER_CHANGED", name="nic0", path="/machine/peripheral/nic0/virtio-backend"),
            QUIT,
        ),
        _rx_filter,
    ),
    Scenario(
        "failover",
        "the guest agrees that a network card stands in for another",
        (expected("FAILOVER_NEGOTIATED", device_id="nic0"), QUIT),
        _failover,
    ),
)
"""Scenarios about devices."""
