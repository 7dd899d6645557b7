"""However a stream is cut into blocks, and the work is divided, the result is the same."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import events, faults

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import StreamResult
from qmpcheck.cli import main
from qmpcheck.codes import Severity
from qmpcheck.specs import catalogue
from qmpcheck.validation import tasks
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.processes import Processes
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import of_path
from qmpcheck.validation.tasks import ThisProcess

RULES = catalogue.find("v4").rule_base
SEVERITIES = {"QMP101": Severity.WARNING, "QMP305": Severity.ERROR}

lines = st.one_of(
    events(RULES).map(lambda message: json.dumps(message).encode()),
    faults(RULES).map(lambda fault: json.dumps(fault.message).encode()),
    st.sampled_from(
        [
            b"",
            b"\r",
            b"nonsense",
            b"[]",
            b'{"return": {}}',
            b"\xff",
            b'{"QMP": {}}',
            b'{"return": 1, "QMP": 1}',
        ]
    ),
)
streams = st.builds(
    lambda body, end: b"".join(line + b"\n" for line in body) + end, st.lists(lines), st.just(b"") | lines
)
TOO_MANY_MICROSECONDS = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 9000000}}\n'
THAT_SECOND = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n'


@given(streams, st.lists(st.integers(0, 100), max_size=6), st.integers(0, 5))
@example(TOO_MANY_MICROSECONDS + THAT_SECOND, [1], 5)
def test_any_way_of_cutting(content: bytes, places: list[int], most: int) -> None:
    *ended, rest = content.split(b"\n")
    whole = [*(line + b"\n" for line in ended), rest]
    ends = sorted({place % (len(whole) + 1) for place in places})
    checker = Checker(RULES, CheckOptions(max_findings=most, severities=SEVERITIES))
    for begin, end in zip([0, *ends], [*ends, len(whole)], strict=True):
        *lines, last = b"".join(whole[begin:end]).split(b"\n")
        checker.feed([*lines, last] if last else lines, is_cut=bool(last))
    cut = checker.finish()
    assert cut == checker.check(content)
    assert len(cut.listed) <= most


STOP = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 5}}\n'


def check_files(checker: FileChecker, paths: list[str], jobs: int) -> list[StreamResult]:
    """The results of all streams in files, which so many processes share."""
    here = ThisProcess(checker)
    with Processes(checker, jobs) if jobs > 1 else nullcontext(here) as workers:
        found = tasks.checked(map(of_path, paths), workers, here)
        return [result for task in found for each in task for result in each.results]


def test_several_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "TASK", 1 << 14)
    paths = [str(tmp_path / "none")]
    for number in range(12):
        text = b"\xef\xbb\xbf" + (STOP * 37 + b"nonsense\n" + b"x" * 5000 + b"\n") * number + b"{"
        paths.append(str(tmp_path / f"{number}.jsonl"))
        Path(paths[-1]).write_bytes(gzip.compress(text) if number % 3 == 0 else text)
    checker = FileChecker(Recipe(severities=SEVERITIES), catalogue.find("v4"), "jsonl")
    one, two, three = (check_files(checker, paths, jobs) for jobs in (1, 2, 3))
    assert one == two == three
    assert [result.path for result in one] == paths
    assert one[-1].lines == 39 * 11 + 1


LONG_CHECK = """
import sys
from qmpcheck.cli import main
sys.exit(main(["validate", *sys.argv[1:], "--spec", "v4", "--jobs", "2"]))
"""


@pytest.fixture(scope="module")
def long_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four names of one file, which takes seconds to check."""
    folder = tmp_path_factory.mktemp("long")
    paths = [folder / f"{at}.jsonl" for at in range(4)]
    paths[0].write_bytes(STOP * 3_000_000)
    for path in paths[1:]:
        path.hardlink_to(paths[0])
    return paths


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_workers_end_when_their_parent_does(number: int, long_files: list[Path]) -> None:
    """They would hold standard output open: its end shows that none is left."""
    command = [sys.executable, "-c", LONG_CHECK, *map(str, long_files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while len(children.read_text().split()) < 2:
            time.sleep(0.02)
        time.sleep(0.2)  # an interrupt within the fork itself is for Python to report
        os.kill(process.pid, number)
        begin = time.monotonic()
        _, errors = process.communicate()
        assert time.monotonic() - begin < 10
    assert b"Traceback" not in errors
    assert process.returncode in (-number, 130)


def test_a_folder_names_what_it_passes_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n'
    (tmp_path / "s.jsonl").write_text(event)
    (tmp_path / "all.txt").write_text(event)
    assert main(["validate", str(tmp_path), "--spec", "10.0"]) == 0
    assert capsys.readouterr().err == (
        f"qmpcheck: {tmp_path}: skipped files whose names do not end like those of recordings or logs: {tmp_path}/all.txt\n"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--assume=noshutdown",
            '--assume: no follow-up depends on "noshutdown" (did you mean no-shutdown?); expected no-shutdown',
        ),
        ("--rules=none.toml", "none.toml: No such file or directory"),
    ],
)
def test_an_option_that_fits_no_spec_is_one_message(
    option: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.jsonl").write_text('{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n')
    assert main(["validate", str(tmp_path / "s.jsonl"), option]) == 2
    assert capsys.readouterr() == ("", f"qmpcheck: {message}\n")
