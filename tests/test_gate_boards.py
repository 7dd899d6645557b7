"""The boards that scenarios are played on: which one, why none, and what each QEMU of this machine plays."""

import json
from pathlib import Path

import pytest
from real_qemu import real
from test_scenarios import rows

from qmpcheck.cli import main
from qmpcheck.gate.board import Ability, Need
from qmpcheck.gate.boards import choose
from qmpcheck.gate.build import Build
from qmpcheck.gate.failure import Failure
from qmpcheck.gate.run import run
from qmpcheck.gate.scenarios import ALL
from qmpcheck.rulebase import RuleBase
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
        (build("x86_64", "none pc"), WATCHDOG, "the device ib700 or i6300esb"),
        (build("avr", "none uno"), (Ability.SLEEP,), "the machine type pc or q35"),
        (build("x86_64", "none pc q35"), (Ability.HOT_PCI, "e1000e"), "the device pcie-root-port"),
        (build("x86_64", "none pc q35", "pcie-root-port"), (Ability.HOT_PCI, "e1000e"), "the device e1000e"),
        (build("aarch64", "none virt"), (Ability.CHANNELS,), "the machine type s390-ccw-virtio"),
        (build("x86_64", "none pc"), (Ability.VIRTIO, "virtio-net-{bus}"), "the device virtio-net-pci"),
        (build("riscv64", "none virt", release="8.1"), (Ability.OFF,), "a shutdown by the guest on virt (since 8.2)"),
        (build("riscv64", "none virt"), (Ability.CLOCK,), "an RTC that sends RTC_CHANGE on virt"),
        (build("", ""), (Ability.MEMORY,), "the machine type pc, q35, virt, s390-ccw-virtio, pseries, microvm or none"),
        (build("x86_64", "none pc")._replace(types=frozenset()), (Ability.CPU,), "the accelerator tcg"),
    ],
)  # fmt: skip
def test_what_no_board_has(has: Build, needs: tuple[Need, ...], reason: str) -> None:
    with pytest.raises(Failure) as raised:
        choose(has, needs)
    assert str(raised.value) == f"lacks: {reason}"


@pytest.mark.parametrize("name", ["spice", "spice-migration"])
def test_a_build_without_spice_skips_its_scenarios(name: str) -> None:
    """It has STOP and RESUME, which come in them, too; nothing is started."""
    whole = build("x86_64", "none pc")
    events = {event: rule for event, rule in whole.rule_base.events.items() if not event.startswith("SPICE_")}
    without = whole._replace(
        path="/no/such", commands=frozenset({"system_reset"}),
        rule_base=RuleBase(events, source=whole.rule_base.source),
    )  # fmt: skip
    [outcome] = run(without, [each for each in ALL if each.name == name]).outcomes
    assert str(outcome.failure).startswith("lacks: the event SPICE_")


COLUMNS = {"aarch64": 3, "arm": 4, "riscv64": 5, "s390x": 6, "ppc64": 7}
"""Where the page's table has the machine of an emulator."""

LATER = {
    *("pvshutdown", "vhost-user", "netdev-stream", "guest-shutdown", "no-shutdown", "identity"),
    *("memory-size", "unplug-refused"),
}
"""Those that newer releases alone play."""


@pytest.mark.qemu
@pytest.mark.parametrize("target", COLUMNS)
def test_an_emulator_plays_what_the_page_says(target: str, tmp_path: Path) -> None:
    qemu, report = real(f"qemu-system-{target}"), tmp_path / "report"
    assert main(["gate", "--qemu", qemu, "--fail-on", "warning", "--report", f"json={report}"]) == 0
    scenarios = json.loads(report.read_text())["scenarios"]
    skipped = {each["name"] for each in scenarios if each["verdict"].startswith("skipped")}
    cannot = {row[0] for row in rows("Scenarios and machines") if row[COLUMNS[target]] == "-"}
    assert skipped - LATER == cannot - LATER
