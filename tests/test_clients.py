"""The lists of what clients read that come with qmpcheck, and the generator of libvirt's."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from qmpcheck.cli import main
from qmpcheck.drift import client_usage_file, client_usage_list
from qmpcheck.specs import catalogue

PROJECT = Path(__file__).parents[1]
LISTS = sorted((PROJECT / "clients").glob("*.txt"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_serves_all_neighbours(path: Path) -> None:
    for old, new in pairwise(catalogue.releases()):
        client_usage_list.read(path.read_text(), [old.rule_base, new.rule_base], path.name)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_says_where_it_comes_from(path: Path) -> None:
    head = "".join(line for line in path.read_text().splitlines() if line.startswith("#"))
    items = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert any(character.isdigit() for character in head)  # the client's version
    assert "Made by" in head
    assert "  # " in items[0]
    assert all("  # " in item for item in items)
    assert len({item.split()[0] for item in items}) == len(items)


def test_lists_are_found_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        name: Path(client_usage_file._located(name)).name for name in ("libvirt", "libvirt-7.0.0", "incus")
    }
    assert found == {
        "libvirt": "libvirt-11.3.0.txt",
        "libvirt-7.0.0": "libvirt-7.0.0.txt",
        "incus": "incus.txt",
    }
    assert main(["diff", "9.2", "10.0", "--used-by", "libvirt"]) == 0
    assert "of your 36 events" in capsys.readouterr().out
    assert main(["diff", "9.2", "10.0", "--used-by", "libvrt"]) == 2
    told = capsys.readouterr().err
    assert "libvrt: no such file, and no client of this name (did you mean libvirt?);" in told
    assert main(["diff", "9.2", "10.0", "--used-by", "WATCHDOG.action"]) == 2
    assert (
        "; for an event: echo WATCHDOG.action | qmpcheck diff OLD NEW --used-by -\n"
        in capsys.readouterr().err
    )
    assert main(["diff", "9.2", "10.0", "--used-by", "kataa"]) == 2
    assert "(did you mean kata?);" in capsys.readouterr().err
    assert "known: ganeti, incus, kata, libvirt, proxmox, qemu-iotests" in told


def test_a_file_of_the_same_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("libvirt").write_text("SHUTDOWN!\n")
    assert main(["diff", "9.2", "10.0", "--used-by", "libvirt"]) == 0
    assert "your one event does not change" in capsys.readouterr().out


MESON = "project(\n  'libvirt', 'c',\n  version: '98.7.0',\n)\n"
ENUMS = 'VIR_ENUM_IMPL(lampState,\n              LAST,\n              "", "on", "off",\n);\n'
HANDLERS = """\
VIR_ENUM_IMPL(lampPlace, LAST, "inside", "outside");
static struct {
    const char *type;
} eventHandlers[] = {
    { "SHUTDOWN", handleNothing, },
    { "STOP", qemuMonitorJSONHandleStop, },
    { "MIGRATION", qemuMonitorJSONHandleMigration, },
    { "GUEST_PANICKED", qemuMonitorJSONHandlePanic, },
};

static void qemuMonitorJSONHandleStop(qemuMonitor *mon, virJSONValue *data G_GNUC_UNUSED)
{
    lamp(mon);
}

static void
qemuMonitorJSONHandleMigration(qemuMonitor *mon,
                               virJSONValue *data)
{
    const char *str;
    int state;

    if (!(str = virJSONValueObjectGetString(data, "status")))
        return;
    if ((state = lampStateTypeFromString(str)) < 0)
        return;
    if (STREQ(str, "completed"))
        return;
    str = virJSONValueObjectGetString(data, "place");
    lampPlaceTypeFromString(str);
}

static void
qemuMonitorJSONReadInfo(virJSONValue *info)
{
    unsigned long long core;
    const char *kind = virJSONValueObjectGetString(info, "type");

    if (STREQ_NULLABLE(kind, "s390"))
        ignore_value(virJSONValueObjectGetNumberUlong(info, "core", &core));
}

static void
qemuMonitorJSONHandlePanic(qemuMonitor *mon, virJSONValue *data)
{
    virJSONValue *info = virJSONValueObjectGetObject(data, "info");

    qemuMonitorJSONReadInfo(info);
}
"""

MADE = """\
SHUTDOWN!                # src/qemu/qemu_monitor_json.c:5 handleNothing
STOP!                    # src/qemu/qemu_monitor_json.c:6 qemuMonitorJSONHandleStop
MIGRATION.status         # src/qemu/qemu_monitor_json.c:23 qemuMonitorJSONHandleMigration
MIGRATION.status=on?     # src/qemu/qemu_monitor.c:1 lampState
MIGRATION.status=off?    # src/qemu/qemu_monitor.c:1 lampState
MIGRATION.status=completed # src/qemu/qemu_monitor_json.c:27
MIGRATION.place?         # src/qemu/qemu_monitor_json.c:29 qemuMonitorJSONHandleMigration
MIGRATION.place=inside?  # src/qemu/qemu_monitor_json.c:1 lampPlace
MIGRATION.place=outside? # src/qemu/qemu_monitor_json.c:1 lampPlace
GUEST_PANICKED.info.type # src/qemu/qemu_monitor_json.c:37 qemuMonitorJSONReadInfo
GUEST_PANICKED.info.type=s390 # src/qemu/qemu_monitor_json.c:39
GUEST_PANICKED.info.core # src/qemu/qemu_monitor_json.c:40 qemuMonitorJSONReadInfo
"""


@pytest.fixture
def libvirt(tmp_path: Path) -> Path:
    (tmp_path / "src" / "qemu").mkdir(parents=True)
    (tmp_path / "meson.build").write_text(MESON)
    (tmp_path / "src" / "qemu" / "qemu_monitor.c").write_text(ENUMS)
    (tmp_path / "src" / "qemu" / "qemu_monitor_json.c").write_text(HANDLERS)
    return tmp_path


def generate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "clients" / "libvirt.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generator_follows_handlers_and_values(libvirt: Path) -> None:
    done = generate(libvirt)
    assert (done.stderr, done.returncode) == ("", 0)
    first, second, *items = done.stdout.splitlines()
    assert first.startswith("# libvirt 98.7.0: ")
    assert "Made by clients/libvirt.py from src/qemu/qemu_monitor_json.c" in second
    assert [item.split() for item in items] == [line.split() for line in MADE.splitlines()]


def test_the_generator_reads_a_tarball(libvirt: Path) -> None:
    tarball = libvirt / "l.tar.xz"
    subprocess.run(
        ["tar", "-C", libvirt.parent, "-cJf", tarball, f"{libvirt.name}/src", f"{libvirt.name}/meson.build"],
        check=True,
    )
    assert generate(tarball).stdout == generate(libvirt).stdout


def test_what_the_generator_cannot_tell(libvirt: Path) -> None:
    assert generate(libvirt, "--check").returncode == 1  # there is no such list
    (libvirt / "meson.build").unlink()
    done = generate(libvirt)
    assert (done.returncode, done.stderr) == (2, f"{libvirt}: the version is not told; name it\n")
    assert generate(libvirt, "1.2.3").stdout.startswith("# libvirt 1.2.3: ")
    (libvirt / "src" / "qemu" / "qemu_monitor_json.c").write_text("int x;\n")
    assert "no table of event handlers" in generate(libvirt, "1.2.3").stderr
    (libvirt / "src" / "qemu" / "qemu_monitor_json.c").unlink()
    assert generate(libvirt, "1.2.3").returncode == 2
