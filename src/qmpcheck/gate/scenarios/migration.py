"""Scenarios about migration: from one machine to another, cancelled, and failed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from qmpcheck.gate import virtio
from qmpcheck.gate.board import Ability, Guest
from qmpcheck.gate.expectations import QUIT, Either, Expectations, Expected, Since, expected, maybe
from qmpcheck.gate.machine import Machine
from qmpcheck.gate.scenario import Scenario, Stage


def _enable_events(vm: Machine) -> None:
    """Switch on the capability without which a migration sends no events."""
    vm.command("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])


def _migration(stage: Stage) -> None:
    with (
        stage.guest("-incoming", "defer", name="incoming") as (target, _),
        stage.guest() as (source, _),
    ):
        for vm in (target, source):
            _enable_events(vm)
        target.command("migrate-incoming", uri="unix:migration.sock")
        source.command("migrate", uri="unix:migration.sock")
        source.wait("MIGRATION", status="completed")
        target.wait("MIGRATION", status="completed")
        target.wait("RESUME")


@contextmanager
def _unread(stage: Stage) -> Iterator[socket.socket]:
    """Listen where a migration goes, and read nothing of it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(stage.path("migration.sock"))
        listener.listen()
        yield listener


def _begin(vm: Machine) -> None:
    _enable_events(vm)
    vm.command("migrate", uri="unix:migration.sock")


def _fill(guest: Guest) -> None:
    """Write more to memory than a socket's buffer holds, so that the migration cannot end."""
    guest.memset(guest.board.memory + 0x100000, 0x800000, 0x5A)


def _cancelled(stage: Stage) -> None:
    with _unread(stage), stage.guest() as (vm, guest):
        _fill(guest)
        _begin(vm)
        vm.wait("MIGRATION", status="active")
        vm.command("migrate_cancel")
        vm.wait("MIGRATION", status="cancelling")
        vm.wait("MIGRATION", status="cancelled")


def _failed(stage: Stage) -> None:
    with _unread(stage) as listener, stage.guest() as (vm, guest):
        _fill(guest)
        _begin(vm)
        vm.wait("MIGRATION", status="active")
        listener.accept()[0].close()
        vm.wait("MIGRATION", status="failed")


def _unplug_primary(stage: Stage) -> None:
    """The migration waits until the guest has released the card, even after it was cancelled."""
    card = stage.device("net", "id=nic0", "failover=on")
    primary = ("-device", "e1000e,id=primary0,failover_pair_id=nic0,romfile=,bus=hot0")
    with _unread(stage), stage.guest(*card, *primary) as (vm, guest):
        virtio.Device(guest, virtio.STANDBY)
        vm.wait("FAILOVER_NEGOTIATED")
        guest.do(Ability.HOT_PCI, True)  # what is in a slot without power would go at once
        _begin(vm)
        vm.wait("UNPLUG_PRIMARY")
        vm.wait("MIGRATION", status="wait-unplug")
        vm.command("migrate_cancel")
        vm.wait("MIGRATION", status="cancelling")
        guest.do(Ability.HOT_PCI)
        vm.wait("MIGRATION", status="cancelled")


def _statuses(*statuses: str) -> tuple[Expected, ...]:
    return tuple(expected("MIGRATION", status=status) for status in statuses)


def _pass(number: int) -> Expected:
    return expected("MIGRATION_PASS", **{"pass": number})


_NEWER = (10, 2, 50)
"""The first version that may no longer send an event for each pass; 11.1 does not."""

_FIRST_PASS = Since(_NEWER, (maybe(_pass(1)),), (_pass(1),))

_BEGUN: Expectations = (*_statuses("setup"), _FIRST_PASS, *_statuses("active"))

_STOPPED: Expectations = (
    expected("STOP"),
    Since((10, 0), _statuses("device"), (maybe(*_statuses("device")),)),
)


def _passes(last: int) -> Expectations:
    """MIGRATION_PASS of the last pass comes after STOP; in newer releases it may come just before."""
    stopped = (*_STOPPED, _pass(last))
    newer = Either((stopped, (_pass(last), *_STOPPED)))
    return (*map(_pass, range(2, last)), Since(_NEWER, (newer,), stopped))


_PASSES = Either(tuple(map(_passes, (2, 3, 4))))
"""There are two passes, and more on a slow machine."""

SCENARIOS = (
    Scenario(
        "migration",
        "a machine migrates to another",
        (*_BEGUN, _PASSES, *_statuses("completed"), QUIT),
        _migration,
        needs=(Ability.MEMORY,),
        others={
            "incoming": (*_statuses("setup", "active"), expected("RESUME"), *_statuses("completed"), QUIT)
        },
    ),
    Scenario(
        "migration-cancelled",
        "a migration whose target reads nothing is cancelled",
        (*_BEGUN, *_statuses("cancelling", "cancelled"), QUIT),
        _cancelled,
        needs=(Ability.CPU,),  # without one, memory cannot be filled
    ),
    Scenario(
        "unplug-primary",
        "a migration waits for a network card to be unplugged, and is cancelled",
        (
            expected("FAILOVER_NEGOTIATED", device_id="nic0"),
            *_statuses("setup"),
            expected("UNPLUG_PRIMARY", device_id="primary0"),
            _FIRST_PASS,
            *_statuses("wait-unplug", "cancelling", "cancelled"),
            QUIT,
        ),
        _unplug_primary,
        needs=(Ability.VIRTIO, Ability.NETWORK, Ability.HOT_PCI, "virtio-net-{bus}", "e1000e"),
    ),
    Scenario(
        "migration-failed",
        "a migration fails because its target closes the connection",
        (
            *_BEGUN,
            Since((11, 1), _statuses("failing"), (maybe(*_statuses("failing")),)),
            *_statuses("failed"),
            QUIT,
        ),
        _failed,
        needs=(Ability.CPU,),  # without one, memory cannot be filled
    ),
)
"""In the order of reports."""
