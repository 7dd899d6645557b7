"""Files that are replaced when the new one is whole, and not before."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from real_qemu import real

from qmpcheck.atomicfile import replacing

BAD = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP", "data": {"why": 1}}\n'
RUN = f"{sys.executable} -m qmpcheck"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def write(path: Path | str, content: Callable[[], bytes] = lambda: b"new") -> None:
    with replacing(str(path)) as file:
        file.write(content())


def interrupt() -> bytes:
    raise KeyboardInterrupt


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_older_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with replacing(str(path)) as file:
        file.write(b"new" * 100_000)
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" * 100_000
    assert [*tmp_path.iterdir()] == [path]


def test_an_exception_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    for each in (path, tmp_path / "y"):
        with pytest.raises(KeyboardInterrupt):
            write(each, interrupt)
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_the_mode_is_the_older_files_or_the_umasks(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new")
        for each in (0o600, 0o666, 0o755):
            (tmp_path / "old").write_bytes(b"old")
            (tmp_path / "old").chmod(each)
            write(tmp_path / "old")
            assert mode(tmp_path / "old") == each
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o640


def test_a_symbolic_link_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("there", "new"):
        (tmp_path / name).symlink_to(f"folder/{name}")
    (tmp_path / "folder/there").write_bytes(b"old")
    for name in ("there", "new"):
        write(tmp_path / name)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "folder" / name).read_bytes() == b"new"


def test_what_is_no_regular_file_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join()
    assert read == [b"new"]
    write("/dev/null")
    with (tmp_path / "opened").open("w+b") as file:
        write(f"/dev/fd/{file.fileno()}")
        assert file.read() == b"new"  # and not another file of the same name
    with pytest.raises(OSError, match="No space left"):
        write("/dev/full")
    assert {*os.listdir(tmp_path)} == {"pipe", "opened"}


def test_a_file_that_must_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x").chmod(0o444)
    tmp_path.chmod(0o777)
    script = f"from qmpcheck.atomicfile import replacing\nwith replacing({str(tmp_path / 'x')!r}) as f: f.write(b'new')"
    done = subprocess.run([*nobody(), sys.executable, "-c", script], capture_output=True, check=False)
    assert b"PermissionError" in done.stderr
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [tmp_path / "x"]


def nobody() -> list[str]:
    """How to run a command without the superuser's rights."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def test_a_file_in_a_folder_that_takes_no_other_is_written_directly(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    tmp_path.chmod(0o555)
    script = f"from qmpcheck.atomicfile import replacing\nwith replacing({str(tmp_path / 'x')!r}) as f: f.write(b'new')"
    subprocess.run([*nobody(), sys.executable, "-c", script], check=True)
    tmp_path.chmod(0o755)
    assert (tmp_path / "x").read_bytes() == b"new"
    assert [*tmp_path.iterdir()] == [tmp_path / "x"]


def test_a_mounted_file_is_written_directly(tmp_path: Path) -> None:
    for name in ("x", "source"):
        (tmp_path / name).write_bytes(b"old")
    mount = ["mount", "--bind", str(tmp_path / "source"), str(tmp_path / "x")]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        write(tmp_path / "x")
    finally:
        subprocess.run(["umount", str(tmp_path / "x")], check=True)
    assert (tmp_path / "source").read_bytes() == b"new"
    assert {*os.listdir(tmp_path)} == {"x", "source"}


@pytest.mark.parametrize(
    ("command", "file", "told"),
    [
        ("validate s.jsonl --spec v2 -o disk/x", "x", "disk/x: No space left on device"),
        ("validate s.jsonl --spec v2 --report junit=disk/x", "x", "disk/x: No space left on device"),
        ("validate s.jsonl --spec v2 --baseline disk/x --update-baseline", "x", "disk/x: No space left on"),
        ("diff v2 v3 -o disk/x", "x", "disk/x: No space left on device"),
        ("diff 7.2 10.0 --report sarif=disk/x", "x", "disk/x: No space left on device"),
        ("compile doc.txt -o disk/x", "x", "disk/x: No space left on device"),
        ("schema v2 -o disk/x", "x", "disk/x: No space left on device"),
        pytest.param(
            "gate --qemu qemu-system-x86_64 --only life-cycle --save disk",
            "life-cycle.jsonl",
            "--save disk: No space left on device",
            marks=pytest.mark.qemu,
        ),
    ],
)
def test_a_full_disk_destroys_nothing(command: str, file: str, told: str, disk: Path) -> None:
    if command.startswith("gate "):
        real()
    folder = disk.parent
    (folder / "s.jsonl").write_text(BAD * 3)
    (folder / "doc.txt").write_text("X1\n--\nData: None.\n")
    old = '{"baseline": 1, "findings": []}' if "baseline" in command else "old"
    (disk / file).write_text(old)
    fill(disk)
    done = subprocess.run([*shlex.split(RUN), *command.split()], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 2
    assert f"qmpcheck: {told}" in done.stderr.decode()
    assert (disk / file).read_text() == old
    assert {*os.listdir(disk)} == {file, "filler"}


def test_a_kill_destroys_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    script = (
        f"import os, signal\nfrom qmpcheck.cli import output\n"
        f"with output.opened({str(tmp_path / 'x')!r}) as out:\n"
        f"    out.write('new' * 100000); out.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "x").read_bytes() == b"old"
