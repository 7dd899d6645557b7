"""The boards that scenarios are played on: which one, why none, and what each QEMU of this machine plays."""

import json
from pathlib import Path

import pytest
from real_qemu import real

from qmpcheck.cli import main
from qmpcheck.gate.board import Ability, Need
from qmpcheck.gate.boards.choice import choose
from qmpcheck.gate.build import Build
from qmpcheck.gate.failure import Failure
from qmpcheck.specs import catalogue
from qmpcheck.version import Version

WATCHDOG = (Ability.WATCHDOG,)


def build(target: str, machines: str, types: str = "", release: str = "7.2") -> Build:
    """A build that has these machines, and these types of devices."""
    version = Version(*map(int, release.split(".")))
    rule_base = catalogue.find("7.2").rule_base
    kinds = frozenset(["tcg-accel", *types.split()])
    return Build("qemu", version, rule_base, frozenset(), target, frozenset(machines.split()), kinds)


@pytest.mark.parametrize(
    ("has", "needs", "board", "device"),
    [
        (build("x86_64", "none pc q35", "ib700 i6300esb"), WATCHDOG, "pc", "ib700"),
        (build("x86_64", "none pc q35", "i6300esb"), WATCHDOG, "pc", "i6300esb,addr=5"),
        (build("x86_64", "none q35", "i6300esb"), WATCHDOG, "q35", "i6300esb,addr=5"),
        (build("aarch64", "none virt", "i6300esb"), WATCHDOG, "virt", "i6300esb,addr=5"),
        (build("x86_64", "none pc q35", "pcie-root-port"), (Ability.HOT_PCI,), "q35", "pcie-root-port"),
        (build("avr", "none uno"), (Ability.MEMORY,), "none", ""),
        (build("x86_64", "none pc", "virtio-net-pci"), (Ability.VIRTIO, "virtio-net-{bus}"), "pc", ""),
    ],
)
def test_the_first_board_that_has_what_is_needed(
    has: Build, needs: tuple[Need, ...], board: str, device: str
) -> None:
    setting = choose(has, needs)
    assert setting.board.type == board
    assert next(each.device for each in setting.features.values()).startswith(device)


@pytest.mark.parametrize(
    ("has", "needs", "reason"),
    [
        (build("x86_64", "none pc"), WATCHDOG, "a watchdog on pc"),
        (build("avr", "none uno"), WATCHDOG, "a watchdog on none"),
        (build("aarch64", "none virt"), (Ability.SLEEP,), "a way for the guest to suspend it on virt"),
        (build("x86_64", "none pc"), (Ability.VIRTIO, "virtio-net-{bus}"), "the device virtio-net-pci"),
        (build("riscv64", "none virt", release="8.1"), (Ability.OFF,), "a way for the guest to switch it off on virt"),
        (build("", ""), (Ability.MEMORY,), "a machine"),
        (build("x86_64", "none pc")._replace(types=frozenset()), (Ability.CPU,), "the accelerator tcg"),
    ],
)  # fmt: skip
def test_what_no_board_has(has: Build, needs: tuple[Need, ...], reason: str) -> None:
    with pytest.raises(Failure) as raised:
        choose(has, needs)
    assert str(raised.value) == f"lacks: {reason}"


SKIPPED = {
    "aarch64": "suspend suspend-disk memory-failure",
    "riscv64": "suspend suspend-disk rtc memory-failure memory-module",
}
"""The scenarios that an emulator cannot play, whatever its release."""

LATER = {"pvshutdown", "vhost-user", "netdev-stream", "guest-shutdown", "no-shutdown"}
"""Those that releases since 7.2 may skip."""


@pytest.mark.qemu
@pytest.mark.parametrize("target", SKIPPED)
def test_what_an_emulator_plays(target: str, tmp_path: Path) -> None:
    qemu, report = real(f"qemu-system-{target}"), tmp_path / "report"
    assert main(["gate", "--qemu", qemu, "--fail-on", "warning", "--report", f"json={report}"]) == 0
    scenarios = json.loads(report.read_text())["scenarios"]
    skipped = {each["name"] for each in scenarios if each["verdict"].startswith("skipped")}
    assert skipped - LATER <= set(SKIPPED[target].split())
