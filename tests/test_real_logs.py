"""Logs of real programs, in ../shared/logs, against QEMU's own record of what it sent."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from qmpcheck.streams.demultiplex import opened_parts
from qmpcheck.streams.source import opened

LOGS = Path(__file__).parents[2] / "shared" / "logs"
FOLDERS = sorted(path.parent for path in LOGS.glob("*/expected.json"))
NAMES = {
    "avocado-vt": "avocado",
    "libvirt": "libvirt",
    "qemu-trace": "trace",
    "python-qmp": "python",
    "raw": "socat",
    "virsh": "virsh",
}

needs_logs = pytest.mark.skipif(not FOLDERS, reason="no real logs in ../shared/logs")


def lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()


def received(messages: list[bytes], events_only: bool) -> list[Any]:
    values = [json.loads(message) for message in messages]
    return [value for value in values if ("event" in value if events_only else "execute" not in value)]


@needs_logs
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_read_is_what_qemu_sent(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    [file] = expected["files"]
    found: dict[str, list[bytes]] = {}
    names = {}
    with opened(str(folder / file["file"])) as log:
        format, parts = opened_parts(log)
        for part in parts:
            assert not part.cut
            found.setdefault(part.stream.key, []).extend(part.lines)
            names[part.stream.key] = part.stream.name or part.stream.key
            assert not (part.stream.probe and received(part.lines, events_only=True))
    assert format.name == NAMES[expected["format"]]
    sent: dict[str, list[bytes]] = {}
    for vm in expected["vms"]:
        lost = list(map(json.loads, vm.get("sent_but_not_in_log", [])))
        truth = [line for line in lines(folder / vm["truth"]) if json.loads(line) not in lost]
        sent.setdefault(vm["key"], []).extend(truth)
        if vm["name"] != "(capability probe)":
            assert names[vm["key"]] == vm["name"]
    assert sent.keys() == found.keys()
    for key, messages in sent.items():
        events_only = format.name == "virsh"
        assert received(found[key], events_only) == received(messages, events_only)
    commands = sum(b'"execute"' in line[:12] for messages in found.values() for line in messages)
    assert format.name == "virsh" or commands >= sum(vm["commands"] for vm in expected["vms"])
