"""A proxy between clients and a monitor: real sockets, and where there is one a real QEMU and other people's client."""

import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_record import GREETING, REPLY, STOP, conforms, ended, qemu, record, serving, wait_for

from qmpcheck.cli import main
from qmpcheck.qmp.connection import TooLong
from qmpcheck.recording import proxy

COMMAND = b'{"execute": "qmp_capabilities"}'

Talk = Callable[[socket.socket], None]


def peer(*answers: bytes) -> Talk:
    """A monitor that greets, and answers each command with the next of these."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        for answer in answers:
            connection.recv(1 << 16)
            connection.sendall(answer)
        while connection.recv(1 << 16):
            pass

    return talk


@contextmanager
def proxied(
    tmp_path: Path, monitor: str | Path, *more: str, **options: object
) -> Iterator[tuple[Path, Path, "subprocess.Popen[bytes]"]]:
    """A proxy that listens, the file it writes, and its process."""
    listen, file = tmp_path / "listen", tmp_path / "both.jsonl"
    with record("--proxy", str(listen), str(monitor), "-o", str(file), *more, **options) as process:
        try:
            wait_for(lambda: listen.exists() or process.poll() is not None)
            time.sleep(0.05)
            yield listen, file, process
        finally:
            process.kill()


def client(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(str(path))
    return connection


def received(connection: socket.socket, end: bytes) -> bytes:
    text = b""
    while not text.endswith(end):
        chunk = connection.recv(1 << 16)
        assert chunk, text
        text += chunk
    return text


def test_both_directions_are_written_in_their_order_and_pass_unchanged(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "monitor", peer(REPLY, STOP + REPLY)) as monitor,
        proxied(tmp_path, monitor) as (listen, file, process),
    ):
        with client(listen) as connection:
            assert received(connection, GREETING) == GREETING
            connection.sendall(COMMAND)
            assert received(connection, REPLY) == REPLY
            connection.sendall(b'{"execute":\n  "stop"}\n\n')
            assert received(connection, STOP + REPLY) == STOP + REPLY
        process.send_signal(signal.SIGTERM)
        said = ended(process)
    assert (
        file.read_bytes() == GREETING + COMMAND + b"\r\n" + REPLY + b'{"execute": "stop"}\r\n' + STOP + REPLY
    )
    assert said.endswith(f"recorded 6 lines, 1 event, 1 session to {file}\n")
    assert process.returncode == 130
    assert not listen.exists()


def test_file_descriptors_pass_in_both_directions(tmp_path: Path) -> None:
    read, write = os.pipe()

    def monitor(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        _, numbers, *_ = socket.recv_fds(connection, 1 << 16, 8)
        os.write(numbers[0], b"from the monitor")
        socket.send_fds(connection, [REPLY], numbers)
        connection.recv(1)

    with serving(tmp_path / "monitor", monitor) as address, proxied(tmp_path, address) as (listen, file, _):
        with client(listen) as connection:
            received(connection, GREETING)
            socket.send_fds(connection, [COMMAND], [write])
            assert os.read(read, 99) == b"from the monitor"
            text, numbers, *_ = socket.recv_fds(connection, 1 << 16, 8)
            assert text == REPLY
            os.write(numbers[0], b"from the client")
            assert os.read(read, 99) == b"from the client"
        for number in (read, write, *numbers):
            os.close(number)
    assert file.read_bytes() == GREETING + COMMAND + b"\r\n" + REPLY


def test_a_client_that_dies_leaves_the_monitor_to_the_next(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "monitor", peer(REPLY), peer(REPLY)) as monitor,
        proxied(tmp_path, monitor) as (listen, file, _),
    ):
        with client(listen) as connection:
            received(connection, GREETING)
            connection.sendall(COMMAND + b'{"execute": "st')  # and no more of it
        with client(listen) as connection:
            received(connection, GREETING)
            connection.sendall(COMMAND)
            received(connection, REPLY)
    lines = file.read_bytes().split(b"\r\n")
    assert lines.count(GREETING.rstrip()) == 2
    assert lines.count(COMMAND) == 2
    assert b'"st' not in file.read_bytes()


def test_a_monitor_that_dies_ends_the_client_and_the_recording(tmp_path: Path) -> None:
    def dies(connection: socket.socket) -> None:
        connection.sendall(GREETING + STOP + b'{"retu')

    with (
        serving(tmp_path / "monitor", dies) as monitor,
        proxied(tmp_path, monitor) as (listen, file, process),
    ):
        with client(listen) as connection:
            text = b""
            while chunk := connection.recv(1 << 16):
                text += chunk
        said = ended(process)
    assert text == GREETING + STOP + b'{"retu'
    assert file.read_bytes() == GREETING + STOP
    assert "lost 6 bytes of an unfinished line" in said
    assert process.returncode == 0


def test_a_full_disk_disturbs_nobody(tmp_path: Path) -> None:
    limit = len(GREETING + COMMAND) + 10

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with (
        serving(tmp_path / "monitor", peer(REPLY, STOP + REPLY)) as monitor,
        proxied(tmp_path, monitor, preexec_fn=limited) as (listen, file, process),
    ):
        with client(listen) as connection:
            received(connection, GREETING)
            connection.sendall(COMMAND)
            received(connection, REPLY)
            connection.sendall(COMMAND)
            assert received(connection, STOP + REPLY) == STOP + REPLY
        process.send_signal(signal.SIGTERM)
        said = ended(process)
    assert file.read_bytes() == GREETING + COMMAND + b"\r\n"
    assert "the connection goes on without a recording" in said
    assert process.returncode == 2


def test_a_slow_reader_slows_the_other_side_and_loses_nothing(tmp_path: Path) -> None:
    many = 40_000

    def floods(connection: socket.socket) -> None:
        connection.sendall(GREETING + STOP * many)

    with (
        serving(tmp_path / "monitor", floods) as monitor,
        proxied(tmp_path, monitor) as (listen, file, _),
        client(listen) as connection,
    ):
        time.sleep(0.5)
        assert file.stat().st_size < len(STOP) * many  # it waits for the reader
        text = b""
        while chunk := connection.recv(1 << 20):
            text += chunk
    assert text == GREETING + STOP * many
    assert file.read_bytes() == GREETING + STOP * many


@pytest.mark.parametrize(
    ("listen", "monitor", "message"),
    [
        ("no/such/folder/l", "m", "/no/such/folder/l: no such folder: "),
        ("taken", "m", "/taken: something exists there already; name another path"),
    ],
)
def test_what_cannot_begin_says_why(
    listen: str, monitor: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    arguments = [
        "--proxy",
        str(tmp_path / listen),
        f"unix:{tmp_path / monitor}",
        "-o",
        str(tmp_path / "o.jsonl"),
    ]
    assert main(["record", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert (tmp_path / "taken").exists()


def test_a_monitor_that_is_not_there_ends_the_client(tmp_path: Path) -> None:
    with proxied(tmp_path, f"unix:{tmp_path / 'nobody'}") as (listen, _, process):
        with client(listen) as connection:
            assert connection.recv(1) == b""
        assert "nobody: No such file or directory" in ended(process)
    assert process.returncode == 2


def test_a_command_has_no_monitor_to_be_in_between_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--proxy", "l", "-o", "o", "--", "qemu-system-x86_64", "-S"]) == 2
    assert "--proxy is for a SOCKET" in capsys.readouterr().err


# what clients send

values = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
commands = st.dictionaries(st.text(), values, min_size=1, max_size=3)


@given(
    st.lists(
        st.tuples(commands, st.sampled_from([None, 1, 4]), st.sampled_from(["", "\n", "\r\n", " \n\n"]))
    ),
    st.integers(1, 9),
    st.booleans(),
)
def test_commands_are_found_however_they_are_laid_out_and_cut(
    sent: list[tuple[dict[str, object], int | None, str]], size: int, ascii: bool
) -> None:
    text = "".join(
        json.dumps(each, indent=indent, ensure_ascii=ascii) + end for each, indent, end in sent
    ).encode("utf-8", "surrogatepass")
    messages = proxy.CommandSplitter()
    found = [each for at in range(0, len(text), size) for each in messages.feed(text[at : at + size])]
    assert [json.loads(each.decode("utf-8", "surrogatepass")) for each in found] == [
        each for each, *_ in sent
    ]
    assert not any(b"\n" in each for each in found)
    assert messages.rest == 0


@pytest.mark.parametrize("text", [b"nonsense\n", b'"a string"', b"]]}", b"[1, 2]", b"'quoted'"])
def test_what_is_no_message_is_left_out(text: bytes) -> None:
    assert proxy.CommandSplitter().feed(text + COMMAND) == [COMMAND]


def test_a_command_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "LONGEST", 1000)
    messages = proxy.CommandSplitter()
    with pytest.raises(TooLong):
        messages.feed(b'{"a": "' + b"x" * 1000)


# a real QEMU


@pytest.mark.qemu
def test_a_real_client_and_a_real_qemu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from qemu.qmp import QMPClient

    async def talk(path: Path) -> None:
        other = QMPClient("test")
        await other.connect(str(path))
        for name in ("cont", "stop", "cont", "system_reset", "quit"):
            await other.execute(name)
        with suppress(EOFError):  # QEMU may have closed the connection already, after "quit"
            await other.disconnect()

    monitor = tmp_path / "monitor"
    with qemu("-S", "-qmp", f"unix:{monitor},server=on,wait=off") as machine:
        wait_for(monitor.exists)
        with proxied(tmp_path, monitor) as (listen, file, process):
            asyncio.run(talk(listen))
            machine.wait(20)
            process.send_signal(signal.SIGTERM)
            ended(process)
    assert file.read_bytes().count(b'"execute"') == 6
    report = conforms(file, capsys)
    assert "5 events, 0 errors, 0 warnings" in report
    without = tmp_path / "without.jsonl"
    without.write_bytes(
        b"".join(line for line in file.read_bytes().splitlines(True) if b'"RESET"' not in line)
    )
    assert main(["validate", str(without), "--spec", "7.2", "--complete"]) == 1
    assert "QMP301 system_reset: system-reset-resets: " in capsys.readouterr().out


@pytest.mark.parametrize("word", ["tcp:99999", "4444", "localhost"])
def test_a_mistyped_port_to_listen_at_makes_no_file(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["record", "--proxy", word, "unix:m", "-o", "o.jsonl"]) == 2
    assert f'"{word}": expected unix:PATH' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
