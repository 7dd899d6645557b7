"""Migration with events on: from one machine to another, cancelled, and failed."""

from __future__ import annotations

import socket

from qmpcheck.gate.machine import Machine
from qmpcheck.gate.scenario import QUIT, Expected, Scenario, expected
from qmpcheck.gate.stage import Stage


def _tell_events(vm: Machine) -> None:
    vm.command("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])


def _migration(stage: Stage) -> None:
    with (
        stage.pc("-incoming", "defer", name="incoming") as (target, _),
        stage.pc() as (source, _),
    ):
        for vm in (target, source):
            _tell_events(vm)
        target.command("migrate-incoming", uri="unix:migration.sock")
        source.command("migrate", uri="unix:migration.sock")
        source.wait("MIGRATION", status="completed")
        target.wait("MIGRATION", status="completed")
        target.wait("RESUME")


def _cancelled(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX) as listener, stage.pc() as (vm, qtest):
        listener.bind(stage.path("migration.sock"))
        listener.listen()
        qtest.memset(0x100000, 0x800000, 0x5A)  # more than a socket holds
        _tell_events(vm)
        vm.command("migrate", uri="unix:migration.sock")
        vm.wait("MIGRATION", status="active")
        vm.command("migrate_cancel")
        vm.wait("MIGRATION", status="cancelling")
        vm.wait("MIGRATION", status="cancelled")


def _failed(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX) as listener, stage.pc() as (vm, qtest):
        listener.bind(stage.path("migration.sock"))
        listener.listen()
        qtest.memset(0x100000, 0x800000, 0x5A)
        _tell_events(vm)
        vm.command("migrate", uri="unix:migration.sock")
        vm.wait("MIGRATION", status="active")
        listener.accept()[0].close()
        vm.wait("MIGRATION", status="failed")


def _statuses(*statuses: str) -> tuple[Expected, ...]:
    return tuple(expected("MIGRATION", status=status) for status in statuses)


SCENARIOS = (
    Scenario(
        "migration",
        "a machine migrates to another",
        (
            *_statuses("setup", "active", "completed", "setup", "active", "completed"),
            expected("MIGRATION_PASS", **{"pass": 2}),  # from 11.1 on the first pass is not told of
            expected("STOP"),
            expected("RESUME"),
            QUIT,
            QUIT,
        ),
        _migration,
    ),
    Scenario(
        "migration-cancelled",
        "a migration that its target does not read is cancelled",
        (*_statuses("setup", "active", "cancelling", "cancelled"), QUIT),
        _cancelled,
    ),
    Scenario(
        "migration-failed",
        "a migration fails as its target goes away",
        (*_statuses("setup", "active", "failed"), QUIT),
        _failed,
    ),
)
"""Scenarios about migration."""
