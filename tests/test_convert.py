"""`qmpcheck convert`, as a user runs it."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from qmpcheck.cli import main

CASES = Path(__file__).parent / "cases" / "formats"
STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}'
RESUME = STOP.replace("STOP", "RESUME")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(["convert", *arguments])
    except SystemExit as exit:
        status = int(exit.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def case(name: str) -> str:
    [path] = (CASES / name).glob("input.*")
    return str(path)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, case("libvirt-probe"), "--list") == (0, """\
libvirt: the log of libvirtd or virtqemud: a file, syslog, or journalctl
It may lack the greeting.

VM                                               events    messages    incomplete    lines
-----------------------------------------------  --------  ----------  ------------  -------
0x7f10000000a0, libvirt asking what QEMU can do  0         5           0             2-11
web01 (0x7f10000000a0)                           1         6           0             16-30
0x7f10000000b0                                   0         3           0             15-22
""", "")  # fmt: skip


def test_one_vm(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, case("virsh"), "--vm", "lab: it's 4")
    assert (status, err) == (0, "")
    assert [line.partition('"event": ')[2][:16] for line in out.splitlines()] == [
        '"BLOCK_IO_ERROR"',
        '"STOP"}',
    ]


def test_the_only_vm_needs_no_name_though_libvirt_probed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Path(case("libvirt-probe")).read_text().splitlines(keepends=True)
    Path("log").write_text("".join(line for line in lines if "0x7f10000000b0" not in line))
    status, out, _ = run(capsys, "log")
    assert status == 0
    assert "query-cpu-definitions" not in out
    assert '"RESUME"' in out


def test_connections_of_one_vm_are_written_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, case("libvirt"), "--vm", "web01")
    assert status == 0
    assert out.count('{"QMP"') == 2
    assert out.index('"STOP"') < out.index('"RESUME"')


def test_several_vms_need_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, case("libvirt"))
    assert (status, out) == (2, "")
    assert "name one with --vm: web01 (0x7f10000000a0), lab: it's 4 (0x7f10000000b0), " in err
    status, out, err = run(capsys, case("libvirt"), "--vm", "web02")
    assert (status, out) == (2, "")
    assert 'no VM "web02" in it (did you mean web01?); it has web01 (0x7f10000000a0)' in err


def test_what_is_cut_is_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, case("incus"))
    assert status == 0
    assert len(out.splitlines()) == 4
    assert err.endswith("input.log: left out 1 message cut off in the log\n")


def test_packed_and_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    data = Path(case("avocado")).read_bytes()
    Path("log.gz").write_bytes(gzip.compress(data))
    plain = run(capsys, case("avocado"))[1]
    assert run(capsys, "log.gz")[1] == plain
    command = [
        sys.executable,
        "-c",
        "from qmpcheck.cli import main; raise SystemExit(main())",
        "convert",
        "-",
    ]
    piped = subprocess.run(command, input=data, capture_output=True, check=True)
    assert piped.stdout.decode() == plain


def test_bytes_are_written_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    message = b'{"event": "X", "data": {"a": "\xc3\xa9 \xff"}}'
    Path("log").write_bytes(b"a: " + STOP.encode() + b"\nb: " + message + b"\n")
    assert run(capsys, "log", "-o", "out.jsonl")[0] == 0
    assert Path("out.jsonl").read_bytes() == STOP.encode() + b"\n" + message + b"\n"


def test_the_log_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    Path("log").write_text(f"a: {STOP}\n")
    status, _, err = run(capsys, "log", "-o", "log")
    assert status == 2
    assert "would overwrite" in err
    assert Path("log").read_text() == f"a: {STOP}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing\nof interest\n", 'line 1 is "nothing"'),
        ("", "no QMP message in it"),
        ("2026-01-02 03:04:05.678+0000: 1: info : libvirt version: 9\n", "no QMP message in it"),
        ("101: got QMP event: SHUTDOWN\n", "use qmpcheck record"),
    ],
)
def test_a_file_without_messages(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    Path("log").write_text(text)
    status, out, err = run(capsys, "log")
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not Path("out").exists()


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "log") == (2, "", "qmpcheck: log: No such file or directory\n")


def test_a_wrong_format(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, case("incus"), "--input", "trace")
    assert status == 2
    assert "no QMP message in it" in err
    assert run(capsys, case("incus"), "--input", "incs")[0] == 2


def test_memory_does_not_grow_with_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    noise = b"2026-01-02 03:04:05.678+0000: 1: debug : f:1 : nothing of interest in this line\n" * 1000
    message = f"2026-01-02 03:04:05.678+0000: 1: info : f:1 : QEMU_MONITOR_RECV_EVENT: mon=0x1 event={STOP}\n"
    with Path("log").open("wb") as file:
        for _ in range(500):
            file.write(noise + message.encode())
    tracemalloc.start()
    try:
        assert run(capsys, "log", "-o", os.devnull)[0] == 0
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
