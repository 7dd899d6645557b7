"""Measure what an archive of many files costs, and write reports/scale.md.

    python reports/scale.py

It starts an S3 server (SeaweedFS) and Dask clusters on this machine. Elapsed time depends on what else runs
here: take ratios and orders of magnitude from it.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from qmpcheck.checking.result import StreamResult
from qmpcheck.streams import listing
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.validation import joining, tasks
from qmpcheck.validation.cluster import Cluster
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.processes import Processes
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import Recording, of_path
from qmpcheck.validation.results import Results
from qmpcheck.validation.state import KeptResults
from qmpcheck.validation.tasks import CheckedRecording, ThisProcess

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
import object_store  # noqa: E402 -- how the tests start an S3 server

RECORDED = HERE.parent / "corpora/gate-7.2.22/io-error-stop.jsonl"
SMALL, LINES_OF_SMALL = 2000, 20
LARGE, LINES_OF_LARGE = 48, 60_000
ENTRIES = 100_000
TURNS = 3
VMS, DAYS, LINES_A_DAY = 100_000, 365, 200


class Cost(NamedTuple):
    """Seconds by the clock, and of this process and its children on a processor."""

    elapsed: float
    processor: float


@functools.cache
def lines(number: int) -> bytes:
    """A recording of that many lines: a greeting, and events that a real QEMU sent, a second apart."""
    recorded = RECORDED.read_bytes().splitlines(keepends=True)
    greeting = next(line for line in recorded if b'"QMP"' in line)
    events = [line for line in recorded if b'"timestamp"' in line]
    return greeting + b"".join(
        re.sub(rb'"seconds": \d+', b'"seconds": %d' % (1_700_000_000 + at), events[at % len(events)])
        for at in range(number - 1)
    )


def written(folder: Path, files: int, number: int) -> Path:
    """A folder of packed recordings, all alike."""
    folder.mkdir(parents=True)
    data = zstd.compress(lines(number))
    for at in range(files):
        (folder / f"vm{at:06}.jsonl.zst").write_bytes(data)
    return folder


def checker() -> FileChecker:
    return FileChecker(Recipe(), None)


def starts(found: FileChecker, processes: int, kind: str) -> AbstractContextManager[Any]:
    """Workers of a kind."""
    match kind:
        case "jobs":
            return Processes(found, processes)
        case "cluster":
            return Cluster(found, f"local:{processes}")
    return nullcontext(ThisProcess(found))


def cost(recordings: Callable[[], Iterable[Recording]], kind: str = "", processes: int = 1) -> Cost:
    """What it costs to check recordings, once the workers have started and checked something."""
    found = checker()
    with starts(found, processes, kind) as workers:
        here = ThisProcess(found)
        for _ in tasks.checked(islice(recordings(), 2 * tasks.MOST_RECORDINGS), workers, here):
            pass
        before, begin = _processor(), time.monotonic()
        results = Results()
        for task in tasks.checked(recordings(), workers, here):
            for done in task:
                results.add(done.results)
        assert all(each.events and not each.unreadable for each in results)
        return Cost(time.monotonic() - begin, _processor() - before)


def _processor() -> float:
    me = psutil.Process()
    used = 0.0
    for process in [me, *me.children(recursive=True)]:
        times = process.cpu_times()
        used += times.user + times.system
    return used


def of_folder(place: str) -> Callable[[], Iterator[Recording]]:
    return lambda: joining.rotated(listing.listed(place))


def overhead(folder: Path, url: str) -> tuple[float, list[str]]:
    """The processor seconds that a small object in S3 takes, and rows: each file's share of several runs."""
    rows = ["| files | by | ms a file | of a processor |", "| --- | --- | --- | --- |"]
    of_object = 0.0
    for place, name in ((str(folder), "in a folder"), (url, "in S3")):
        for kind, processes, by in (
            ("", 1, "one process"),
            ("jobs", 2, "`--jobs 2`"),
            ("cluster", 2, "`--cluster local:2`"),
        ):
            found = cost(of_folder(place), kind, processes)
            rows.append(f"| {name} | {by} | {_ms(found.elapsed)} | {_ms(found.processor)} |")
            if place == url and not kind:
                of_object = found.processor / SMALL
    return of_object, rows


def _ms(seconds: float) -> str:
    return f"{1000 * seconds / SMALL:.2f}"


def speed_up(folder: Path) -> Iterator[str]:
    """Rows: the time with more processes."""
    alone = _quickest(folder)
    yield "| processes | `--jobs` | `--cluster local:N` |"
    yield "| --- | --- | --- |"
    for processes in (1, 2, 4):
        times = [_quickest(folder, kind, processes) for kind in ("jobs", "cluster")]
        yield f"| {processes} | {' | '.join(f'{alone / each:.1f}' for each in times)} |"


def _quickest(folder: Path, kind: str = "", processes: int = 1) -> float:
    """The elapsed time of the turn that others disturbed least."""
    return min(cost(of_folder(str(folder)), kind, processes).elapsed for _ in range(TURNS))


class Fitted(NamedTuple):
    """Seconds on a processor that each file, each line and each packed megabyte take."""

    file: float
    line: float


def by_number(folder: Path) -> tuple[Fitted, list[str]]:
    """What a file costs and what a line does, and the rows that this comes from."""
    rows = ["| files | lines each | processor seconds |", "| --- | --- | --- |"]
    total = 400_000
    measured = []
    for files in (20, 200, 2000, 10_000):
        place = written(folder / str(files), files, total // files)
        found = cost(of_folder(str(place))).processor
        measured.append((files, found))
        rows.append(f"| {files:,} | {total // files:,} | {found:.2f} |")
    (few, least), *_, (many, most) = measured
    a_file = (most - least) / (many - few)
    return Fitted(a_file, (least - few * a_file) / total), rows


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A scheduler with two workers, each a process of its own."""
    file = folder / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    module = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    begun = [subprocess.Popen([*module, "--no-dashboard", "--scheduler-file", str(file)], **quiet)]
    while not file.exists():
        time.sleep(0.1)
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        "--scheduler-file",
        str(file),
        "--no-dashboard",
    ]
    begun += [subprocess.Popen([*worker, "--nthreads", "1", "--no-nanny"], **quiet) for _ in range(2)]
    try:
        yield json.loads(file.read_text())["address"], psutil.Process(begun[0].pid)
    finally:
        for each in begun:
            each.kill()
            each.wait()


def memory(folder: Path, file: Path) -> Iterator[str]:
    """Sentences: memory with many entries, and what a state of them is."""
    recording = of_path(str(file))
    found = checker()
    with scheduler(folder) as (address, process), Cluster(found, address) as workers:
        for _ in tasks.checked(repeat(recording, 2000), workers, ThisProcess(found)):
            pass
        before = process.memory_info().rss, psutil.Process().memory_info().rss
        most = 0
        results = Results()
        for task in tasks.checked(repeat(recording, ENTRIES), workers, ThisProcess(found)):
            most = max(most, process.memory_info().rss)
            for done in task:
                results.add(done.results)
        after = psutil.Process().memory_info().rss
    yield (
        f"The scheduler had {before[0] >> 20} MiB after 2,000 entries, and at most {most >> 20} MiB during "
        f"{ENTRIES:,} more; the command had {before[1] >> 20} MiB before, and {after >> 20} MiB after, with "
        "all results."
    )
    yield state(folder / "state", [*islice(results, 200)])


def state(place: Path, results: Sequence[StreamResult]) -> str:
    """A sentence: how large a state of many entries is, and how long it takes to load it."""
    kept = KeptResults(str(place), "scale")
    for at in range(0, ENTRIES, len(results)):
        kept.keep(
            CheckedRecording(_object(at + number), [result], True) for number, result in enumerate(results)
        )
    kept.close()
    size = sum(path.stat().st_size for path in place.rglob("*.gz"))
    begin = time.monotonic()
    KeptResults(str(place), "scale")
    seconds = time.monotonic() - begin
    return (
        f"A state of {ENTRIES:,} rows of clean streams, which are much alike, has {size / ENTRIES:.0f} bytes "
        f"a row, and is loaded in {seconds:.1f} s."
    )


def _object(number: int) -> Recording:
    return Recording((StoredFile(f"s3://archive/2026/11/30/vm{number:06}.jsonl.zst", 1000, str(number)),))


def main() -> None:
    """Measure, and write the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = written(folder / "small", SMALL, LINES_OF_SMALL)
        large = written(folder / "large", LARGE, LINES_OF_LARGE)
        (folder / "s3").mkdir()
        with object_store.running(folder / "s3") as system:
            store = object_store.Store(system, "scale")
            paths = sorted(small.iterdir())
            for at in range(0, SMALL, 200):
                store.put({path.name: path.read_bytes() for path in paths[at : at + 200]})
            of_object, overheads = overhead(small, store.url("*.zst"))
        fitted, numbers = by_number(folder / "number")
        speeds = [*speed_up(large)]
        memories = [*memory(folder, small / "vm000000.jsonl.zst")]
    files, packed = VMS * DAYS, len(zstd.compress(lines(LINES_A_DAY)))
    seconds = of_object + LINES_A_DAY * fitted.line
    page = PAGE.format(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        processors=os.cpu_count(),
        small=SMALL,
        lines_of_small=LINES_OF_SMALL,
        bytes_of_small=len(zstd.compress(lines(LINES_OF_SMALL))),
        large=LARGE,
        turns=TURNS,
        lines_of_large=LINES_OF_LARGE,
        overheads="\n".join(overheads),
        speeds="\n".join(speeds),
        numbers="\n".join(numbers),
        memories="\n".join(f"- {each}" for each in memories),
        of_object=1000 * of_object,
        a_file=1000 * fitted.file,
        a_line=1e6 * fitted.line,
        vms=VMS,
        files=files,
        lines_a_day=LINES_A_DAY,
        packed=packed / 1000,
        terabytes=files * packed / 1e12,
        hours=files * seconds / 3600,
        hours_each=files * seconds / 3600 / 64,
        minutes=VMS * seconds / 60,
        waiting=files * 0.03 / 3600,
        pages=files // 1000,
        listing=files / 1000 * 0.1 / 3600,
        json=files * 330 / 1e9,
    )
    (HERE / "scale.md").write_text(page)


PAGE = """\
# What an archive of many files costs

Made by `reports/scale.py` with Python {python}, on {processors} processors that others used at the same time. Elapsed
times are rough, and more processes than processors cannot be faster. The S3 server and the Dask scheduler ran on the
same processors.

## Overhead for each file

{small:,} files of {lines_of_small} recorded lines, {bytes_of_small} bytes each as packed by Zstandard; in milliseconds a
file. The start of the workers, about two seconds for a cluster, is not in it. Processor time is that of the command and
of its workers.

{overheads}

## Speed-up

{large} files of {lines_of_large:,} lines: times as fast as one process without `--jobs`; the best of {turns} turns each.

{speeds}

## By number of files, and by their size

400,000 lines in one process.

{numbers}

That is {a_file:.2f} ms for each file and {a_line:.1f} µs for each line.

## Memory and state

{memories}

## On paper: a year of {vms:,} VMs

A file for each VM and day: {files:,} files. With {lines_a_day} lines in each, {packed:.1f} kB packed (these lines are much
alike), that is {terabytes:.2f} TB. From the figures above:

- **Checking** takes {hours:,.0f} hours of a processor, {hours_each:.1f} hours of 64 of them. Nearly all of it is the request for
  each object, {of_object:.1f} ms of a processor in Python's client of S3: fewer and larger files are checked faster. One day's
  files take {minutes:.0f} minutes of one processor, and with a state that is all there is to do each day.
- **Requests** for objects, at 30 ms each, are {waiting:,.0f} hours of waiting. Workers share them, and each fetches the
  small objects of a task together.
- **Listing** takes {pages:,} requests for pages of a thousand names, one after the other: at 100 ms each {listing:.1f}
  hours. **This is the first limit**: more workers do not help, and neither does a state, as all names are listed again.
  A command for each month or day divides it.
- **The report** has a row for each stream, as JSON {json:.0f} GB. For a whole year, ask for Parquet; the summary of a year
  takes a pass over all results, which are on disk.
- **The state** has a row for each file, and is loaded at the start of each run. One for each month keeps that short.
"""  # noqa: E501


if __name__ == "__main__":
    main()
