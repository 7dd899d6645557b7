"""The version that streams tell, and `--spec auto`, which takes it."""

import gzip
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from releases import NEWEST

from qmpcheck.cli import main
from qmpcheck.drift.fit import Fitting
from qmpcheck.specs import catalogue
from qmpcheck.streams import greeting
from qmpcheck.validation import spec_choice
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
    report = f"{path}: conforms to 1.1 (6f382ed226): 3 lines, 2 events, 0 errors, 0 warnings\n"
    assert run(capsys, path) == (0, report)


def test_streams_that_one_release_fits_share_its_rules() -> None:
    fitting = Fitting()
    fitting.add([b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 5}}'])
    first, second = (spec_choice.by_fit(fitting.result()).spec for _ in range(2))
    assert first.rule_base is second.rule_base  # a checker is made for each


def test_each_stream_is_checked_by_its_own_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, patched, other = (tmp_path / name for name in "abc")
    old.write_text(of(1, 1) + STOP)
    patched.write_text(of(1, 1, 2) + STOP)
    other.write_text(of(2, 0) + STOP)
    assert run(capsys, old, patched, other) == (
        0,
        f"{old}: conforms to 1.1 (6f382ed226): 2 lines, 1 event, 0 errors, 0 warnings\n"
        f"{patched}: conforms to 1.1 (6f382ed226): 2 lines, 1 event, 0 errors, 0 warnings\n"
        f"{other}: conforms to 2.0 (0c762736df): 2 lines, 1 event, 0 errors, 0 warnings\n",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no event in it"),
        (
            '{"return": {}}\n',
            "neither a greeting nor an event in it; if its messages are inside other text, add --input json",
        ),
        ("\x1f\x8b", "the compressed data is cut off at byte 2; copy the file again"),
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
    assert (status, said.partition("\n")[0]) == (
        2,
        f"{path}: not checked: 0 lines, 0 events, 0 errors, 0 warnings",
    )
    assert f"qmpcheck: {path}: {message}" in said


def test_a_greeting_is_found_wherever_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream"
    path.write_text(STOP * 20_000 + of(1, 1))
    assert run(capsys, path)[1].startswith(f"{path}: conforms to 1.1 (6f382ed226): 20001 lines")


def test_a_stream_of_two_releases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream"
    path.write_text(of(2, 0) + STOP + of(1, 7) + STOP)
    status, said = run(capsys, path)
    assert status == 2
    assert said.endswith(
        f"qmpcheck: {path}: its greetings name several releases (2.0.0 and 1.7.0): check each part "
        "by itself, or choose one with --spec\n"
    )


def test_a_stream_that_is_not_there_is_left_to_what_the_others_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = tmp_path / "stream", tmp_path / "none"
    path.write_text(of(2, 0) + STOP)
    assert main(["validate", str(other), str(path), "--spec", "auto"]) == 2
    told = capsys.readouterr()
    assert f"{path}: conforms to 2.0" in told.out
    assert told.err == f"qmpcheck: {other}: No such file or directory\n"


def test_a_pipe_that_is_no_standard_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream"
    os.mkfifo(path)
    for text, expected in (
        (of(1, 1) + STOP, f"{path}: conforms to 1.1 "),
        (
            STOP,
            "a pipe can be read only once; name the spec with --spec, or read the pipe as standard input (-)\n",
        ),
    ):
        with subprocess.Popen(
            ["tee", path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as writer:
            assert writer.stdin
            writer.stdin.write(text)
            writer.stdin.close()
            status, said = run(capsys, path)
        assert status == (0 if text != STOP else 2)
        assert expected in said


def test_a_release_that_is_newer_than_the_catalogue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could be new in it is a warning, and all else is what it always is."""
    path = tmp_path / "stream"
    for version, name in (((999, 9), "999.9"), ((999, 9, 50), "1000.0"), ((999, 1, 91), "999.2")):
        path.write_text(of(*version) + STOP + NEWS)
        status, said = run(capsys, path)
        assert status == 0
        assert f"{path}: conforms to {NEWEST}: 3 lines, 2 events, 0 errors, 1 warning\n" in said
        assert (
            f": QMP201 NEWS event: unknown event; the spec has none of this name (may be new in {name})"
            in said
        )
        assert (
            f"is checked against {NEWEST}, and what may be new in {name} is a warning: it is newer than"
            in said
        )
    path.write_text(of(999, 9) + STOP + GUEST)
    assert run(capsys, path)[0] == 1  # it lacks a member
    path.write_text(of(999, 9) + NEWS)
    assert main(["validate", str(path), "--spec", "auto", "--fail-on", "warning"]) == 1


def test_a_release_that_is_too_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stream"
    path.write_text(of(0, 11))
    told = "the catalogue has no release 0.11; `qmpcheck specs` lists those that it has"
    status, said = run(capsys, path)
    assert (status, said.splitlines()[-1]) == (2, f"qmpcheck: {path}: {told}")


IO_ERROR = '{"timestamp": {"seconds": 9, "microseconds": %d}, "event": "BLOCK_IO_ERROR", "data": {"qom-path": "/q", "device": "", "node-name": "n", "operation": "write", "action": "stop", "reason": "r"}}\n'
STOPPED = '{"timestamp": {"seconds": 9, "microseconds": %d}, "event": "STOP"}\n'


def test_a_release_candidate_is_checked_as_its_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stream"
    for micro, told in (
        (90, "conforms to 9.2: "),
        (50, "conforms to 9.1 or 9.2 ("),
        (49, "violations of 9.1: "),
    ):
        path.write_text(of(9, 1, micro) + IO_ERROR % 1 + STOPPED % 2)
        status, said = run(capsys, path)
        assert f"{path}: {told}" in said
        assert status == ("violations" in told)


def test_a_patch_level_is_checked_as_that_build_behaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From 10.0.9 on, BLOCK_IO_ERROR is not limited where the machine is stopped."""
    burst = "".join(IO_ERROR % n + STOPPED % n for n in range(3))
    found = {}
    for micro in (8, 9, 13):
        path = tmp_path / f"{micro}"
        path.write_text(of(10, 0, micro) + burst)
        found[micro] = "QMP304" in run(capsys, path)[1]
    assert found == {8: True, 9: False, 13: False}
    assert run(capsys, tmp_path / "8", tmp_path / "13")[1].count("QMP304 BLOCK_IO_ERROR") == 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_a_pipe_is_checked_from_its_start(pack) -> None:  # type: ignore[no-untyped-def]
    stream = of(1, 1) + STOP * 40_000
    said = subprocess.run([*VALIDATE, "-"], input=pack(stream.encode()), stdout=subprocess.PIPE, check=True)
    assert said.stdout.decode().startswith("-: conforms to 1.1 (6f382ed226): 40001 lines, 40000 events")


def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_text(of(1, 1) + STOP)
    with path.open("rb") as file:
        said = subprocess.run([*VALIDATE, "-"], stdin=file, stdout=subprocess.PIPE, check=True)
    assert said.stdout.startswith(b"-: conforms to 1.1 (6f382ed226): 2 lines, 1 event")


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
        assert process.stdout.readline().startswith("-: violations of 1.1 (6f382ed226): 3 lines, 1 event")


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


GUEST = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "SHUTDOWN", "data": {"guest": true}}\n'
NEWS = STOP.replace("STOP", "NEWS")

TAKEN_FOR_3_1 = "qmpcheck: -: no greeting: checked against 3.1, the newest of 2.10 to 3.1 that fit"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
@pytest.mark.parametrize("times", [1, 60_000])  # kept in memory, and on disk
def test_a_pipe_without_greeting_is_fitted_and_then_checked(pack, times: int) -> None:  # type: ignore[no-untyped-def]
    stream = pack((GUEST * times + NEWS).encode())
    said = subprocess.run([*VALIDATE, "--jobs", "2", "-"], input=stream, capture_output=True, check=False)
    assert said.returncode == 1
    assert said.stderr.decode() == (
        "qmpcheck: -: no greeting: checked against 3.1, which fits best; none fits completely\n"
    )
    assert said.stdout.decode().startswith(
        f"-: violations of 3.1: {times + 1} lines, {times + 1} events, 1 error, 0 warnings\n"
        f"-:{times + 1}: QMP201 NEWS event: "
    )


def test_a_pipe_beside_files(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_text(GUEST)
    said = subprocess.run(
        [*VALIDATE, path, "-"], input=STOP + "\n", capture_output=True, text=True, check=True
    )
    assert said.stderr.splitlines() == [
        TAKEN_FOR_3_1.replace("-:", f"{path}:"),
        f"qmpcheck: -: no greeting: checked against {NEWEST}, the newest of 0.12 to {NEWEST} that fit",
    ]
    assert said.stdout == (
        f"{path}: conforms to 3.1: 1 line, 1 event, 0 errors, 0 warnings\n"
        f"-: conforms to {NEWEST}: 2 lines, 1 event, 0 errors, 0 warnings\n"
    )


def test_standard_input_may_be_a_file_without_greeting(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_text(GUEST)
    with path.open("rb") as file:
        said = subprocess.run([*VALIDATE, "-"], stdin=file, capture_output=True, text=True, check=True)
    assert said.stderr == TAKEN_FOR_3_1 + "\n"
    assert said.stdout.startswith("-: conforms to 3.1: 1 line, 1 event")


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"", "no event in it"),
        (gzip.compress(STOP.encode())[:-9], "the compressed data is cut off; copy the file again, or wait until it is fully written"),
    ],
    ids=["empty", "cut"],
)  # fmt: skip
def test_pipes_that_do_not_tell(stream: bytes, why: str) -> None:
    said = subprocess.run([*VALIDATE, "-"], input=stream, capture_output=True, check=False)
    assert (said.returncode, said.stderr.decode()) == (2, f"qmpcheck: -: {why}\n")


def test_a_pipe_that_the_disk_does_not_take() -> None:
    limited = ["bash", "-c", 'ulimit -f 64 && exec "$@"', "bash", *VALIDATE, "-"]
    said = subprocess.run(
        limited, input=STOP * 80_000, capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": "/tmp"}
    )  # fmt: skip
    assert said.returncode == 2
    assert said.stderr == "qmpcheck: -: cannot be kept in /tmp, to be read once more: File too large\n"


def test_an_interrupt_while_a_pipe_is_kept() -> None:
    with subprocess.Popen([*VALIDATE, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(STOP.encode() * 80_000)  # more than a pipe holds: it is being read
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"qmpcheck: interrupted\n"
        assert process.wait(timeout=30) == 130


@contextmanager
def following(path: object) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    command = [*VALIDATE, "--follow", str(path)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_following_a_pipe_without_greeting() -> None:
    """What comes first is no event, and then one comes in pieces; later ones, and a greeting, decide nothing."""
    with following("-") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        for part in ("\n", '{"return": {}}\n', "rubbish\n", GUEST[:40], GUEST[40:]):
            write(process.stdin, part)
        assert process.stderr.readline() == f"{TAKEN_FOR_3_1} the first event\n"
        assert process.stdout.readline().startswith("-:3: QMP101")
        write(process.stdin, NEWS + of(7, 2) + NEWS)
        assert process.stdout.readline().startswith("-:5: QMP201 NEWS event: ")
        assert process.stdout.readline().startswith("-:7: QMP201 NEWS event: ")
        out, err = process.communicate()
    assert out.startswith("-: violations of 3.1: 7 lines, 3 events, 3 errors")
    assert (err, process.returncode) == ("", 1)


def test_following_a_file_without_greeting(tmp_path: Path) -> None:
    """What it holds first is fitted; what is added decides nothing."""
    path = tmp_path / "stream"
    path.write_text(GUEST * 2 + STOP * 30_000 + NEWS[:40])
    with following(path) as process, path.open("a") as file:
        assert process.stdout
        assert process.stderr
        taken = TAKEN_FOR_3_1.replace("-:", f"{path}:")
        assert re.fullmatch(rf"{re.escape(taken)} the first [0-9]+ events\n", process.stderr.readline())
        write(file, NEWS[40:])
        assert process.stdout.readline().startswith(f"{path}:30003: QMP201 NEWS event: ")
        process.terminate()
        out, _ = process.communicate()
    assert out.startswith(f"{path}: violations of 3.1: 30003 lines, 30003 events, 1 error")
    assert process.returncode == 130


def test_following_a_file_that_has_no_event_yet(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_text("")
    with following(path) as process, path.open("a") as file:
        assert process.stderr
        for part in (
            '{"return": {}}\n',
            '{"timestamp": {"seconds": 1, "micro',
            'seconds": 5}, "event": "NEWS"}\n',
        ):
            write(file, part)
        taken = f"{path}: no greeting: checked against {catalogue.find('latest').id}"
        assert process.stderr.readline() == (
            f"qmpcheck: {taken}, the newest; none fits the first event\n"
        )  # fmt: skip


@pytest.mark.parametrize("stream", [STOP + of(1, 1) + STOP, of(1, 1) + STOP * 2])
def test_following_takes_a_greeting_that_has_come(stream: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_text(stream + NEWS)
    with following(path) as process:
        assert process.stdout
        assert ":4: QMP201 NEWS" in process.stdout.readline()
        process.terminate()
        out, err = process.communicate()
    assert out.startswith(f"{path}: violations of 1.1 ")
    assert err == ""


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        ("", "-: no event in it"),
        (
            STOP + of(1, 1) + of(1, 2),
            "-: its greetings name several releases (1.1.0 and 1.2.0): check each part by itself, or choose one with --spec",
        ),
        (
            "\x1f\x8b",
            "-: the compressed data is cut off; copy the file again, or wait until it is fully written",
        ),
    ],
)
def test_following_what_does_not_tell(stream: str, why: str) -> None:
    said = subprocess.run(
        [*VALIDATE, "--follow", "-"], input=stream.encode("latin-1"), stderr=subprocess.PIPE, check=False
    )
    assert said.returncode == 2
    assert said.stderr.decode().removesuffix("; name a spec\n").removesuffix("\n") == f"qmpcheck: {why}"


def test_following_takes_one_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--follow", "a", "b") == (2, "qmpcheck: --follow takes one stream\n")
    for option in ("--join=(a)", "--state=s", "--cluster=local"):
        assert run(capsys, "--follow", "a", option)[1].startswith(
            "qmpcheck: --follow reads one file as it grows"
        )


BROKEN = STOP.replace('"STOP"', '"BELL"')


@pytest.mark.parametrize(
    ("streams", "spec", "note"),
    [
        ([of(10, 0, 2) + BROKEN], "7.2", "0.jsonl: checked by 7.2, but the greeting names 10.0.2: "),
        (
            [of(10, 0) + BROKEN, of(7, 2) + BROKEN, of(9, 2) + BROKEN],
            "7.2",
            "0.jsonl and 2.jsonl: checked by 7.2, but the greetings name 10.0.0 and 9.2.0: ",
        ),
        (
            [of(10, 0, micro) + BROKEN for micro in range(9)],
            "7.2",
            "0.jsonl, 1.jsonl, 2.jsonl and 6 more: checked by 7.2, but the greetings name 10.0.0, 10.0.1, 10.0.2 and "
            "6 more: ",
        ),
        ([of(7, 2) + BROKEN], "7.2.9", ""),
        ([of(7, 1, 90) + BROKEN], "7.2", ""),
        ([of(7, 1, 50) + BROKEN], "7.1", ""),
        ([of(99, 0) + BROKEN], NEWEST, ""),
        ([of(1, 1) + BROKEN], "1.1", ""),
        ([of(2, 2) + BROKEN], "2.2:txt", ""),
        ([BROKEN], "7.2", ""),
        ([of(10, 0) + STOP], "7.2", ""),
    ],
)
def test_errors_that_may_come_from_the_choice_of_the_spec(
    streams: list[str],
    spec: str,
    note: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One note in a run; none without an error, or for the release that `auto` would choose."""
    monkeypatch.chdir(tmp_path)
    for number, stream in enumerate(streams):
        Path(f"{number}.jsonl").write_text(stream)
    main(["validate", *map(str, sorted(Path().iterdir())), "--spec", spec])
    told = capsys.readouterr().err
    assert told == (f"qmpcheck: {note}errors may be about that difference only\n" if note else "")
