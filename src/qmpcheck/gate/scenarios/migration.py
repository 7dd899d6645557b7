"""Migration with events on: from one machine to another, cancelled, and failed."""

from __future__ import annotations

import socket

from qmpcheck.gate.board import Ability
from qmpcheck.gate.expectations import QUIT, Either, Expectations, Expected, Since, expected, maybe
from qmpcheck.gate.machine import Machine
from qmpcheck.gate.scenario import Scenario
from qmpcheck.gate.stage import Stage


def _tell_events(vm: Machine) -> None:
    vm.command("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])


def _migration(stage: Stage) -> None:
    with (
        stage.guest("-incoming", "defer", name="incoming") as (target, _),
        stage.guest() as (source, _),
    ):
        for vm in (target, source):
            _tell_events(vm)
        target.command("migrate-incoming", uri="unix:migration.sock")
        source.command("migrate", uri="unix:migration.sock")
        source.wait("MIGRATION", status="completed")
        target.wait("MIGRATION", status="completed")
        target.wait("RESUME")


def _cancelled(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX) as listener, stage.guest() as (vm, guest):
        listener.bind(stage.path("migration.sock"))
        listener.listen()
        guest.memset(guest.board.memory + 0x100000, 0x800000, 0x5A)  # more than a socket holds
        _tell_events(vm)
        vm.command("migrate", uri="unix:migration.sock")
        vm.wait("MIGRATION", status="active")
        vm.command("migrate_cancel")
        vm.wait("MIGRATION", status="cancelling")
        vm.wait("MIGRATION", status="cancelled")


def _failed(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX) as listener, stage.guest() as (vm, guest):
        listener.bind(stage.path("migration.sock"))
        listener.listen()
        guest.memset(guest.board.memory + 0x100000, 0x800000, 0x5A)
        _tell_events(vm)
        vm.command("migrate", uri="unix:migration.sock")
        vm.wait("MIGRATION", status="active")
        listener.accept()[0].close()
        vm.wait("MIGRATION", status="failed")


def _statuses(*statuses: str) -> tuple[Expected, ...]:
    return tuple(expected("MIGRATION", status=status) for status in statuses)


def _pass(number: int) -> Expected:
    return expected("MIGRATION_PASS", **{"pass": number})


_NEWER = (10, 2, 50)
"""The first version that may no longer tell of each pass; 11.1 does not."""

_BEGUN: Expectations = (
    *_statuses("setup"),
    Since(_NEWER, (maybe(_pass(1)),), (_pass(1),)),
    *_statuses("active"),
)

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
"""On a slow machine there are more passes than two."""

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
        "a migration that its target does not read is cancelled",
        (*_BEGUN, *_statuses("cancelling", "cancelled"), QUIT),
        _cancelled,
        needs=(Ability.MEMORY,),
    ),
    Scenario(
        "migration-failed",
        "a migration fails as its target goes away",
        (
            *_BEGUN,
            Since((11, 1), _statuses("failing"), (maybe(*_statuses("failing")),)),
            *_statuses("failed"),
            QUIT,
        ),
        _failed,
        needs=(Ability.MEMORY,),
    ),
)
"""Scenarios about migration."""
