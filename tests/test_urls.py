"""URLs in place of paths, with a real S3 server: the same reports as of plain files."""

from __future__ import annotations

import gzip
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from object_store import Store

from qmpcheck.cli import main
from qmpcheck.streams import remote

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


SMALL = 1 << 16
"""Bytes up to which a file is fetched by one request."""


@pytest.fixture(scope="module")
def store(object_system: Any) -> Iterator[Store]:
    store = Store(object_system, "urls")
    store.put(FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "_SMALL", SMALL)
        patch.setattr(remote, "_BLOCK", SMALL)
        yield store


GREETING = b'{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}\n'
STOP = b'{"event": "STOP", "timestamp": {"seconds": 1700000000, "microseconds": 5}}\n'
RESUME = b'{"event": "RESUME", "timestamp": {"seconds": 1700000001, "microseconds": 5}}\n'
GOOD = GREETING + STOP + RESUME
BAD = GREETING + b'{"event": "STOP", "data": {"why": 1}, "timestamp": {"seconds": 1, "microseconds": 5}}\n'

FILES = {
    "2026/01/a.jsonl.zst": zstd.compress(GOOD),
    "2026/01/b.jsonl.gz": gzip.compress(BAD),
    "2026/01/b/c.jsonl": GOOD,
    "2026/02/a.jsonl.zst": zstd.compress(STOP + RESUME),
    "2026/02/notes.txt": b"no recording\n",
    "2026/long.jsonl": GREETING + (STOP + RESUME) * 3000,
    "faults/cut.jsonl.gz": gzip.compress(GOOD * 1000)[:-20],
    "faults/cut.jsonl.zst": zstd.compress(GOOD * 1000)[:-20],
    "faults/empty.jsonl": b"",
}


def validated(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["validate", *arguments])
    return status, *capsys.readouterr()


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("2026/01/a.jsonl.zst", ["2026/01/a.jsonl.zst"]),
        ("2026/01", ["2026/01/a.jsonl.zst", "2026/01/b.jsonl.gz", "2026/01/b/c.jsonl"]),
        ("2026/*/a.jsonl.zst", ["2026/01/a.jsonl.zst", "2026/02/a.jsonl.zst"]),
        ("20*/01/?.jsonl*", ["2026/01/a.jsonl.zst", "2026/01/b.jsonl.gz"]),
        ("2026/**/*.jsonl", ["2026/01/b/c.jsonl", "2026/long.jsonl"]),
        ("**/[ac].*", ["2026/01/a.jsonl.zst", "2026/01/b/c.jsonl", "2026/02/a.jsonl.zst"]),
    ],
)
def test_a_url_means_what_a_path_means(
    url: str,
    keys: list[str],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for key, content in FILES.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    status, report, _ = validated(capsys, store.url(url), "--format", "json")
    plain_status, plain, _ = validated(capsys, url, "--format", "json")
    assert [stream["path"] for stream in json.loads(plain)["streams"]] == keys
    assert (status, report.replace(store.url(""), "")) == (plain_status, plain)


def test_more_objects_than_a_store_lists_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAGE", 2)
    found = [file.path for file in remote.listed(store.url("2026/**"))]
    assert sorted(found) == [store.url(key) for key in sorted(FILES) if key.startswith("2026")]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("faults/cut.jsonl.gz", "the compressed data is cut off"),
        ("faults/cut.jsonl.zst", "the compressed data is cut off"),
        ("faults/empty.jsonl", "no event in it"),
        ("faults/none.jsonl", "No such file or directory"),
        ("nothing/*.jsonl", "no file matches"),
        ("nothing/**/*.jsonl", "no file matches"),
        ("nothing/", "No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_never_clean(
    key: str, message: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, errors = validated(capsys, store.url(key))
    assert status == 2
    assert f"{store.url(key)}: " in errors
    assert message in errors


def test_other_commands(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    url = store.url("2026/01/a.jsonl.zst")
    assert main(["convert", url]) == 0
    assert capsys.readouterr().out.encode() == GOOD
    assert main(["fit", url]) == 0
    assert capsys.readouterr().out.startswith(f"{url}: fits 0.13")
    assert main(["diff", "7.2", "7.2", "--used-by", url]) == 0


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The URL of a folder that a web server shows, one that sends whole files only."""
    for name, content in {"a.jsonl.gz": gzip.compress(GOOD), "b.jsonl": BAD}.items():
        (tmp_path / name).write_bytes(content)
    handler = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_the_web(web: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("aiohttp")
    assert validated(capsys, f"{web}a.jsonl.gz")[0] == 0
    assert validated(capsys, f"{web}b.jsonl")[0] == 1
    assert validated(capsys, f"{web}*.jsonl")[1].startswith(f"{web}b.jsonl: violations")
    status, _, errors = validated(capsys, f"{web}none.jsonl")
    assert (status, errors) == (2, f"qmpcheck: {web}none.jsonl: No such file or directory\n")
    assert "Cannot connect to host" in validated(capsys, "http://127.0.0.1:1/a.jsonl")[2]


def test_files_as_urls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    assert validated(capsys, f"file://{tmp_path}/*.jsonl")[0] == 0


WITHOUT = (
    "import sys; sys.modules['fsspec'] = None; from qmpcheck.cli import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://b/a.jsonl", "pip install 'qmpcheck[s3]'"),
        ("gs://b/a.jsonl", "pip install 'qmpcheck[gs]'"),
        ("https://b/a.jsonl", "pip install 'qmpcheck[http]'"),
    ],
)
def test_what_is_not_installed_is_named(url: str, message: str) -> None:
    command = [sys.executable, "-c", WITHOUT, "validate", url]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert message in result.stderr


def test_an_unknown_scheme_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fsspec")
    assert validated(capsys, "nonsense://x/a.jsonl")[0] == 2


LOADS = """
import sys
from qmpcheck.cli import main
main(["validate", *sys.argv[1:]])
print(sorted({"fsspec", "distributed", "pyarrow", "sqlite3", "asyncio"} & sys.modules.keys()))
"""


def test_plain_paths_load_nothing_for_urls(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    command = [sys.executable, "-c", LOADS, str(tmp_path / "a.jsonl"), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
