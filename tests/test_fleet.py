"""An archive of many objects: in a real S3 server, on a real cluster, over a state that is kept."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from object_store import Store

from qmpcheck.checking.result import StreamResult
from qmpcheck.cli import main
from qmpcheck.specs import catalogue
from qmpcheck.streams import listing
from qmpcheck.validation import joining, tasks
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.processes import Processes
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.tasks import ThisProcess

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NUMBER = 120
"""Objects: enough for several tasks."""

GREETING = b'{"QMP": {"version": {"qemu": {"major": %d, "minor": 2, "micro": 0}}, "capabilities": []}}\n'
LOG = Path(__file__).parent / "cases/formats/trace/input.log"


def event(name: str, second: int, data: str = "") -> bytes:
    held = f'"data": {data}, ' if data else ""
    stamp = f'"timestamp": {{"seconds": {1_700_000_000 + second}, "microseconds": 0}}'
    return f'{{"event": "{name}", {held}{stamp}}}\n'.encode()


def content(number: int) -> bytes:
    """A stream: with a greeting or without, clean or with a fault, cut or empty."""
    if number % 50 == 7:
        return b""
    lines = [GREETING % (7 + number % 3)] * (number % 4 > 0)
    lines += [event(("STOP", "RESUME")[at % 2], at) for at in range(number % 30 + 2)]
    if number % 11 == 0:
        lines.append(event("STOP", 100, '{"why": 1}'))
    if number % 13 == 0:
        lines.append(event("SHUTDOWN", 101, '{"guest": false, "reason": "host-qmp-quit"}')[:-30])
    return b"".join(lines)


def packed(number: int) -> tuple[str, bytes]:
    """An object's key and its bytes."""
    day = f"2026/{number % 3 + 1:02}/vm{number:04}.jsonl"
    text = content(number)
    if number % 3 == 0:
        return f"{day}.gz", gzip.compress(text)[: -9 if number % 60 == 9 else None]
    if number % 3 == 1:
        return f"{day}.zst", zstd.compress(text)
    return day, text


OBJECTS = dict(map(packed, range(NUMBER))) | {"2026/host.log": LOG.read_bytes()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for key, data in OBJECTS.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def store(object_system: Any) -> Store:
    store = Store(object_system, "archive")
    store.put(OBJECTS)
    return store


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_RECORDINGS", 15)


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The exit status and the JSON report, in which paths begin in the archive."""
    status = main(["validate", *map(str, arguments), "--format", "json"])
    return status, capsys.readouterr().out.replace(str(arguments[0]).rstrip("/*") + "/", "")


def test_the_report_is_the_same_wherever_the_work_is_done(
    store: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    plain = report(capsys, folder / "2026")
    assert plain[0] == 2  # some objects are cut, some are empty
    assert len(json.loads(plain[1])["streams"]) == len(OBJECTS) + 1  # the log is of two VMs
    url, state = store.url("2026/**"), ("--state", store.url("state/of/this"))
    assert report(capsys, url) == plain
    assert report(capsys, url, "--jobs", "2") == plain
    assert report(capsys, url, "--cluster", "local:2", *state) == plain
    assert report(capsys, url, *state) == plain  # all is known


def checker() -> FileChecker:
    return FileChecker(Recipe(), catalogue.find("7.2"))


def checked(folder: Path, workers: Any, after_first: Any = lambda: None) -> list[StreamResult]:
    """The results of all streams; something is done when the first ones are there."""
    found: list[StreamResult] = []
    here = ThisProcess(checker())
    for done in tasks.checked(joining.rotated(listing.listed(str(folder))), workers or here, here):
        if not found:
            after_first()
        found += [result for each in done for result in each.results]
    return found


def kill_one() -> None:
    """Kill a process that works for this one."""
    import psutil

    children = psutil.Process().children(recursive=True)
    workers = [each for each in children if "spawn_main" in " ".join(each.cmdline())]
    random.Random(1).choice(workers).kill()


def test_a_killed_worker_of_a_cluster_is_no_matter(folder: Path) -> None:
    pytest.importorskip("distributed")
    from qmpcheck.validation.cluster import Cluster

    with Cluster(checker(), "local:2") as cluster:
        assert checked(folder, cluster, kill_one) == checked(folder, None)


def test_a_killed_process_is_no_matter(folder: Path) -> None:
    with Processes(checker(), 2) as processes:

        def kill_all() -> None:
            import multiprocessing

            for process in multiprocessing.active_children():
                process.kill()

        assert checked(folder, processes, kill_all) == checked(folder, None)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a scheduler with one worker, and its process."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli."]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [*dask[:2], "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(file)], **quiet) as process:
        command = [*dask[:2], "distributed.cli.dask_worker", "--scheduler-file", str(file), "--no-dashboard"]
        while not file.exists():
            time.sleep(0.05)
            assert process.poll() is None
        with subprocess.Popen(
            [*command, "--nworkers", "1", "--nthreads", "2", "--no-nanny"], **quiet
        ) as worker:
            yield json.loads(file.read_text())["address"], process
            for each in (worker, process):
                each.kill()


def test_without_its_scheduler_a_run_says_what_was_not_checked(
    folder: Path, scheduler: tuple[str, subprocess.Popen[bytes]]
) -> None:
    import dask

    from qmpcheck.validation import cluster

    address, process = scheduler
    is_short = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with is_short, cluster.Cluster(checker(), address) as workers:
        found = checked(folder, workers, process.kill)
    expected = checked(folder, None)
    assert {each.path: 0 for each in found} == {each.path: 0 for each in expected}
    lost = [each for each in found if each.unreadable.startswith("not checked: ")]
    assert lost
    assert [each for each in found if each not in lost] == [
        each for each in expected if each.path not in {other.path for other in lost}
    ]


RUN = """
import sys
from qmpcheck.cli import main
from qmpcheck.validation import tasks
tasks.MOST_RECORDINGS = 5
sys.exit(main(["validate", *sys.argv[1:], "--format", "json"]))
"""


def test_a_run_that_was_killed_goes_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", RUN, str(folder), "--state", str(tmp_path / "state")]
    for wait in (0.4, 0.6):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.replace(f"{folder}/", "")) == report(capsys, folder)


def test_only_what_changed_is_checked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for name in ("a", "b", "c"):
        (archive / f"{name}.jsonl").write_bytes(event("STOP", 1))
    arguments = (archive, "--spec", "7.2", "--state", tmp_path / "state")
    status, first = report(capsys, *arguments)
    assert (status, json.loads(first)["diagnostics"]) == (0, [])
    for name in ("b", "c"):
        path = archive / f"{name}.jsonl"
        before = path.stat().st_mtime_ns
        path.write_bytes(event("SPOT", 1))
        if name == "b":  # nothing shows that it changed
            os.utime(path, ns=(before, before))
    (archive / "d.jsonl").write_bytes(event("SPOT", 1))
    status, second = report(capsys, *arguments)
    assert status == 1
    assert [each["stream"] for each in json.loads(second)["diagnostics"]] == ["c.jsonl", "d.jsonl"]
    assert report(capsys, *arguments[:2], "7.1", *arguments[3:])[0] == 1
    other_spec = report(capsys, archive, "--spec", "7.1", "--state", tmp_path / "state")[1]
    assert [each["stream"] for each in json.loads(other_spec)["diagnostics"]] == [
        "b.jsonl",
        "c.jsonl",
        "d.jsonl",
    ]


def test_a_state_in_the_archive_is_no_part_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_bytes(event("STOP", 1))
    arguments = (tmp_path, "--state", tmp_path / "state")
    first, second = report(capsys, *arguments), report(capsys, *arguments)
    assert first == second
    assert first[0] == 0
    (tmp_path / "a.jsonl").unlink()
    assert report(capsys, *arguments)[0] == 2


def test_a_page_has_its_timelines_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_bytes(event("STOP", 1) + event("RESUME", 2))
    pages = []
    for number in range(2):
        page = tmp_path / f"{number}.html"
        arguments = (tmp_path / "a.jsonl", "--state", tmp_path / "state", "--report", f"html={page}")
        assert report(capsys, *arguments)[0] == 0
        pages.append(page.read_text())
    assert "RESUME" in pages[0]
    assert pages[0] == pages[1]


def test_what_could_not_be_read_is_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(event("STOP", 1))[:-5])
    arguments = (tmp_path, "--state", tmp_path / "state")
    assert report(capsys, *arguments)[0] == 2
    assert not [*(tmp_path / "state").rglob("*.gz")]
    assert report(capsys, *arguments)[0] == 2


def test_a_damaged_state_is_no_matter(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (folder, "--state", tmp_path)
    first = report(capsys, *arguments)
    for number, path in enumerate(tmp_path.rglob("*.gz")):
        data = path.read_bytes()
        path.write_bytes([data[:-10], b"nonsense", gzip.compress(b"nonsense\n")][number % 3])
    status = main(["validate", *map(str, arguments), "--format", "json"])
    out, errors = capsys.readouterr()
    assert (status, out.replace(f"{folder}/", "")) == first
    assert "is damaged; its recordings are checked again" in errors


def test_many_small_files_of_a_state_become_few(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qmpcheck.validation.state._MOST_FILES", 3)
    first = report(capsys, folder, "--state", tmp_path)
    assert len([*tmp_path.rglob("*.gz")]) == 1
    assert report(capsys, folder, "--state", tmp_path) == first


def test_a_state_that_cannot_be_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["validate", str(folder), "--state", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith(f"qmpcheck: --state {tmp_path}/file: Not a directory")


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1"])
def test_a_cluster_that_is_not_there(address: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        assert main(["validate", str(folder), "--cluster", address]) == 2
    assert capsys.readouterr().err.startswith(f"qmpcheck: --cluster {address}: ")


WITHOUT = "import sys; sys.modules['distributed'] = None; from qmpcheck.cli import main; sys.exit(main(sys.argv[1:]))"


def test_without_dask_a_message_names_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT, "validate", "/x.jsonl", "--cluster", "local"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (
        2,
        "qmpcheck: --cluster needs more packages: pip install 'qmpcheck[cluster]'\n",
    )
