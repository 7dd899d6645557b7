"""The version that streams tell, and `--spec auto`, which takes it."""

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from qmpcheck.cli import main
from qmpcheck.streams import greeting
from qmpcheck.version import Version

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}\n'
VALIDATE = [sys.executable, "-m", "qmpcheck", "validate", "--spec", "auto"]


def of(major: int, minor: int, micro: int = 0) -> str:
    version = f'{{"qemu": {{"micro": {micro}, "minor": {minor}, "major": {major}}}, "package": ""}}'
    return f'{{"QMP": {{"version": {version}, "capabilities": []}}}}\n'


@pytest.mark.parametrize(
    ("head", "version"),
    [
        (of(7, 2, 22), Version(7, 2, 22)),
        ("\ufeff" + of(7, 2).replace("\n", "\r\n"), Version(7, 2)),
        ("\nrubbish\n" + STOP + of(1, 1, 2) + of(7, 2), Version(1, 1, 2)),
        ('{"QMP": 1}\n{"QMP"\n{"QMP": {"version": {"qemu": {}}}}\n' + of(7, 2), Version(7, 2)),
        ("", None),
        (STOP, None),
        ('["QMP"]\n', None),
        (of(7, -2), None),
        (of(7, 10**5), None),
        (of(7, 2).replace("2", "2.0"), None),
        (of(7, 2).replace("2", "true"), None),
        (of(7, 2)[:-9], None),
    ],
)
def test_versions(head: str, version: Version | None) -> None:
    assert greeting.version(head.encode()) == version


def run(capsys: pytest.CaptureFixture[str], *streams: object) -> tuple[int, str]:
    status = main(["validate", *map(str, streams), "--spec", "auto"])
    captured = capsys.readouterr()
    return status, captured.out + captured.err


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_files(pack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "stream"
    path.write_bytes(pack((STOP + of(1, 1, 2) + STOP).encode()))
    report = f"{path}: conforms against 1.1 (6f382ed226): 3 lines, 2 events, 0 errors, 0 warnings\n"
    assert run(capsys, path) == (0, report)


def test_streams_of_one_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, patched, other = (tmp_path / name for name in "abc")
    old.write_text(of(1, 1) + STOP)
    patched.write_text(of(1, 1, 2) + STOP)
    other.write_text(of(2, 0) + STOP)
    assert run(capsys, old, patched)[0] == 0
    assert run(capsys, old, patched, other) == (
        2,
        f"qmpcheck: the streams are of several releases ({old}: 1.1.0, {other}: 2.0.0); name a spec\n",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no greeting that tells the version, and no event; name a spec"),
        (STOP * (greeting.FURTHEST // len(STOP) + 1) + of(1, 1), "no greeting that tells the version"),
        (" " * greeting.FURTHEST + of(1, 1), "no greeting that tells the version"),
        ("\x1f\x8b", "unknown compression method"),
        (None, "No such file or directory"),
    ],
)
def test_streams_that_do_not_tell(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stream"
    if content is not None:
        path.write_text(content, "latin-1")
    status, said = run(capsys, path)
    assert (status, said.partition(f"{path}: ")[0]) == (2, "qmpcheck: ")
    assert message in said or "ended before" in said


def test_a_stream_of_two_releases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream"
    path.write_text(of(2, 0) + STOP + of(1, 7) + STOP)
    status, said = run(capsys, path)
    assert (status, said) == (
        2,
        f"qmpcheck: the streams are of several releases ({path}: 2.0.0, {path}: 1.7.0); name a spec\n",
    )


def test_a_stream_that_is_not_there_is_left_to_what_the_others_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = tmp_path / "stream", tmp_path / "none"
    path.write_text(of(2, 0) + STOP)
    assert main(["validate", str(other), str(path), "--spec", "auto"]) == 2
    told = capsys.readouterr()
    assert f"{path}: conforms against 2.0" in told.out
    assert told.err == f"qmpcheck: {other}: No such file or directory\n"


def test_a_pipe_that_is_no_standard_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream"
    os.mkfifo(path)
    status, said = run(capsys, path)
    assert (status, said) == (
        2,
        f"qmpcheck: {path}: a pipe is read once: name a spec, or give it as standard input\n",
    )


def test_a_release_that_the_catalogue_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stream"
    path.write_text(of(999, 9))
    status, said = run(capsys, path)
    assert status == 2
    assert said.startswith("qmpcheck: the catalogue has the releases 0.12 to ")
    assert said.endswith(", and not 999.9; name one of them, or ask the binary itself: --spec qemu:PATH\n")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_a_pipe_is_checked_from_its_start(pack) -> None:  # type: ignore[no-untyped-def]
    stream = of(1, 1) + STOP * 40_000
    said = subprocess.run([*VALIDATE, "-"], input=pack(stream.encode()), stdout=subprocess.PIPE, check=True)
    assert said.stdout.decode().startswith("-: conforms against 1.1 (6f382ed226): 40001 lines, 40000 events")


def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_text(of(1, 1) + STOP)
    with path.open("rb") as file:
        said = subprocess.run([*VALIDATE, "-"], stdin=file, stdout=subprocess.PIPE, check=True)
    assert said.stdout.startswith(b"-: conforms against 1.1 (6f382ed226): 2 lines, 1 event")


def write(file: IO[str], text: str) -> None:
    file.write(text)
    file.flush()
    time.sleep(0.3)


def test_following_a_pipe() -> None:
    command = [*VALIDATE, "--follow", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for part in ("\n", of(1, 1)[:20], of(1, 1)[20:], STOP.replace("STOP", "NEWS")):
            write(process.stdin, part)
        assert process.stdout.readline().startswith("-:3: QMP201 NEWS event: ")
        process.stdin.close()
        assert process.stdout.readline().startswith(
            "-: violations against 1.1 (6f382ed226): 3 lines, 1 event"
        )


def test_following_a_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    with (
        path.open("w") as file,
        subprocess.Popen([*VALIDATE, "--follow", path], stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout
        for part in ("", of(1, 1)[:20], of(1, 1)[20:], STOP.replace("STOP", "NEWS")):
            write(file, part)
        found = process.stdout.readline()
        process.terminate()
    assert found.startswith(f"{path}:2: QMP201 NEWS event: ")


@pytest.mark.parametrize("stream", [STOP + of(1, 1), "", of(1, 1)[:20]])
def test_following_takes_the_first_line(stream: str) -> None:
    said = subprocess.run(
        [*VALIDATE, "--follow", "-"], input=stream, stderr=subprocess.PIPE, text=True, check=False
    )
    assert said.returncode == 2
    assert said.stderr == "qmpcheck: -: no greeting that tells the version; name a spec\n"
