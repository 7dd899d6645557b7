"""Logs that hold the streams of several VMs, as `validate` checks and reports them."""

import gzip
import json
from pathlib import Path

import pytest

from qmpcheck.cli import main

GREETING = (
    '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}'
)
OTHER_GREETING = GREETING.replace('"major": 7', '"major": 10').replace('"minor": 2', '"minor": 0')
FAILED = (
    '{"timestamp": {"seconds": 5, "microseconds": 0}, "event": "BLOCK_IO_ERROR", "data": {"device": "d0",'
    ' "operation": "read", "action": "stop", "reason": "full", "nospace": false}}'
)
STOP = '{"timestamp": {"seconds": 5, "microseconds": 1}, "event": "STOP"}'
RESUME = '{"timestamp": {"seconds": 5, "microseconds": 2}, "event": "RESUME"}'


def said(monitor: str, message: str) -> str:
    """A message of QEMU in libvirt's log at level debug, written by the thread that serves the monitor."""
    kind = "EVENT" if '"event"' in message else "REPLY"
    time = f"2026-01-02 03:04:05.678+0000: {monitor[2:]}0"
    return (
        f"{time}: debug : qemuMonitorJSONIOProcessLine:193 : Line [{message}]\n"
        f"{time}: info : qemuMonitorJSONIOProcessLine:207 : QEMU_MONITOR_RECV_{kind}: mon={monitor} "
        f"{kind.lower()}={message}\n"
    )


def opened(monitor: str, vm: str, greeting: str = GREETING) -> str:
    """What libvirt logs until its first command is answered."""
    time = f"2026-01-02 03:04:05.678+0000: {monitor[2:]}"
    return (
        f"{time}: info : qemuMonitorOpenInternal:622 : QEMU_MONITOR_NEW: mon={monitor} fd=19\n"
        f"{time}: debug : qemuDomainObjEnterMonitorInternal:4925 : "
        f"Entering monitor (mon={monitor} vm=0x55d0 name={vm})\n"
        f"{time}0: debug : qemuMonitorJSONIOProcessLine:193 : Line [{greeting}]\n"
        f'{time}0: info : qemuMonitorIOWrite:339 : QEMU_MONITOR_IO_WRITE: mon={monitor} buf={{"execute":"qmp_capabilities","id":"1"}}\n'
        f" len=30 ret=30 errno=0\n"
    ) + said(monitor, '{"return": {}, "id": "1"}')


def closed(monitor: str) -> str:
    return (
        f"2026-01-02 03:04:05.678+0000: 2: info : qemuMonitorClose:757 : QEMU_MONITOR_CLOSE: mon={monitor}\n"
    )


BEGIN = "2026-01-02 03:04:05.678+0000: 1: info : libvirt version: 11.3.0, package: 1 (x)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["validate", *arguments])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_each_vm_is_held_to_the_release_that_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("libvirtd.log").write_text(
        BEGIN
        + opened("0x1", "web")
        + opened("0x2", "db", OTHER_GREETING)
        + said("0x1", STOP)
        + said("0x2", STOP)
        + said("0x2", RESUME)
        + said("0x1", RESUME)
    )
    status, told = checked(capsys, "libvirtd.log")
    assert "web (0x1): conforms to 7.2: 5 lines, 2 events" in told
    assert "db (0x2): conforms to 10.0: 5 lines, 2 events" in told
    assert status == 0


def test_a_log_without_greetings(capsys: pytest.CaptureFixture[str]) -> None:
    """As at level info: the release that fits is taken, of a VM that was stopped, too."""
    log = "".join(
        line
        for line in (BEGIN + opened("0x1", "web") + said("0x1", STOP) + closed("0x1")).splitlines(True)
        if "debug" not in line
    )
    Path("info.log").write_text(log)
    status, told = checked(capsys, "info.log")
    assert "conforms to" in told
    assert "qmpcheck: info.log: 0x1: no greeting: checked against" in told
    assert status == 0


def test_one_vm_s_response_is_none_for_another_vm(capsys: pytest.CaptureFixture[str]) -> None:
    """Both streams would conform if they were one."""
    both = BEGIN + opened("0x1", "web") + opened("0x2", "db") + said("0x1", FAILED)
    Path("good.log").write_text(both + said("0x1", STOP) + closed("0x1") + closed("0x2"))
    Path("bad.log").write_text(both + said("0x2", STOP) + closed("0x1") + closed("0x2"))
    assert checked(capsys, "good.log", "--complete")[0] == 0
    status, told = checked(capsys, "bad.log", "--complete")
    assert "QMP301" in told
    assert status == 1


def test_findings_stand_on_the_lines_of_the_log_and_name_the_vm(capsys: pytest.CaptureFixture[str]) -> None:
    log = BEGIN + opened("0x1", "web") + said("0x1", STOP.replace("STOP", "NO_SUCH_EVENT"))
    Path("libvirtd.log").write_text(log)
    line = log[: log.index("NO_SUCH_EVENT")].count("\n") + 1
    main(["validate", "libvirtd.log", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    [finding] = report["diagnostics"]
    assert (finding["code"], finding["line"] in {line, line + 1}) == ("QMP201", True)
    [stream] = report["streams"]
    assert stream["vm"] == "web (0x1)"
    assert stream["format"] == "libvirt"


def test_a_name_of_a_vm_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("libvirtd.log").write_text(BEGIN + opened("0x1", "\x1b[31mweb") + said("0x1", STOP))
    assert "\x1b" not in checked(capsys, "libvirtd.log")[1]


def test_compressed_and_folders(capsys: pytest.CaptureFixture[str]) -> None:
    log = BEGIN + opened("0x1", "web") + said("0x1", STOP) + said("0x1", RESUME)
    Path("logs").mkdir()
    Path("logs/old.log.gz").write_bytes(gzip.compress(log.encode()))
    Path("logs/new.log").write_text(log)
    status, told = checked(capsys, "logs")
    assert ("old.log.gz" in told, "new.log" in told, status) == (True, True, 0)


PRINTED = b"""2026-01-02 03:04:05.678+0000: starting up libvirt version: 11.3.0, qemu version: 10.0.0
/usr/bin/qemu-system-x86_64 -name guest=web01
2026-01-02T03:04:06.123456Z qemu-system-x86_64: terminating on signal 15 from pid 42 (virtqemud)
"""
"""What libvirt keeps in /var/log/libvirt/qemu."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nothing of QMP here\nat all\n", "no known format"),
        (b"\x00\x01\x02\xff" * 100, "lock.log: a binary file"),
        (b"BZh91AY&SY\x00{}", "lock.log: this is an archive, or compressed by something other than gzip"),
        (PRINTED, "lock.log: no QMP message in it; QEMU traces them with"),
        (
            b"".join(BEGIN.encode().splitlines(True)[:1]),
            "lock.log: no QMP message in it; libvirt logs them only",
        ),
    ],
)
def test_what_is_no_log_of_qmp_cannot_be_read(
    content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("lock.log").write_bytes(content)
    status, told = checked(capsys, "lock.log")
    assert message in told
    assert status == 2


def test_what_qemu_printed_is_skipped_in_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("libvirt/qemu").mkdir(parents=True)
    Path("libvirt/virtqemud.log").write_text(BEGIN + opened("0x1", "web") + said("0x1", STOP))
    Path("libvirt/qemu/web.log").write_bytes(PRINTED)
    Path("libvirt/qemu/old.log.gz").write_bytes(gzip.compress(PRINTED))
    status, told = checked(capsys, "libvirt")
    names = "libvirt/qemu/old.log.gz and libvirt/qemu/web.log"
    assert f"qmpcheck: libvirt: skipped files that have only what a QEMU printed: {names}\n" in told
    assert (status, told.count("web.log")) == (0, 1)
    assert checked(capsys, "libvirt/qemu")[0] == 2


@pytest.mark.parametrize("lines", [0, 1, 5000, 100_000], ids=lambda lines: f"after {lines} other lines")
@pytest.mark.parametrize("path", ["qemu", "qemu/web.log"])
def test_a_trace_in_what_qemu_printed_is_read(
    lines: int, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins late if somebody switches it on in a machine that runs."""
    other = (
        b"qemu-system-x86_64: warning: guest updated active QH from qmp_dispatch of monitor_qmp_\n" * lines
    )
    trace = f"monitor_qmp_respond mon 0x1 resp: {STOP}\n".encode()
    Path("qemu").mkdir()
    Path("qemu/web.log").write_bytes(PRINTED + other + trace)
    status, told = checked(capsys, path, "--spec", "10.0")
    assert ("conforms to 10.0" in told, status) == (True, 0)


def test_what_qemu_printed_is_not_skipped_if_it_cannot_be_read_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("qemu").mkdir()
    Path("qemu/web.log.gz").write_bytes(gzip.compress(PRINTED * 10_000)[:-20])
    status, told = checked(capsys, "qemu")
    assert ("cut off" in told, status) == (True, 2)


def test_a_binary_file_is_no_recording_whatever_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("disk.jsonl").write_bytes(b"\x00{\x01\n" * 50)
    status, told = checked(capsys, "disk.jsonl")
    assert ("disk.jsonl: a binary file" in told, status) == (True, 2)


def test_a_file_without_any_object_is_one_message_whatever_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("notes.jsonl").write_text("rubbish\n" * 50)
    status, told = checked(capsys, "notes.jsonl", "--spec", "7.2")
    assert told.count("no known format") == 1
    assert "QMP101" not in told
    assert status == 2


@pytest.mark.parametrize("name", ["s.jsonl", "s.JSONL", "s.ndjson"])
def test_broken_lines_of_jsonl_are_errors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In text of another name, lines between the messages may be anything."""
    lines = f"rubbish\n{STOP}\nrubbish\n{RESUME}\n"
    Path(name).write_text(lines)
    Path("session.txt").write_text(lines)
    status, told = checked(capsys, name, "--spec", "7.2")
    assert told.count("QMP101") >= 2
    assert status == 1
    status, told = checked(capsys, "session.txt", "--spec", "7.2")
    assert "format json" in told
    assert status == 0


def test_what_a_format_can_lack_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("virsh.txt").write_text(
        "".join(
            f"event STOP at 1700000000.{each} for domain 'vm{each}': <null>\n" for each in (100001, 100002)
        )
    )
    _, told = checked(capsys, "virsh.txt", "--spec", "10.0")
    assert told.count(": conforms to 10.0") == 2
    assert told.count("virsh, which can lack QEMU's timestamps, the greeting, commands and replies)") == 1
    assert told.count("(format virsh)") == 1
