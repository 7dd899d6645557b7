"""Life cycle, resets, suspend, shutdown, watchdog and panic."""

from __future__ import annotations

from collections.abc import Callable

from qmpcheck.gate.expectations import QUIT, Either, Expected, expected
from qmpcheck.gate.qtest import QTest
from qmpcheck.gate.scenario import Scenario
from qmpcheck.gate.stage import Stage
from qmpcheck.gate.virtio import select_register

_PM_BASE = 0xB000
_PM_CONTROL = _PM_BASE + 4
_SLEEP, _SLEEP_TYPE = 1 << 13, 10
_OFF, _TO_RAM, _TO_DISK = 0, 1, 2


def _sleep(qtest: QTest, kind: int) -> None:
    """Switch power management on, as firmware does, and go to sleep by it, as a guest does."""
    select_register(qtest, 1, 3, 0x40)
    qtest.outl(0xCFC, _PM_BASE | 1)
    select_register(qtest, 1, 3, 0x80)
    qtest.outb(0xCFC, 1)
    qtest.outw(_PM_CONTROL, _SLEEP | kind << _SLEEP_TYPE)


def _life_cycle(stage: Stage) -> None:
    with stage.bare() as vm:
        for command, event in (
            ("stop", "STOP"),
            ("cont", "RESUME"),
            ("system_reset", "RESET"),
            ("system_powerdown", "POWERDOWN"),
        ):
            vm.command(command)
            vm.wait(event)


def _guest_reset(stage: Stage) -> None:
    with stage.pc() as (vm, qtest):
        for port, value in ((0x64, 0xFE), (0xCF9, 0x06)):
            qtest.outb(port, value)
            vm.wait("RESET")


def _no_reboot(stage: Stage) -> None:
    with stage.pc("-no-reboot") as (vm, qtest):
        qtest.outb(0x64, 0xFE)
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _suspend(stage: Stage) -> None:
    with stage.pc() as (vm, qtest):
        _sleep(qtest, _TO_RAM)
        vm.wait("SUSPEND")
        vm.command("system_wakeup")
        vm.wait("WAKEUP")


def _suspend_disk(stage: Stage) -> None:
    with stage.pc() as (vm, qtest):
        _sleep(qtest, _TO_DISK)
        vm.wait("SUSPEND_DISK")
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _guest_shutdown(stage: Stage) -> None:
    with stage.pc() as (vm, qtest):
        _sleep(qtest, _OFF)
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _no_shutdown(stage: Stage) -> None:
    with stage.pc("-no-shutdown") as (vm, qtest):
        _sleep(qtest, _OFF)
        vm.wait("SHUTDOWN")
        vm.wait("STOP")
        vm.command("system_reset")
        vm.wait("RESET")
        vm.command("cont")
        vm.wait("RESUME")
        vm.command("stop")  # for quit is known to stop no machine
        vm.wait("STOP")


def _watchdog(action: str, *then: str) -> Callable[[Stage], None]:
    """The watchdog is armed for no time at all."""

    def play(stage: Stage) -> None:
        with stage.pc("-device", "ib700") as (vm, qtest):
            vm.command("watchdog-set-action", action=action)
            qtest.outb(0x443, 0xF)
            vm.wait("WATCHDOG")
            for event in then:
                vm.wait(event)
            if action == "poweroff":
                vm.wait_exit()
            if action == "pause":
                vm.command("cont")
                vm.wait("RESUME")

    return play


def _watchdog_scenario(action: str, purpose: str, *then: Expected) -> Scenario:
    resumed = (expected("RESUME"),) if action == "pause" else ()
    end = () if action == "poweroff" else (QUIT,)
    return Scenario(
        f"watchdog-{action}",
        f"a watchdog that is not fed, with the action {action}: {purpose}",
        (expected("WATCHDOG", action=action), *then, *resumed, *end),
        _watchdog(action, *(each.event for each in then)),
    )


_PANIC, _CRASH, _SHUTDOWN = 1, 2, 4
_PVPANIC = 0x505


def _panic(stage: Stage) -> None:
    with stage.pc("-device", "pvpanic", "-no-shutdown") as (vm, qtest):
        vm.try_command("set-action", panic="pause")  # before 6.0 it is the only action
        if stage.build.has("GUEST_CRASHLOADED"):
            qtest.outb(_PVPANIC, _CRASH)
            vm.wait("GUEST_CRASHLOADED")
        qtest.outb(_PVPANIC, _PANIC)
        vm.wait("GUEST_PANICKED")
        vm.wait("STOP")


def _panic_off(stage: Stage) -> None:
    with stage.pc("-device", "pvpanic") as (vm, qtest):
        vm.try_command("set-action", panic="shutdown")  # before 6.0 it pauses, and then shuts down
        qtest.outb(_PVPANIC, _PANIC)
        vm.wait("GUEST_PANICKED")
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _pvshutdown(stage: Stage) -> None:
    with stage.pc("-device", "pvpanic") as (vm, qtest):
        qtest.outb(_PVPANIC, _SHUTDOWN)
        vm.wait("GUEST_PVSHUTDOWN")
        vm.wait("SHUTDOWN")
        vm.wait_exit()


_BY_GUEST = expected("SHUTDOWN", guest=True, reason="guest-shutdown")
_GUEST_RESET = expected("RESET", guest=True, reason="guest-reset")
_HOST_RESET = expected("RESET", guest=False, reason="host-qmp-system-reset")


def _panicked(action: str) -> Expected:
    return expected("GUEST_PANICKED", action=action)


SCENARIOS = (
    Scenario(
        "life-cycle",
        "stop, cont, system_reset, system_powerdown and quit, by QMP",
        (expected("STOP"), expected("RESUME"), _HOST_RESET, expected("POWERDOWN"), QUIT),
        _life_cycle,
    ),
    Scenario(
        "guest-reset",
        "the guest resets itself by the keyboard controller and by the chipset",
        (_GUEST_RESET, _GUEST_RESET, QUIT),
        _guest_reset,
    ),
    Scenario(
        "no-reboot",
        "a reset under -no-reboot, which ends the process",
        (expected("SHUTDOWN", guest=True, reason="guest-reset"),),
        _no_reboot,
    ),
    Scenario(
        "suspend",
        "the guest suspends to memory and is woken",
        (expected("SUSPEND"), expected("WAKEUP"), QUIT),
        _suspend,
    ),
    Scenario(
        "suspend-disk",
        "the guest suspends to disk, which ends the process",
        (expected("SUSPEND_DISK"), _BY_GUEST),
        _suspend_disk,
    ),
    Scenario(
        "guest-shutdown",
        "the guest switches itself off, which ends the process",
        (_BY_GUEST,),
        _guest_shutdown,
    ),
    Scenario(
        "no-shutdown",
        "the guest switches itself off under -no-shutdown, is reset, goes on, and is stopped",
        (_BY_GUEST, expected("STOP"), _HOST_RESET, expected("RESUME"), expected("STOP"), QUIT),
        _no_shutdown,
        assumes=("no-shutdown",),
    ),
    _watchdog_scenario("none", "nothing more"),
    _watchdog_scenario("debug", "a message on standard error"),
    _watchdog_scenario("inject-nmi", "the guest gets an NMI"),
    _watchdog_scenario("pause", "the machine stops", expected("STOP")),
    _watchdog_scenario("reset", "the machine is reset", _GUEST_RESET),
    _watchdog_scenario("shutdown", "the power button is pressed", expected("POWERDOWN")),
    _watchdog_scenario("poweroff", "the process ends at once"),
    Scenario(
        "panic-pause",
        "the guest reports a crash kernel, then a panic, which stops the machine",
        (
            expected("GUEST_CRASHLOADED", action="run"),
            _panicked("pause"),
            expected("STOP"),
            QUIT,
        ),
        _panic,
        assumes=("no-shutdown",),
    ),
    Scenario(
        "panic-shutdown",
        "the guest reports a panic, which ends the process",
        (
            Either(
                (
                    (_panicked("poweroff"), expected("STOP")),
                    (_panicked("pause"), expected("STOP"), _panicked("poweroff")),  # before 6.0
                )
            ),
            expected("SHUTDOWN", guest=True, reason="guest-panic"),
        ),
        _panic_off,
    ),
    Scenario(
        "pvshutdown",
        "the guest shuts down by pvpanic, which ends the process",
        (expected("GUEST_PVSHUTDOWN"), _BY_GUEST),
        _pvshutdown,
    ),
)
"""Scenarios about power."""
