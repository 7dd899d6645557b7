"""Processes of a group, and what is left when qmpcheck is killed: nothing."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from qmpcheck.qmp.process import GroupClosed, NotStarted, ProcessGroup

MACHINE = ("-machine", "none", "-nodefaults", "-display", "none")
STUBBORN = "trap '' TERM INT HUP QUIT; sleep 1000 & setsid sleep 1000 & echo; wait; sleep 1000"
"""A process with a child in its session and one in a session of its own."""


def real() -> str:
    return shutil.which("qemu-system-x86_64") or pytest.skip("no qemu-system-x86_64 on PATH")


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def alive(mark: str) -> list[int]:
    """The processes that have a variable in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """A variable that all processes started from here have."""
    value = f"test-{random.getrandbits(64)}"
    monkeypatch.setenv("STARTED_BY", value)
    return value


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_group_leaves_nothing(tmp_path: Path, mark: str) -> None:
    with ProcessGroup(str(tmp_path)) as group:
        with group.started(["sh", "-c", STUBBORN], group.folder) as process:
            process.peer.recv(1)
            wait_for(lambda: len(alive(mark)) == 4)  # the guardian is one of them
            assert process.status() is None
        assert len(alive(mark)) == 1
        with group.started(["sh", "-c", "echo; exec sleep 1000"]) as other:
            other.peer.recv(1)
            (Path(group.folder) / "file").touch()
            group.close()
            assert other.status() == -signal.SIGKILL
        with pytest.raises(GroupClosed), group.started(["true"]):
            pass
    assert not [*tmp_path.iterdir()]
    assert alive(mark) == []


def test_how_a_process_ends() -> None:
    with ProcessGroup() as group:
        for script, status in [("exit 3", 3), ("kill -SEGV $$", -signal.SIGSEGV), ("", 0)]:
            with group.started(["sh", "-c", f"echo one >&2; echo >&2; echo two >&2; {script}"]) as process:
                assert process.status(30) == status
                assert process.last_lines() == ["one", "two"]
        for command in ("./none", "/etc/passwd", "\0"):
            with pytest.raises(NotStarted), group.started([command]):
                pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT, signal.SIGABRT])
@pytest.mark.parametrize("command", ["show", "gate", "record"])
def test_qmpcheck_is_killed(
    command: str, number: signal.Signals, tmp_path: Path, temporary: Path, mark: str
) -> None:
    """While one of its processes has children, one of them in a session of its own."""
    script = tmp_path / "qemu-system-fake"
    asks = f'case "$*" in *" -S "*) exec {real()} "$@";; esac' if command == "gate" else ""
    script.write_text(f"#!/bin/sh\n{asks}\n{STUBBORN.replace('echo', f'touch {tmp_path}/started')}\n")
    script.chmod(0o755)
    arguments = {
        "show": [f"qemu:{script}"],
        "gate": ["--qemu", str(script), "--only", "life-cycle,rtc"],
        "record": ["-o", str(tmp_path / "s"), "--", str(script)],
    }[command]
    starter = (
        "import sys\nfrom qmpcheck.qmp import process\nprocess.GRACE = 0.5\n"
        "from qmpcheck.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, command, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as process:
        wait_for((tmp_path / "started").exists)
        process.send_signal(number)
    assert process.returncode == -number
    wait_for(lambda: not alive(mark))
    wait_for(lambda: not [*temporary.iterdir()])


def test_a_gate_is_killed_at_any_moment(temporary: Path, mark: str) -> None:
    command = [
        sys.executable,
        "-m",
        "qmpcheck",
        "gate",
        "--qemu",
        real(),
        "--only",
        "job-*,life-cycle,suspend",
    ]
    for _ in range(8):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            if random.random() < 0.7:
                wait_for(lambda: [*temporary.glob("qmpcheck-*")] or process.poll() is not None)
            time.sleep(random.random() * 0.7)
            process.kill()
        wait_for(lambda: not alive(mark))
        wait_for(lambda: not [*temporary.iterdir()])


def test_a_recorded_qemu_is_asked_to_end_before_it_is_killed(tmp_path: Path, mark: str) -> None:
    file, trace = tmp_path / "s", tmp_path / "said"
    command = [sys.executable, "-m", "qmpcheck", "record", "-o", str(file), "--", real(), *MACHINE]
    with trace.open("wb") as said, subprocess.Popen(command, stderr=said) as process:
        wait_for(lambda: file.exists() and b'"return"' in file.read_bytes())
        process.kill()
    wait_for(lambda: not alive(mark))
    assert b"terminating on signal 15" in trace.read_bytes()


def test_nothing_of_the_environment_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "a=b c")
    with (
        ProcessGroup() as group,
        group.started(["sh", "-c", f'printf %s "$OURS" > {tmp_path}/it']) as process,
    ):
        assert process.status(30) == 0
    assert (tmp_path / "it").read_text() == "a=b c"
    assert not any(name.startswith("QMPCHECK_RUN") for name in os.environ)
