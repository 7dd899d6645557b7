"""Scenarios about power: life cycle, resets, suspend, shutdown, watchdog and panic."""

from __future__ import annotations

from collections.abc import Callable

from qmpcheck.gate.board import Ability
from qmpcheck.gate.boards import s390
from qmpcheck.gate.expectations import QUIT, Either, Expected, expected, maybe
from qmpcheck.gate.scenario import Scenario, Stage

_TO_RAM, _TO_DISK = 1, 2


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
    with stage.guest() as (vm, guest):
        for way in (0, 1):
            guest.do(Ability.RESET, way)
            vm.wait("RESET")


def _no_reboot(stage: Stage) -> None:
    with stage.guest("-no-reboot") as (vm, guest):
        guest.do(Ability.RESET)
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _suspend(stage: Stage) -> None:
    with stage.guest() as (vm, guest):
        guest.do(Ability.SLEEP, _TO_RAM)
        vm.wait("SUSPEND")
        vm.command("system_wakeup")
        vm.wait("WAKEUP")


def _suspend_disk(stage: Stage) -> None:
    with stage.guest() as (vm, guest):
        guest.do(Ability.SLEEP, _TO_DISK)
        vm.wait("SUSPEND_DISK")
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _guest_shutdown(stage: Stage) -> None:
    with stage.guest() as (vm, guest):
        guest.do(Ability.OFF)
        vm.wait("SHUTDOWN")
        vm.wait_exit()


def _no_shutdown(stage: Stage) -> None:
    with stage.guest("-no-shutdown") as (vm, guest):
        guest.do(Ability.OFF)
        vm.wait("SHUTDOWN")
        vm.wait("STOP")
        vm.command("system_reset")
        vm.wait("RESET")
        vm.command("cont")
        vm.wait("RESUME")
        vm.command("stop")  # a known erratum: under -no-shutdown, quit sends no STOP
        vm.wait("STOP")


def _watchdog(action: str, *then: str) -> Callable[[Stage], None]:
    """The function of a scenario in which the watchdog expires, which has these events as consequences."""

    def play(stage: Stage) -> None:
        with stage.guest() as (vm, guest):
            vm.command("watchdog-set-action", action=action)
            guest.do(Ability.WATCHDOG)
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
    # The function resumes a machine that is paused, so that it can quit like the others.
    resumed = (expected("RESUME"),) if action == "pause" else ()
    end = () if action == "poweroff" else (QUIT,)
    return Scenario(
        f"watchdog-{action}",
        f"the watchdog expires, with the action {action}: {purpose}",
        (expected("WATCHDOG", action=action), *then, *resumed, *end),
        _watchdog(action, *(each.event for each in then)),
        needs=(Ability.WATCHDOG,),
    )


def _crash_loaded(stage: Stage) -> None:
    with stage.guest() as (vm, guest):
        guest.do(Ability.CRASH_LOADED)
        vm.wait("GUEST_CRASHLOADED")


def _panic(by: Ability) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        with stage.guest("-no-shutdown") as (vm, guest):
            vm.command_if_known("set-action", panic="pause")  # before 6.0 it is the only action
            guest.do(by)
            vm.wait("GUEST_PANICKED")
            vm.wait("STOP")

    return play


def _panic_off(by: Ability) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        with stage.guest() as (vm, guest):
            vm.command_if_known("set-action", panic="shutdown")  # before 6.0 it pauses, and then shuts down
            guest.do(by)
            vm.wait("GUEST_PANICKED")
            vm.wait("SHUTDOWN")
            vm.wait_exit()

    return play


def _pvshutdown(stage: Stage) -> None:
    with stage.guest() as (vm, guest):
        guest.do(Ability.PVSHUTDOWN)
        vm.wait("GUEST_PVSHUTDOWN")
        vm.wait("SHUTDOWN")
        vm.wait_exit()


_BY_GUEST = expected("SHUTDOWN", guest=True, reason="guest-shutdown")
_GUEST_RESET = expected("RESET", guest=True, reason="guest-reset")
_HOST_RESET = expected("RESET", guest=False, reason="host-qmp-system-reset")


def _panicked(action: str, **more: object) -> Expected:
    return expected("GUEST_PANICKED", action=action, **more)


def _crashed(action: str) -> Expected:
    """The panic that the CPU itself reports. If that ends the process, STOP may come late or not at all."""
    where = {"type": "s390", "core": 0, "psw-addr": s390.CRASHED, "reason": "disabled-wait"}
    return _panicked(action, info=where)


SCENARIOS = (
    Scenario(
        "life-cycle",
        "stop, cont, system_reset, system_powerdown and quit, by QMP",
        (expected("STOP"), expected("RESUME"), _HOST_RESET, expected("POWERDOWN"), QUIT),
        _life_cycle,
    ),
    Scenario(
        "guest-reset",
        "the guest resets the machine twice, on a PC by the keyboard controller and by the chipset",
        (_GUEST_RESET, _GUEST_RESET, QUIT),
        _guest_reset,
        needs=(Ability.RESET,),
    ),
    Scenario(
        "no-reboot",
        "the guest resets the machine under -no-reboot, which ends the process",
        (expected("SHUTDOWN", guest=True, reason="guest-reset"),),
        _no_reboot,
        needs=(Ability.RESET,),
    ),
    Scenario(
        "suspend",
        "the guest suspends to memory and is woken",
        (expected("SUSPEND"), expected("WAKEUP"), QUIT),
        _suspend,
        needs=(Ability.SLEEP,),
    ),
    Scenario(
        "suspend-disk",
        "the guest suspends to disk, which ends the process",
        (expected("SUSPEND_DISK"), _BY_GUEST),
        _suspend_disk,
        needs=(Ability.SLEEP,),
    ),
    Scenario(
        "guest-shutdown",
        "the guest switches itself off, which ends the process",
        (_BY_GUEST,),
        _guest_shutdown,
        needs=(Ability.OFF,),
    ),
    Scenario(
        "no-shutdown",
        "the guest switches itself off under -no-shutdown, is reset, goes on, and is stopped",
        (_BY_GUEST, expected("STOP"), _HOST_RESET, expected("RESUME"), expected("STOP"), QUIT),
        _no_shutdown,
        needs=(Ability.OFF,),
        assumes=("no-shutdown",),
    ),
    _watchdog_scenario("none", "nothing more happens"),
    _watchdog_scenario("debug", "a message on standard error"),
    _watchdog_scenario("inject-nmi", "the guest gets an NMI"),
    _watchdog_scenario("pause", "the machine stops", expected("STOP")),
    _watchdog_scenario("reset", "the machine is reset", _GUEST_RESET),
    _watchdog_scenario("shutdown", "the power button is pressed", expected("POWERDOWN")),
    _watchdog_scenario("poweroff", "the process ends at once"),
    Scenario(
        "crash-loaded",
        "the guest reports that its crash kernel takes over",
        (expected("GUEST_CRASHLOADED", action="run"), QUIT),
        _crash_loaded,
        needs=(Ability.CRASH_LOADED,),
    ),
    Scenario(
        "panic-pause",
        "the guest reports a panic, which stops the machine",
        (_panicked("pause"), expected("STOP"), QUIT),
        _panic(Ability.PANIC),
        needs=(Ability.PANIC,),
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
        _panic_off(Ability.PANIC),
        needs=(Ability.PANIC,),
    ),
    Scenario(
        "disabled-wait",
        "the CPU enters a disabled wait, which is a panic and stops the machine",
        (_crashed("pause"), expected("STOP"), QUIT),
        _panic(Ability.DISABLED_WAIT),
        needs=(Ability.DISABLED_WAIT,),
        assumes=("no-shutdown",),
    ),
    Scenario(
        "disabled-wait-shutdown",
        "the CPU enters a disabled wait, which is a panic and ends the process",
        (
            maybe(_crashed("pause")),  # before 6.0
            maybe(expected("STOP")),
            _crashed("poweroff"),
            maybe(expected("STOP")),
            expected("SHUTDOWN", guest=True, reason="guest-panic"),
        ),
        _panic_off(Ability.DISABLED_WAIT),
        needs=(Ability.DISABLED_WAIT,),
    ),
    Scenario(
        "pvshutdown",
        "the guest shuts down by pvpanic, which ends the process",
        (expected("GUEST_PVSHUTDOWN"), _BY_GUEST),
        _pvshutdown,
        needs=(Ability.PVSHUTDOWN,),
    ),
)
"""In the order of reports."""
