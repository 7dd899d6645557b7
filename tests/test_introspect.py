"""Binaries that are asked what they are: real ones, and scripts that are none."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from qemu.qmp import QMPClient
from real_qemu import real

from qmpcheck.qmp import introspect
from qmpcheck.qmp.introspect import Unanswered

GREETING = '{"QMP": {"version": {"qemu": {"major": 2, "minor": 4, "micro": 1}}, "capabilities": []}}'

EVENT = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}'


def speaking(answer: str) -> str:
    """A script that speaks QMP, and gives that answer to query-qmp-schema."""
    return f'''exec {sys.executable} -c '
import json, os
print("""{GREETING}""", flush=True)
while True:
    command = json.loads(os.read(0, 1 << 16))
    answer = {answer} if command["execute"] == "query-qmp-schema" else dict([("return", dict())])
    print(json.dumps(answer | dict([("id", command.get("id"))])), flush=True)'
'''


def script(folder: Path, text: str) -> str:
    path = folder / "qemu-system-fake"
    path.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{text}\n")
    path.chmod(0o755)
    return str(path)


def is_alive(group: int) -> bool:
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def assert_nothing_is_left(folder: Path) -> None:
    group = int((folder / "pid").read_text())
    for _ in range(100):
        if not is_alive(group):
            break
        time.sleep(0.02)  # init has not buried it yet
    assert not is_alive(group)
    assert not [*Path(os.environ["TMPDIR"]).iterdir()]


@pytest.fixture(autouse=True)
def _no_files_elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["qemu-system-x86_64", "qemu-storage-daemon"])
def test_a_real_one(name: str, tmp_path: Path) -> None:
    answer = introspect.ask(script(tmp_path, f'exec {real(name)} "$@"'))  # whose name does not say what it is
    version = subprocess.run([name, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert f" {answer.version} " in version
    assert "BLOCK_IO_ERROR" in [info["name"] for info in answer.schema]
    assert_nothing_is_left(tmp_path)


@pytest.mark.qemu
def test_qemu_qmp_is_told_the_same(tmp_path: Path) -> None:
    socket = tmp_path / "qmp"
    qemu = real("qemu-system-x86_64")
    options = ["-machine", "none", "-S", "-display", "none", "-nodefaults"]
    with subprocess.Popen([qemu, *options, "-qmp", f"unix:{socket},server=on,wait=off"]) as process:
        try:
            while not socket.exists():
                time.sleep(0.02)
            version, schema = asyncio.run(asked_by_qemu_qmp(socket))
        finally:
            process.kill()
    answer = introspect.ask(qemu)
    assert answer.schema == schema
    assert answer.version._asdict() == version


async def asked_by_qemu_qmp(socket: Path) -> tuple[object, object]:
    client = QMPClient()
    await client.connect(str(socket))
    try:
        version = await client.execute("query-version")
        assert isinstance(version, dict)
        return version["qemu"], await client.execute("query-qmp-schema")
    finally:
        await client.disconnect()


def test_events_may_come_before_the_greeting(tmp_path: Path) -> None:
    text = speaking('dict([("return", [])])').replace("print(", f'print("""{EVENT}"""); print(', 1)
    answer = introspect.ask(script(tmp_path, text), 60)
    assert (str(answer.version), answer.schema) == ("2.4.1", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 0", "it ended without an answer (exit status 0)"),
        (
            "echo no >&2; printf 'b\\033ad\\n\\n' >&2; exit 1",
            "it ended without an answer (exit status 1): b\\x1bad",
        ),
        (f"echo '{GREETING}'; kill -9 $$", "it ended without an answer (signal 9, SIGKILL)"),
        ("echo rubbish; sleep 100", "it does not speak QMP: "),
        ("echo rubbish; exit 1", "it does not speak QMP: "),
        ("echo '{}'; sleep 100", "it does not speak QMP: "),
        ("yes", "it does not speak QMP: "),
        ("yes | tr -d '\\n'", "it does not speak QMP: "),
        ("exec >&- <&-; sleep 100", "it does not speak QMP: it closed its output"),
        (
            speaking('dict(error=dict([("class", "CommandNotFound"), ("desc", "not found")]))'),
            "it does not know query-qmp-schema: not found",
        ),
        (speaking('dict([("return", 7)])'), "it speaks QMP, but does not say its version or its schema"),
        (
            speaking('dict([("return", [])])').replace("qemu", "kvm"),
            "it speaks QMP, but does not say its version or its schema",
        ),
        (
            f"echo '{GREETING}'; echo '[1]'; sleep 100",
            "it does not speak QMP: it sent a line that is not a JSON object",
        ),
        (f"echo '{GREETING}'; yes '{EVENT}'", "it does not speak QMP: it sent more than 8192 KiB"),
        (f"yes '{EVENT}'", "it does not speak QMP: it sent more than 8192 KiB"),
    ],
)
def test_what_is_no_qemu(text: str, message: str, tmp_path: Path) -> None:
    """It has all the time that it needs: its answer does not depend on how busy the machine is."""
    with pytest.raises(Unanswered) as caught:
        introspect.ask(script(tmp_path, text), 60)
    assert str(caught.value).startswith(message)
    assert str(caught.value).isprintable()
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sleep 100", "no QMP greeting"),
        ("trap '' TERM INT HUP; sleep 100 & sleep 100", "no QMP greeting"),
        (f"echo '{GREETING}'; sleep 100", "no reply to qmp_capabilities"),
    ],
)
def test_what_does_not_answer(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Unanswered, match=rf"^{message} within 0\.5 s$"):
        introspect.ask(script(tmp_path, text), 0.5)
    assert_nothing_is_left(tmp_path)


def test_what_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("")
    for path, message in [
        (tmp_path / "none", "No such file or directory"),
        (tmp_path / "text", "Permission denied"),
        (tmp_path, "Permission denied"),
        ("ls", "No such file or directory"),
        ("\0", "embedded null byte"),
    ]:
        with pytest.raises(Unanswered, match=message):
            introspect.ask(str(path))


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_user_who_does_not_wait(stop: signal.Signals, status: int, tmp_path: Path) -> None:
    path = script(tmp_path, "sleep 100")
    command = [sys.executable, "-m", "qmpcheck", "show", f"qemu:{path}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not (tmp_path / "pid").exists():
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(stop)
        process.communicate()
    assert process.returncode == status
    assert_nothing_is_left(tmp_path)
