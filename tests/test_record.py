"""Recordings of real QEMUs, and of peers that send what no QEMU does."""

import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from real_qemu import real

from qmpcheck.cli import main
from qmpcheck.qmp import connection
from qmpcheck.recording import sources

GREETING = b'{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}\r\n'
REPLY = b'{"return": {}}\r\n'
STOP = b'{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}\r\n'
MACHINE = ("-machine", "none", "-nodefaults", "-display", "none")

Peer = Callable[[socket.socket], None]


def sending(*chunks: bytes, pause: float = 0.0, linger: float = 0.0) -> Peer:
    """A peer that sends this, whatever it is asked, and goes."""

    def peer(connection: socket.socket) -> None:
        for chunk in chunks:
            connection.sendall(chunk)
            time.sleep(pause)
        time.sleep(linger)

    return peer


def taking(connection: socket.socket) -> bytes:
    """One command."""
    return connection.makefile("rb").readline()


@contextmanager
def serving(path: Path, *peers: Peer) -> Iterator[str]:
    """A Unix socket where one peer after the other answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener, peers), daemon=True)
        thread.start()
        yield f"unix:{path}"


def serve(listener: socket.socket, peers: tuple[Peer, ...]) -> None:
    for peer in peers:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                peer(connection)


def record(*arguments: str | Path, **options: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "qmpcheck", "record", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def ended(process: "subprocess.Popen[bytes]") -> str:
    """What it said on standard error."""
    return process.communicate(timeout=60)[1].decode()


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def connects(connection: socket.socket, path: Path) -> bool:
    """Whether somebody listens by now: a path is there before that."""
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def command(path: Path, *names: str) -> list[bytes]:
    """Have a QEMU do this over another monitor."""
    with socket.socket(socket.AF_UNIX) as connection:
        wait_for(lambda: connects(connection, path))
        with connection.makefile("rwb", buffering=0) as file:
            lines = [file.readline()]
            for name in ("qmp_capabilities", *names):
                file.write(b'{"execute": "%s"}' % name.encode())
                while b'"return"' not in (line := file.readline()):
                    lines.append(line)
                lines.append(line)
    return lines


def conforms(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The report. What these tests have QEMU send is the same since 4.0."""
    capsys.readouterr()
    assert main(["validate", str(path), "--spec", "7.2"]) == 0
    return capsys.readouterr().out


@contextmanager
def qemu(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([real("qemu-system-x86_64"), *MACHINE, *arguments]) as process:
        try:
            yield process
        finally:
            process.kill()


# real ones


@pytest.mark.qemu
def test_a_qemu_on_a_unix_socket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, other, file = tmp_path / "ours", tmp_path / "other", tmp_path / "s.jsonl"
    listening = ("-qmp", f"unix:{ours},server=on,wait=off", "-qmp", f"unix:{other},server=on,wait=off")
    with qemu(*listening):
        wait_for(other.exists)
        with record(ours, "-o", file) as recorder:
            wait_for(lambda: file.exists() and file.read_bytes().count(b"\n") == 2)
            seen = command(other, "stop", "cont", "quit")
            said = ended(recorder)
    assert (recorder.returncode, said) == (
        0,
        f"qmpcheck: recorded 5 lines, 3 events, 1 session to {file}\n",
    )
    recorded = file.read_bytes().splitlines(keepends=True)
    assert recorded[0] == seen[0]  # byte for byte what QEMU says to anyone
    assert recorded[1] == REPLY
    assert [line for line in seen if b'"event"' in line] == recorded[2:][: len(seen) - 5]
    assert "conforms to 7.2: 5 lines, 3 events" in conforms(file, capsys)


@pytest.mark.qemu
def test_a_qemu_on_tcp(tmp_path: Path) -> None:
    real("qemu-system-x86_64")  # or else skip, before anything waits for it
    port = random.randrange(20_000, 30_000)  # below those that the system gives to clients
    file = tmp_path / "s.jsonl"
    with (
        record(f"127.0.0.1:{port}", "-o", file, "--reconnect") as recorder,
        qemu("-qmp", f"tcp:127.0.0.1:{port},server=on,wait=off") as process,
    ):
        wait_for(lambda: file.exists() and file.read_bytes().count(b"\n") == 2)
        process.terminate()
        wait_for(lambda: b"SHUTDOWN" in file.read_bytes())
        process.wait()
        recorder.send_signal(signal.SIGTERM)
        said = ended(recorder)
    assert recorder.returncode == 130
    assert said.endswith(f"qmpcheck: recorded 3 lines, 1 event, 1 session to {file}\n")


@pytest.mark.qemu
def test_a_qemu_that_is_killed_and_restarted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real("qemu-system-x86_64")
    ours, file = tmp_path / "ours", tmp_path / "s.jsonl"
    with record(f"unix:{ours}", "-o", file, "--reconnect") as recorder:
        for number in (1, 2):
            with qemu("-qmp", f"unix:{ours},server=on,wait=off") as process:
                wait_for(lambda number=number: file.exists() and file.read_bytes().count(REPLY) == number)  # type: ignore[misc]
                if number == 2:
                    process.terminate()
                    process.wait()
        wait_for(lambda: b"SHUTDOWN" in file.read_bytes())
        recorder.send_signal(signal.SIGINT)
        said = ended(recorder)
    assert recorder.returncode == 130
    assert said.endswith(f"qmpcheck: recorded 5 lines, 1 event, 2 sessions to {file}\n")
    assert "5 lines, 1 event" in conforms(file, capsys)


@pytest.mark.qemu
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_qemu_as_a_command(
    stop: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "s.jsonl"
    with record("-o", file, "--", real("qemu-system-x86_64"), *MACHINE) as recorder:
        wait_for(lambda: file.exists() and REPLY in file.read_bytes())
        recorder.send_signal(stop)
        said = ended(recorder)
    assert recorder.returncode == 130
    assert f"terminating on signal {stop.value}" in said
    assert said.endswith(
        "qmpcheck: the command ended with exit status 0\n"
        f"qmpcheck: recorded 4 lines, 1 event, 1 session to {file}\n"
    )
    assert "4 lines, 1 event" in conforms(file, capsys)
    assert file.read_bytes().splitlines()[1] == b'{"execute": "qmp_capabilities"}'


def ignore_hangups() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_hangup_under_nohup(tmp_path: Path) -> None:
    file = tmp_path / "s"
    with (
        serving(tmp_path / "q", sending(GREETING, linger=60)) as source,
        record(source, "-o", file, preexec_fn=ignore_hangups) as recorder,
    ):
        wait_for(lambda: file.exists() and GREETING in file.read_bytes())
        recorder.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert recorder.poll() is None
        recorder.send_signal(signal.SIGTERM)
        ended(recorder)
    assert recorder.returncode == 130


@pytest.mark.qemu
@pytest.mark.parametrize("shell", [[], ["sh", "-c", '"$@"; exit $?', "-"]])
def test_a_qemu_as_a_command_that_is_killed(shell: list[str], tmp_path: Path) -> None:
    """A shell that has run it exits with 137."""
    file, pid = tmp_path / "s.jsonl", tmp_path / "pid"
    qemu = [*shell, real("qemu-system-x86_64"), *MACHINE, "-pidfile", str(pid)]
    with record("-o", file, "--", *qemu) as recorder:
        wait_for(lambda: file.exists() and REPLY in file.read_bytes())
        os.kill(int(pid.read_text()), signal.SIGKILL)
        said = ended(recorder)
    assert recorder.returncode == 2  # all that it sent is there, but not what it had still to send
    assert "the command ended with signal 9, SIGKILL: what it had not sent yet is lost\n" in said
    assert file.read_bytes().endswith(REPLY)


@pytest.mark.qemu
def test_a_storage_daemon_as_a_command_to_a_pipe(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with record(
        *("-o", "-", "--", real("timeout"), "60", real("qemu-storage-daemon")),
        *("--chardev", f"socket,id=a,path={other},server=on,wait=off", "--monitor", "chardev=a"),
        stdout=subprocess.PIPE,
    ) as recorder:
        command(other, "quit")
        out, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 0
    assert re.fullmatch(rb'\{"QMP": .*\r\n\{"execute": "qmp_capabilities"\}\n\{"return": \{\}\}\r\n', out)
    assert said.endswith(b"qmpcheck: recorded 3 lines, 0 events, 1 session to standard output\n")


# peers that are none


def said_of(
    source: str, file: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, list[str]]:
    status = main(["record", source, "-o", str(file), *options])
    return status, [line.removeprefix("qmpcheck: ") for line in capsys.readouterr().err.splitlines()]


def test_bytes_are_kept_as_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = GREETING + REPLY + b"\xff\x00 \r\r\n\n" + STOP + b" { } \n"
    asked: list[bytes] = []

    def peer(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        asked.append(taking(connection))
        for at in range(len(GREETING), len(lines)):
            connection.sendall(lines[at : at + 1])

    with serving(tmp_path / "q", peer) as source:
        status, said = said_of(source, tmp_path / "s", capsys)
    assert (status, said) == (0, [f"recorded 6 lines, 1 event, 1 session to {tmp_path / 's'}"])
    assert (tmp_path / "s").read_bytes() == lines
    assert asked == [b'{"execute": "qmp_capabilities"}\n']


@pytest.mark.parametrize(
    ("peer", "kept", "message"),
    [
        (
            sending(GREETING, REPLY + STOP + STOP[:37]),
            GREETING + REPLY + STOP,
            "lost 37 bytes of an unfinished line",
        ),
        (sending(GREETING[:7]), b"", "lost 7 bytes of an unfinished line"),
        (sending(), b"", "it closed the connection without a greeting"),
        (sending(linger=5), b"", "no greeting within 0.5 s: it does not speak QMP, or "),
        (sending(*[b"x"] * 50, pause=0.1), b"", "no greeting within 0.5 s: it does not speak QMP, or "),
        (
            sending(b"HTTP/1.1 \033[2J 400\r\nx"),
            b"",
            r'it does not speak QMP: its first line is "HTTP/1.1 \x1b[2J 400"',
        ),
        (sending(STOP), STOP, "it closed the connection without a greeting"),
        (sending(STOP, linger=5), STOP, "no greeting within 0.5 s: it does not speak QMP, or "),
        (sending(STOP + STOP + REPLY), STOP * 2, "it does not speak QMP: before its greeting it sends "),
        (sending(STOP, b"\n" + GREETING), STOP, 'it does not speak QMP: before its greeting it sends ""'),
        (sending(REPLY), b"", "it does not speak QMP: its first line is "),
        (sending(b'{"event": "STOP"}\n'), b"", "it does not speak QMP: its first line is "),
        (sending(b'{"event": 1, "timestamp": {}}\n'), b"", "it does not speak QMP: its first line is "),
        (sending(b"[" * 100_000 + b"\n"), b"", "it does not speak QMP: its first line is "),
        (sending(b"\n" + GREETING), b"", 'it does not speak QMP: its first line is ""'),
    ],
)
def test_what_is_no_qmp(
    peer: Peer,
    kept: bytes,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    with serving(tmp_path / "q", peer) as source:
        status, said = said_of(source, tmp_path / "s", capsys)
    assert status == 2
    assert any(line.startswith(message) for line in said), said
    assert all(map(str.isprintable, said))
    assert (tmp_path / "s").read_bytes() == kept


@pytest.mark.parametrize("size", [1, 50, 1000])
def test_events_before_the_greeting(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = STOP * 3 + GREETING, REPLY + STOP
    asked: list[bytes] = []

    def peer(connection: socket.socket) -> None:
        for at in range(0, len(before) - 1, size):
            connection.sendall(before[at : min(at + size, len(before) - 1)])
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            asked.append(connection.recv(99))  # nothing before the greeting is whole
        connection.settimeout(None)
        connection.sendall(before[-1:])
        asked.append(taking(connection))
        connection.sendall(after)

    with serving(tmp_path / "q", peer) as source:
        status, said = said_of(source, tmp_path / "s", capsys)
    assert (status, said) == (0, [f"recorded 6 lines, 4 events, 1 session to {tmp_path / 's'}"])
    assert (tmp_path / "s").read_bytes() == before + after
    assert asked == [b'{"execute": "qmp_capabilities"}\n']


def test_a_slow_peer_has_as_long_as_it_likes_after_the_greeting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    with serving(tmp_path / "q", sending(GREETING, REPLY, STOP[:9], STOP[9:], pause=0.4)) as source:
        assert said_of(source, tmp_path / "s", capsys)[0] == 0
    assert (tmp_path / "s").read_bytes() == GREETING + REPLY + STOP


def test_a_line_without_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.Connection.__init__, "__defaults__", (True, 1 << 20))
    with serving(tmp_path / "q", sending(GREETING + STOP, *[b"x" * 9999] * 1000)) as source:
        status, said = said_of(source, tmp_path / "s", capsys)
    assert status == 2
    assert re.fullmatch(r"lost 1\d{6} bytes of an unfinished line", said[0])
    assert said[1] == "a line is longer than 1048576 bytes"
    assert (tmp_path / "s").read_bytes() == GREETING + STOP


def test_a_long_line_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = b'{"event": "' + b"x" * 5_000_000 + b'"}\n'
    with serving(tmp_path / "q", sending(GREETING, line)) as source:
        assert said_of(source, tmp_path / "s", capsys)[0] == 0
    assert (tmp_path / "s").read_bytes() == GREETING + line


def test_peers_one_after_the_other(tmp_path: Path) -> None:
    """One is cut off, one closes at once, one is whole; the fourth is cut off by the user."""
    first, last = sending(GREETING, STOP, STOP[:5]), sending(GREETING, REPLY, linger=60)
    file = tmp_path / "s"
    with (
        serving(tmp_path / "q", first, sending(), sending(GREETING, REPLY), last) as source,
        record("--reconnect", source, "-o", file) as recorder,
    ):
        wait_for(lambda: file.exists() and file.read_bytes().count(REPLY) == 2)
        recorder.send_signal(signal.SIGTERM)
        said = ended(recorder)
    assert recorder.returncode == 2  # it is not whole
    assert said == (
        "qmpcheck: lost 5 bytes of an unfinished line\n"
        f"qmpcheck: recorded 6 lines, 1 event, 3 sessions to {file}\n"
    )
    assert file.read_bytes() == GREETING + STOP + (GREETING + REPLY) * 2


# interrupts and full disks


def flowing(sent: list[bytes]) -> Peer:
    """A peer that sends numbered events, without an end; `sent` is what it has sent or is about to."""

    def peer(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        for number in range(10_000_000):
            line = b'{"event": "E%d"}\r\n' % number
            sent.append(line)
            connection.sendall(line)

    return peer


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0, 1000, 20_000])
def test_an_interrupt_while_lines_flow(stop: signal.Signals, after: int, tmp_path: Path) -> None:
    sent: list[bytes] = [GREETING]
    file = tmp_path / "s"
    with serving(tmp_path / "q", flowing(sent)) as source, record(source, "-o", file) as recorder:
        wait_for(lambda: file.exists() and file.stat().st_size and len(sent) > after)
        recorder.send_signal(stop)
        recorder.send_signal(stop)  # as `timeout` does, which asks the process and then its group
        said = ended(recorder)
    lines = file.read_bytes().splitlines(keepends=True)
    assert recorder.returncode == 130
    assert lines == sent[: len(lines)]
    assert f"recorded {len(lines)} lines, {len(lines) - 1} events, 1 session to {file}\n" in said


def test_an_interrupt_while_nothing_comes(tmp_path: Path) -> None:
    for number, source in enumerate((f"unix:{tmp_path}/none", f"unix:{tmp_path}/q")):
        file = tmp_path / f"s{number}"
        with (
            serving(tmp_path / ("q" if number else "other"), sending(linger=60)),
            record(source, "-o", file, "--reconnect") as recorder,
        ):
            wait_for(file.exists)
            time.sleep(0.3)
            recorder.send_signal(signal.SIGINT)
            said = ended(recorder)
        assert recorder.returncode == 130
        assert said.startswith("qmpcheck: waiting for " if number == 0 else "qmpcheck: recorded")
        assert said.endswith(f"recorded 0 lines, 0 events, 0 sessions to {file}\n")


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    sent: list[bytes] = [GREETING]
    file = tmp_path / "s"
    with (
        serving(tmp_path / "q", flowing(sent)) as source,
        record(source, "-o", file, preexec_fn=limit_files) as recorder,
    ):
        said = ended(recorder)
    lines = file.read_bytes().splitlines(keepends=True)
    assert recorder.returncode == 2
    assert lines == sent[: len(lines)]
    assert 99_000 < file.stat().st_size <= 100_000
    assert re.search(r"s: File too large: \d+ lines? \(\d+ bytes\) received but not written\n", said)
    assert f"recorded {len(lines)} lines, " in said


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills(tiny_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[bytes] = [GREETING]
    with serving(tmp_path / "q", flowing(sent)) as source:
        status, said = said_of(source, tiny_disk / "s", capsys)
    lines = (tiny_disk / "s").read_bytes().splitlines(keepends=True)
    assert status == 2
    assert len(lines) > 1000
    assert lines == sent[: len(lines)]
    assert "s: No space left on device: " in said[-2]


def test_a_disk_that_takes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path / "q", sending(GREETING + REPLY + STOP, linger=1)) as source:
        status, said = said_of(source, Path("/dev/full"), capsys)
    assert status == 2
    count = len(GREETING + REPLY + STOP)
    assert said == [
        f"/dev/full: No space left on device: 3 lines ({count} bytes) received but not written",
        "recorded 0 lines, 0 events, 0 sessions to /dev/full",
    ]


@pytest.mark.qemu
def test_a_full_disk_does_not_end_the_machine(tmp_path: Path) -> None:
    other = tmp_path / "other"
    machine = (real("qemu-system-x86_64"), *MACHINE, "-qmp", f"unix:{other},server=on,wait=off")
    with record("-o", "/dev/full", "--", *machine) as recorder:
        wait_for(other.exists)
        assert any(b"RESUME" in line for line in command(other, "stop", "cont", "query-status"))
        command(other, "quit")
        said = ended(recorder)
    assert recorder.returncode == 2
    assert "received but not written; the command goes on without a recording\n" in said
    assert "the command ended with exit status 0\n" in said


def test_a_reader_that_goes(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "q", flowing([])) as source,
        record(source, "-o", "-", stdout=subprocess.PIPE) as recorder,
    ):
        assert recorder.stdout
        assert recorder.stdout.readline() == GREETING
        recorder.stdout.close()
        assert recorder.stderr
        said = recorder.stderr.read().decode()
    assert recorder.returncode == 2
    assert re.search(
        r"standard output: Broken pipe: \d+ lines? \(\d+ bytes\) received but not written\n", said
    )


def test_a_reader_that_sleeps(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "q", flowing([])) as source,
        record(source, "-o", "-", stdout=subprocess.PIPE) as recorder,
    ):
        assert recorder.stdout
        assert recorder.stdout.readline() == GREETING
        time.sleep(0.5)  # the pipe fills
        recorder.send_signal(signal.SIGINT)
        wait_for(lambda: recorder.poll() is not None)
        said = ended(recorder)
    assert recorder.returncode == 2
    assert "standard output: interrupted before its reader took all: " in said


# the file and the words


def test_a_recording_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "s"
    file.write_bytes(STOP)
    assert said_of("unix:none", file, capsys) == (
        2,
        [f"{file}: it exists already, and a recording is never overwritten; name another file"],
    )
    assert file.read_bytes() == STOP
    file.write_bytes(b"")
    with serving(tmp_path / "q", sending(GREETING)) as source:
        assert said_of(source, file, capsys)[0] == 0
    assert file.read_bytes() == GREETING


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("unix:/none\033", r"/none\x1b: No such file or directory"),
        ("/none", "/none: No such file or directory"),
        ("unix:" + "x" * 200, "x: AF_UNIX path too long"),
        ("unix:\0", "embedded null character"),
        ("tcp:localhost:1", "localhost:1: Connection refused"),
        ("[::1]:1", "::1:1: "),
    ],
)
def test_where_nobody_is(
    source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = said_of(source, tmp_path / "s", capsys)
    assert status == 2
    assert message in said[0] or "null" in message, said


@pytest.mark.parametrize(
    ("end", "status", "told"),
    [
        ("exit 0", 0, "exit status 0"),
        ("exit 3", 0, "exit status 3"),
        ("kill -SEGV $$", 2, "signal 11, SIGSEGV: what it had not sent yet is lost"),
        ("kill -TERM $$", 2, "signal 15, SIGTERM: what it had not sent yet is lost"),
    ],
)
def test_how_a_command_ends(
    end: str, status: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell that is given a monitor by its last argument, socket,id=qmpcheck,fd=N."""
    (tmp_path / "hello").write_bytes(GREETING)
    script = f'fd=${{2##*fd=}}; eval "cat {tmp_path}/hello >&$fd; read line <&$fd"; {end}'
    file = tmp_path / "s"
    assert main(["record", "-o", str(file), "--", "bash", "-c", script, "qemu-fake"]) == status
    assert f"qmpcheck: the command ended with {told}\n" in capsys.readouterr().err
    assert file.read_bytes() == GREETING + b'{"execute": "qmp_capabilities"}\n'


def test_commands_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "s")
    assert main(["record", "-o", file, "--", "./none", "-x"]) == 2
    assert "cannot start ./none: No such file or directory" in capsys.readouterr().err
    assert main(["record", "-o", file, "--", "sh", "-c", "exit 3"]) == 2
    said = capsys.readouterr().err
    assert "its monitor closed without a greeting\n" in said
    assert "the command ended with exit status 3\n" in said
    assert main(["record", "--reconnect", "-o", file, "sh", "x"]) == 2
    assert "--reconnect is for a SOCKET, not for a COMMAND" in capsys.readouterr().err
