"""Scenarios about devices: clocks, memory, hot-plug, trays, and what drivers do with their device."""

from __future__ import annotations

import struct

from qmpcheck.gate import virtio
from qmpcheck.gate.board import Ability
from qmpcheck.gate.expectations import QUIT, OneOf, expected
from qmpcheck.gate.machine import APART
from qmpcheck.gate.scenario import Scenario, Stage


def _rtc(stage: Stage) -> None:
    """The base is 1970, because some clocks report the offset from there, and not from their base."""
    with stage.guest("-rtc", "base=1970-01-01T00:00:00,clock=vm") as (vm, guest):
        for minutes in (10, 20):
            guest.do(Ability.CLOCK, minutes)
            vm.wait("RTC_CHANGE")
            vm.pause(APART)


def _memory_failure(stage: Stage) -> None:
    with stage.guest() as (vm, _):
        # CPU 0, bank 1, an uncorrected error, the state of the CPU, the address, and its granularity
        vm.command("human-monitor-command", **{"command-line": "mce 0 1 0xbd00000000000000 0x5 0x1000 0x8c"})
        vm.wait("RESET")


def _unplug_usb(stage: Stage) -> None:
    with stage.guest("-device", "qemu-xhci,id=usb") as (vm, _):
        vm.command("device_add", driver="usb-tablet", id="tablet0")
        vm.command("device_del", id="tablet0")
        vm.wait("DEVICE_DELETED")


def _unplug_pci(stage: Stage) -> None:
    with stage.guest(*stage.device("balloon", "id=balloon0", at=Ability.EJECT)) as (vm, guest):
        vm.command("device_del", id="balloon0")
        guest.do(Ability.EJECT)
        vm.wait("DEVICE_DELETED", device="balloon0")


# Registers of a memory slot, as ACPI methods write them: the event that was handled, its result, and control.
_OST_EVENT, _OST_STATUS, _CONTROL = 4, 8, 0x14
_PLUGGED, _EJECT = 1, 8


def _unplug_channel(stage: Stage) -> None:
    with stage.guest() as (vm, _):
        vm.command("device_add", driver="virtio-balloon-ccw", id="balloon0")
        vm.command("device_del", id="balloon0")
        vm.wait("DEVICE_DELETED", device="balloon0")


_BLOCK = 256 << 20


def _keep_memory(stage: Stage) -> None:
    memory = (
        "-object",
        f"memory-backend-ram,id=mem0,size={_BLOCK}",
        "-device",
        "pc-dimm,id=dimm0,memdev=mem0",
    )
    hide = ("-compat", "deprecated-output=hide")  # MEM_UNPLUG_ERROR, which some releases send, too
    with stage.guest(*memory, *hide, more_memory=",slots=2,maxmem=4G") as (vm, guest):
        vm.command("device_del", id="dimm0")
        guest.do(Ability.REFUSAL)
        vm.wait("DEVICE_UNPLUG_GUEST_ERROR")


_PLUG = 0
_PART = 8 << 20


def _memory_size(stage: Stage) -> None:
    """The guest plugs a part of the memory that it may have, and then another."""
    backend = ("-object", f"memory-backend-ram,id=mem0,size={_BLOCK}")
    memory = stage.device(
        "mem", "id=mem0-device", "memdev=mem0", f"block-size={_PART}", f"requested-size={_PART * 2}"
    )
    with stage.guest(*backend, *memory, more_memory=",slots=2,maxmem=4G") as (vm, guest):
        device = virtio.Device(guest)
        device.start(0)
        for block in (0, 1):
            address = vm.command("qom-get", path="/machine/peripheral/mem0-device", property="memaddr")
            # A request of virtio-mem has a type, an address and a number of blocks.
            request = struct.pack("<H6xQH6x", _PLUG, address + block * _PART, 1)
            device.send(0, request, answer=10)
            vm.wait("MEMORY_DEVICE_SIZE_CHANGE")
            vm.pause(APART)


def _memory_module(stage: Stage) -> None:
    backend = "memory-backend-ram,id=mem0,size=128M"
    with stage.guest("-object", backend, more_memory=",slots=2,maxmem=4G") as (vm, guest):
        vm.command("device_add", driver="pc-dimm", id="dimm0", memdev="mem0")
        for register, value in ((_OST_EVENT, _PLUGGED), (_OST_STATUS, 0)):
            guest.do(Ability.MEMORY_SLOTS, register, struct.pack("<I", value))
        vm.wait("ACPI_DEVICE_OST")
        vm.command("device_del", id="dimm0")
        guest.do(Ability.MEMORY_SLOTS, _CONTROL, bytes([_EJECT]))
        vm.wait("DEVICE_DELETED")


def _tray(stage: Stage) -> None:
    medium = "driver=null-co,read-only=on,node-name=medium0,size=1048576"
    drive = "scsi-cd,bus=scsi0.0,drive=medium0,id=cd0"
    scsi = stage.device("scsi", "id=scsi0")
    with stage.guest("-blockdev", medium, *scsi, "-device", drive) as (vm, _):
        for command in ("blockdev-open-tray", "blockdev-close-tray"):
            vm.command(command, id="cd0")
            vm.wait("DEVICE_TRAY_MOVED")


# The sizes of memory that boards have, and the pages that the guest has given back in all.
_MEMORY_SIZES = (16 << 20, 256 << 20)
_GIVEN_BACK = (512, 1024)


def _balloon(stage: Stage) -> None:
    with stage.guest(*stage.device("balloon", "id=balloon0")) as (vm, guest):
        balloon = virtio.Device(guest)
        balloon.start()
        for pages in _GIVEN_BACK:
            balloon.configure(4, pages)
            vm.wait("BALLOON_CHANGE")
            vm.pause(APART)


# The feature bit of several ports, the queue for control messages, and the kinds of these messages.
_MULTIPORT = 1 << 1
_CONTROL_OUT = 3
_READY, _PORT_READY, _PORT_OPEN = 0, 3, 6


def _serial_port(stage: Stage) -> None:
    port = ("-device", "virtserialport,nr=1,chardev=null0,id=port0,name=port.0")
    with stage.guest(*stage.device("serial"), "-chardev", "null,id=null0", *port) as (vm, guest):
        serial = virtio.Device(guest, _MULTIPORT)
        serial.start(_CONTROL_OUT)
        for message in ((0, _READY, 1), (1, _PORT_READY, 1), (1, _PORT_OPEN, 1), (1, _PORT_OPEN, 0)):
            serial.send(_CONTROL_OUT, struct.pack("<IHH", *message))
            if message[1] == _PORT_OPEN:
                vm.wait("VSERPORT_CHANGE")
                vm.pause(APART)


# The feature bits of a control queue, and of control over what the card receives.
_CONTROL_QUEUE, _CONTROL_RX = 1 << 17, 1 << 18


def _rx_filter(stage: Stage) -> None:
    with stage.guest(*stage.device("net", "id=nic0")) as (vm, guest):
        card = virtio.Device(guest, _CONTROL_QUEUE | _CONTROL_RX)
        card.start(2)
        card.send(2, b"\0\0", b"\1", answer=1)  # receive control, promiscuous mode, on
        vm.wait("NIC_RX_FILTER_CHANGED")


def _failover(stage: Stage) -> None:
    with stage.guest(*stage.device("net", "id=nic0", "failover=on")) as (vm, guest):
        virtio.Device(guest, virtio.STANDBY)
        vm.wait("FAILOVER_NEGOTIATED")


def _identity(stage: Stage) -> None:
    with stage.guest() as (vm, guest):
        guest.do(Ability.IDENTIFY)
        vm.wait("SCLP_CPI_INFO_AVAILABLE")


_BALLOON_DELETED = (
    expected("DEVICE_DELETED", path="/machine/peripheral/balloon0/virtio-backend"),
    expected("DEVICE_DELETED", device="balloon0", path="/machine/peripheral/balloon0"),
)

SCENARIOS = (
    Scenario(
        "rtc",
        "the guest sets its clock twice",
        (*(expected("RTC_CHANGE", offset=OneOf(each, each - 1)) for each in (600, 1200)), QUIT),
        _rtc,
        needs=(Ability.CLOCK,),
    ),
    Scenario(
        "memory-failure",
        "a machine check reports a failure of memory, which the guest does not handle",
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
        needs=(Ability.MACHINE_CHECK,),
    ),
    Scenario(
        "unplug-usb",
        "a USB device is unplugged, which needs no guest",
        (expected("DEVICE_DELETED", device="tablet0", path="/machine/peripheral/tablet0"), QUIT),
        _unplug_usb,
        needs=(Ability.PCI, "qemu-xhci", "usb-tablet"),
    ),
    Scenario(
        "unplug-channel",
        "a CCW device is unplugged, which needs no guest",
        (*_BALLOON_DELETED, QUIT),
        _unplug_channel,
        needs=(Ability.CHANNELS, "virtio-balloon-ccw"),
    ),
    Scenario(
        "unplug-refused",
        "the guest refuses to unplug a memory module",
        (
            *(expected("DEVICE_UNPLUG_GUEST_ERROR", device="dimm0", path="/machine/peripheral/dimm0"),) * 2,
            QUIT,
        ),
        _keep_memory,
        needs=(Ability.REFUSAL, "pc-dimm"),
    ),
    Scenario(
        "memory-size",
        "the guest plugs memory of a virtio-mem device, twice",
        (
            *(
                expected(
                    "MEMORY_DEVICE_SIZE_CHANGE",
                    id="mem0-device",
                    size=size,
                    qom_path="/machine/peripheral/mem0-device",
                )
                for size in (_PART, 2 * _PART)
            ),
            QUIT,
        ),
        _memory_size,
        needs=(Ability.VIRTIO, Ability.MORE_MEMORY, "virtio-mem-{bus}"),
    ),
    Scenario(
        "unplug-pci",
        "a PCI device is unplugged, and the guest ejects it",
        (*_BALLOON_DELETED, QUIT),
        _unplug_pci,
        needs=(Ability.EJECT, "virtio-balloon-{bus}"),
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
        needs=(Ability.MEMORY_SLOTS, "pc-dimm"),
    ),
    Scenario(
        "identity",
        "the guest identifies its control program",
        (expected("SCLP_CPI_INFO_AVAILABLE"), QUIT),
        _identity,
        needs=(Ability.IDENTIFY,),
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
        needs=(Ability.VIRTIO, "virtio-scsi-{bus}", "scsi-cd"),
    ),
    Scenario(
        "balloon",
        "the guest inflates its balloon, twice",
        (
            *(
                expected("BALLOON_CHANGE", actual=OneOf(*(size - pages * 4096 for size in _MEMORY_SIZES)))
                for pages in _GIVEN_BACK
            ),
            QUIT,
        ),
        _balloon,
        needs=(Ability.VIRTIO, "virtio-balloon-{bus}"),
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
        needs=(Ability.VIRTIO, "virtio-serial-{bus}"),
    ),
    Scenario(
        "rx-filter",
        "the guest makes a network card promiscuous",
        (
            expected("NIC_RX_FILTER_CHANGED", name="nic0", path="/machine/peripheral/nic0/virtio-backend"),
            QUIT,
        ),
        _rx_filter,
        needs=(Ability.VIRTIO, Ability.NETWORK, "virtio-net-{bus}"),
    ),
    Scenario(
        "failover",
        "the guest's driver accepts a network card as the standby of another",
        (expected("FAILOVER_NEGOTIATED", device_id="nic0"), QUIT),
        _failover,
        needs=(Ability.VIRTIO, Ability.NETWORK, "virtio-net-{bus}"),
    ),
)
"""In the order of reports."""
