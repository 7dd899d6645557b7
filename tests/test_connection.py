"""Connections to peers that send what no QEMU does, and to a QEMU that qemu.qmp talks to as well."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qemu.qmp import EventListener, QMPClient
from real_qemu import real

from qmpcheck.qmp.connection import NEGOTIATION, Connection, ConnectionFailed, NotQMP

GREETING = b'{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}\r\n'
STOP = b'{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}\r\n'


@contextmanager
def peers() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@given(st.lists(st.binary(max_size=5) | st.sampled_from([b"\n", b"\r\n", GREETING, STOP]), max_size=20))
def test_every_byte_comes_in_order_however_it_is_sent(chunks: list[bytes]) -> None:
    with peers() as (ours, theirs):
        connection, lines = Connection(ours, strict=False), b""
        for chunk in filter(None, chunks):
            theirs.sendall(chunk)
            lines += connection.receive()
            assert lines + connection.rest == b"".join(chunks)[: connection.received]
            assert b"\n" not in connection.rest
        theirs.close()
        assert not connection.is_closed
        assert connection.receive() == b""
    assert connection.is_closed
    assert lines + connection.rest == b"".join(chunks)
    assert bool(connection.lost) == bool(connection.rest)


@pytest.mark.parametrize(
    ("sent", "kept", "message"),
    [
        (GREETING + b"rubbish\n", GREETING + b"rubbish\n", ""),
        (STOP + STOP + GREETING, STOP + STOP + GREETING, ""),
        (STOP + b"{}\n" + GREETING, STOP, 'it does not speak QMP: before its greeting it sends "{}"'),
        (b'{"event": "STOP"}\n', b"", r'it does not speak QMP: its first line is "{\"event\": \"STOP\"}"'),
        (b"\x1b[2J\xff\n", b"", 'it does not speak QMP: its first line is "\\x1b[2J\\ufffd"'),
    ],
)
def test_the_first_lines_are_qmp(sent: bytes, kept: bytes, message: str) -> None:
    with peers() as (ours, theirs):
        theirs.sendall(sent)
        connection = Connection(ours)
        try:
            found, said = connection.receive(), ""
        except NotQMP as error:
            found, said = error.lines, str(error)
        assert connection.has_greeted == (not message)
    assert (found, said.replace("\N{REPLACEMENT CHARACTER}", "\\ufffd")) == (kept, message)


def test_a_line_may_be_as_long_as_the_longest() -> None:
    with peers() as (ours, theirs):
        connection = Connection(ours, strict=False, longest=10)
        theirs.sendall(b"0123456789")
        assert connection.receive() == b""
        theirs.sendall(b"\nab")
        assert connection.receive() == b"0123456789\n"
        assert connection.lost == "lost 2 bytes of an unfinished line"
        theirs.sendall(b"cdefghijk")
        with pytest.raises(ConnectionFailed, match=r"^a line is longer than 10 bytes$"):
            connection.receive()


def test_what_a_peer_sent_before_it_went_is_read() -> None:
    with peers() as (ours, theirs):
        connection = Connection(ours)
        theirs.sendall(GREETING)
        connection.send(b"never read\n")
        theirs.close()
        connection.send(NEGOTIATION)
        assert (connection.receive(), connection.is_closed) == (GREETING, False)
        assert (connection.receive(), connection.is_closed) == (b"", True)


def test_a_peer_that_does_not_read() -> None:
    with peers() as (ours, _), pytest.raises(TimeoutError):
        Connection(ours).send(b" " * 10_000_000, 0.1)


# the same by qemu.qmp


def wait_for_socket(connection: socket.socket, path: Path) -> None:
    for _ in range(1500):
        if connection.connect_ex(str(path)) == 0:
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


async def events(path: Path, commands: list[str], number: int) -> list[bytes]:
    """Events as qemu.qmp receives them while it sends commands."""
    client = QMPClient()
    await client.connect(str(path))
    try:
        with client.listener() as listener:
            for command in commands:
                await client.execute(command)
            return await asyncio.wait_for(_taken(listener, number), 30)
    finally:
        await client.disconnect()


async def _taken(listener: EventListener, number: int) -> list[bytes]:
    return [bytes(await listener.get()) for _ in range(number)]


@pytest.mark.qemu
def test_qemu_qmp_receives_the_same_bytes(tmp_path: Path) -> None:
    qemu = real()
    ours, other = tmp_path / "ours", tmp_path / "other"
    options = ["-machine", "none", "-nodefaults", "-display", "none", "-S"]
    for path in (ours, other):
        options += ["-qmp", f"unix:{path},server=on,wait=off"]
    commands = ["cont", "stop", "cont", "system_powerdown"]
    with subprocess.Popen([qemu, *options]) as process:
        try:
            with socket.socket(socket.AF_UNIX) as peer:
                wait_for_socket(peer, ours)
                connection, lines = Connection(peer), b""
                while not connection.has_greeted:
                    lines += connection.receive()
                connection.send(NEGOTIATION)
                while b'"return"' not in lines:
                    lines += connection.receive()
                theirs = asyncio.run(events(other, commands, 4))
                while lines.count(b'"event"') < 4:
                    lines += connection.receive()
                process.terminate()
                while not connection.is_closed:
                    lines += connection.receive()
        finally:
            process.kill()
    greeting, reply, *recorded, last = lines.splitlines(keepends=True)
    assert "QMP" in json.loads(greeting)
    assert json.loads(reply) == {"return": {}}
    assert recorded == theirs
    assert [json.loads(line)["event"] for line in recorded] == ["RESUME", "STOP", "RESUME", "POWERDOWN"]
    assert json.loads(last)["event"] == "SHUTDOWN"
