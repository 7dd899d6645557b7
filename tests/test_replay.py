"""The command `replay`: a process that clients of other people talk to, compared with a real QEMU."""

import asyncio
import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from qmp_talk import connected
from real_qemu import real
from test_record import wait_for

from qmpcheck.cli import main
from qmpcheck.generating.greeting import greeting
from qmpcheck.replaying.background import ServerSettings, of_settings
from qmpcheck.specs import catalogue

CORPORA = Path(__file__).parent.parent / "corpora"
LIFE_CYCLE = CORPORA / "commands-7.2.22" / "life-cycle.jsonl"
GREETING = LIFE_CYCLE.read_bytes().splitlines()[0]


@contextmanager
def replay(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """The command, as soon as it listens."""
    command = [sys.executable, "-m", "qmpcheck", "replay", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            assert process.stderr.readline().startswith("qmpcheck: listening at ")
            yield process
        finally:
            process.kill()


def quiet(tmp_path: Path) -> Path:
    """A recording of a QEMU that sends nothing but its greeting."""
    path = tmp_path / "quiet.jsonl"
    path.write_bytes(GREETING + b"\n")
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_socket_is_removed(tmp_path: Path, number: int) -> None:
    path = tmp_path / "qmp"
    with replay(LIFE_CYCLE, "--listen", f"unix:{path}") as process:
        with connected(str(path)) as talk:
            assert len(talk.rest()) == 9
        with connected(str(path), negotiate=False) as talk:
            assert talk.line() == GREETING + b"\r\n"
            process.send_signal(number)
            assert process.wait() == 0
            assert talk.rest() == []
        assert process.stderr
        assert process.stderr.read() == "qmpcheck: served 2 clients\n"
    assert not path.exists()


def test_tcp_is_on_this_machine_alone_unless_a_host_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qmpcheck", "replay", str(quiet(tmp_path)), "--listen", "tcp:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        match = re.fullmatch(r"qmpcheck: listening at 127\.0\.0\.1:(\d+)\n", process.stderr.readline())
        assert match
        with socket.create_connection(("127.0.0.1", int(match[1]))) as connection:
            assert connection.recv(1000) == GREETING + b"\r\n"
        process.terminate()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl"], "none.jsonl: No such file or directory"),
        (["empty.jsonl"], "empty.jsonl: no QMP message in it"),
        (["headless.jsonl"], "headless.jsonl: no greeting that names the release; name it with --spec"),
        (["good.jsonl", "--listen", "unix:none/qmp"], "none/qmp: no such folder: none"),
        (
            ["good.jsonl", "--listen", "unix:good.jsonl"],
            "good.jsonl: something exists there already; name another path",
        ),
        (
            ["good.jsonl", "--spec", "9.0..9.2"],
            "a FILE is of one release; leave it out to play a range of releases",
        ),
        *(
            (["good.jsonl", "--listen", word], f'"{word}": expected unix:PATH, tcp:PORT or tcp:HOST:PORT')
            for word in ("tcp:99999", "tcp:70000", "tcp:abc", "tcp:localhost:abc", "tcp:", "5555", "qmp")
        ),
        (["good.jsonl", "--listen", "unix:" + "x" * 200], "x" * 200 + ": AF_UNIX path too long"),
    ],
)
def test_what_cannot_be_served_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "headless.jsonl").write_text('{"event": "STOP"}\n')
    (tmp_path / "good.jsonl").write_bytes(GREETING + b"\n")
    listen = [] if "--listen" in arguments else ["--listen", "unix:qmp"]
    assert main(["replay", *arguments, *listen]) == 2
    assert capsys.readouterr().err == f"qmpcheck: {message}\n"
    assert (tmp_path / "good.jsonl").exists()


def test_what_a_client_records_of_a_release_conforms_to_it(tmp_path: Path) -> None:
    path, recording = tmp_path / "qmp", tmp_path / "recorded.jsonl"
    with replay("--spec", "10.0", "--listen", path, "--speed", "max"):
        assert main(["record", "-o", str(recording), str(path)]) == 0
    assert recording.read_text().count('"event"') > 100
    assert main(["validate", "--fail-on", "warning", str(recording)]) == 0


def test_clients_wait_where_no_more_can_be_open_at_once(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with replay(quiet(tmp_path), "--listen", path) as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (40, 40))
        with ExitStack() as first:
            for _ in range(60):
                first.enter_context(connected_later(path))
            with connected_later(path) as last:
                first.close()
                assert last.recv(1000) == GREETING + b"\r\n"
        process.terminate()
        assert process.stderr
        assert process.stderr.read() == "qmpcheck: served 61 clients\n"


@contextmanager
def connected_later(path: Path) -> Iterator[socket.socket]:
    """A connection that may still wait to be accepted."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        yield connection


# other people's clients


def test_the_client_of_the_field_reads_it_to_the_end(tmp_path: Path) -> None:
    from qemu.qmp import ExecuteError, QMPClient

    async def talk(path: str) -> tuple[object, str, list[object]]:
        client = QMPClient("tested")
        await client.connect(path)
        version = await client.execute("query-version")
        with pytest.raises(ExecuteError) as error:
            await client.execute("nonsense")
        names = [(await client.events.get())["event"] for _ in range(10)]
        with suppress(EOFError):
            await client.disconnect()
        return version, str(error.value), names

    path = tmp_path / "qmp"
    recording = [json.loads(line) for line in LIFE_CYCLE.read_text().splitlines()]
    events = [each["event"] for each in recording if "event" in each]
    staying = tmp_path / "staying.jsonl"
    resumed = b'{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESUME"}\n'
    staying.write_bytes(LIFE_CYCLE.read_bytes() + resumed)
    with replay(staying, "--listen", path):
        version, error, names = asyncio.run(talk(str(path)))
    assert version == recording[0]["QMP"]["version"]
    assert error == "The command nonsense has not been found"
    assert names == [*events, "RESUME"]


def test_the_synchronous_client_of_the_field_talks_to_it() -> None:
    from qemu.qmp.legacy import QEMUMonitorProtocol

    loop = asyncio.new_event_loop()  # the client would make one, and leave it open
    asyncio.set_event_loop(loop)
    with contextlib.closing(loop), of_settings(ServerSettings(spec="10.0")) as server:
        client = QEMUMonitorProtocol(server.path)
        assert client.connect() == greeting(catalogue.find("10.0"))
        assert client.cmd("query-status") == {"status": "running", "running": True}
        server.send("BLOCK_JOB_ERROR", device="job0", operation="read", action="report")
        event = client.pull_event(wait=30)
        assert event
        assert (event["event"], event["data"]["device"]) == ("BLOCK_JOB_ERROR", "job0")
        client.close()
    asyncio.set_event_loop(None)


def test_qmp_shell_talks_to_it(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    shell = [sys.executable, "-c", "from qemu.qmp.qmp_shell import main; main()", str(path)]
    with replay(quiet(tmp_path), "--listen", path):
        told = subprocess.run(
            shell, input="query-status\nstop\nnonsense\n", capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "HOME": str(tmp_path)},
        ).stdout  # fmt: skip
    assert "Connected to QEMU 7.2.22" in told
    assert '"status": "running"' in told
    assert "The command nonsense has not been found" in told


# the real one

INPUTS = (
    rb'{"execute": "query-status"}',
    rb'{"execute": "nonsense", "id": {"a": [1, 2.50, null, true, "\u00e9"]}}',
    b'{"exec-oob": "query-status", "id": 3}',
    b"garbage\n",
    b"[1]",
    b'{"execute": 1}',
    b'{"execute": "qmp_capabilities", "arguments": {"enable": ["foo"]}}',
    b'{"execute": "qmp_capabilities", "arguments": {"enable": "oob"}}',
    b'{"execute": "qmp_capabilities", "arguments": {"enable": [1]}}',
    b'{"execute": "qmp_capabilities", "arguments": {"x": "oob"}}',
    b'{"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}, "id": 7}',
    b'{"execute": "qmp_capabilities"}',
    b'{"exec-oob": "query-status", "id": 3}',
    b'{"exec-oob": "nonsense", "id": 3}',
    b'{"exec-oob": "yank", "arguments": {"instances": []}, "id": 3}',
    b'{"execute": "query-status", "exec-oob": "query-status", "id": 5}',
    b'{"execute": "query-status", "id": null}',
    b'{"execute": "query-status", "x": 1, "id": 2}',
    b'{"execute": "query-status", "arguments": {"a": 1}, "id": 2}',
    b'{"execute": "query-status", "arguments": [], "id": 2}',
    b'{"id": 9}',
    b'{"execute": "query-version", "id": 3} {"execute": "query-name", "id": 4}',
    b"{'execute': 'query-name', 'id': 'x\"y'}",
    b'{"execute": "query-name", "id": 1e3}',
    b'{"execute": "query-name", "id": 123456789012345678901234567890}',
    b'{"execute": "query-name", "id": -9223372036854775808}',
    b'{"execute": "query-name", "id": 18446744073709551615}',
    b'{"execute": "query-name", "id": 0.1}',
    b'{"execute": "query-name", "id": -0.0}',
    rb'{"execute": "query-name", "id": "\ud83d\ude00 \u0000 / \/ \t\b"}',
    b'{"execute": "query-name", "id": "\x7f\xc3\xa9"}',
    b'{"execute": "no\\"such\xc3\xa9"}',
    b'{"execute": "device_del"}',
    b'{"execute": "device_del", "arguments": {"id": 1}}',
    b'{"execute": "device_del", "arguments": {"id": "a", "x": 1}}',
    b'{"execute": "balloon", "arguments": {"valu": 1}}',
    b'{"execute": "balloon", "arguments": {"value": true}}',
    b'{"execute": "stop"}',
    b'{"execute": "query-status"}',
    b'{"execute": "stop"}',
    b'{"execute": "cont"}',
    b'{"execute": "system_reset"}',
    b'{"execute": "query-name"',
    b', "id": 77}',
    *(b'}', b'{]}', b'[}', b'{1: 2}', b'{"a" 1}', b'{"a": 1 "b": 2}', b'[1 2]', b'{"a": 1,}', b'{"a": 1, "a": 1}'),
    *(rb'{"a": "\x"}', rb'{"a": "\u12"}', rb'{"a": "\ud800"}', rb'{"a": "\ud800\u0041"}', rb'{"a": "\ufffe"}'),
    *(b'{"execute": "\xff\xfe"}\n', b'{"a": "\xc3"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\xef\xbf\xbf"}'),
    *(b'{"a": 01}', b'{"a": 1.}\n', b'{"a": +1}', b'tRUE\n', b'true\n', b'"abc"', b'12\n', b'%p\n', b'-\n', b'-x\n'),
    *(b'"abc\n', b"1 2 3\n", b"\x00\n", b"\xff", b'{"a": "x\ty"}', b"abc,def\n", b'"a\\\x01b"\n', b"1x\n", b'a"b"\n'),
    b"[" * 200 + b"]" * 200,
    b"]" * 100,
    b'{"execute": "quit", "id": "end"}',
)  # fmt: skip


def answers(path: Path) -> list[tuple[bytes, list[bytes]]]:
    """Each input, and the lines that came up to the answer to the command after it."""
    found = []
    with connected(str(path), negotiate=False) as talk:
        found.append((b"", [talk.line()]))
        for each in INPUTS[:-1]:
            marker = b"" if each.endswith(b'"query-name"') else b' {"execute": "query-kvm", "id": "mark"}'
            talk.send(each + marker)
            lines = []
            while marker and b'"mark"' not in (line := talk.line()):
                lines.append(re.sub(rb'"(micro)?seconds": \d+', b"0", line))
            found.append((each, lines))
        talk.send(INPUTS[-1])
        found.append((INPUTS[-1], [re.sub(rb'"(micro)?seconds": \d+', b"0", line) for line in talk.rest()]))
    return found


@pytest.mark.qemu
def test_it_answers_as_the_real_qemu_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "real"
    options = ["-machine", "none", "-nodefaults", "-display", "none"]
    with subprocess.Popen([real(), *options, "-qmp", f"unix:{path},server=on,wait=off"]) as qemu:
        wait_for(lambda: path.exists() or qemu.poll() is not None)
        expected = answers(path)
    greeting = tmp_path / "greeting.jsonl"
    greeting.write_bytes(expected[0][1][0])
    listen = tmp_path / "ours"
    with replay(greeting, "--listen", listen):
        ours = answers(listen)
    for (text, wanted), (_, found) in zip(expected, ours, strict=True):
        if not text.startswith(b"[["):  # QEMU takes deeper nesting
            assert found == wanted, text
