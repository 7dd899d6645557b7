"""Scenarios about images: errors by policy, quorums, corruption, write thresholds and exports.

The jobs that copy images, and their events, are for the scenarios in `jobs`, too.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

from qmpcheck.gate.board import Ability
from qmpcheck.gate.expectations import (
    ANYTHING,
    QUIT,
    Expectation,
    Expectations,
    Expected,
    OneOf,
    Repeated,
    expected,
)
from qmpcheck.gate.machine import APART, Machine
from qmpcheck.gate.scenario import STORAGE, Scenario, Stage
from qmpcheck.gate.virtio import Device

SIZE = 1 << 16
"""Bytes of an image: as many as a job reads at once, so that it has one request."""


def statuses(*each: str) -> Expectations:
    """The steps of a job that has these statuses, one after the other."""
    return tuple(expected("JOB_STATUS_CHANGE", id="job0", status=status) for status in each)


PAUSES = Repeated(statuses("paused", "running"))
"""A job may pause and resume by itself, any number of times, whenever a node is drained."""

BEGINS = (*statuses("created", "running"), PAUSES)
SUCCEEDS = statuses("waiting", "pending")
FAILS = statuses("aborting")
ENDS = statuses("concluded", "null")


def done(**where: Any) -> Expected:
    """The event at the end of a backup."""
    return expected("BLOCK_JOB_COMPLETED", device="job0", type="backup", len=SIZE, speed=0, **where)


def failed(action: str) -> Expected:
    """The event of a job that could not read what it copies."""
    return expected("BLOCK_JOB_ERROR", device="job0", operation="read", action=action)


def copied(*while_running: Expectation) -> Expectations:
    """The steps of a backup that reaches its end."""
    return (*BEGINS, *while_running, PAUSES, *SUCCEEDS, done(offset=SIZE), *ENDS)


def not_copied(*while_running: Expectation) -> Expectations:
    """The steps of a backup that cannot read its source."""
    return (*BEGINS, *while_running, PAUSES, failed("report"), *FAILS, done(offset=0, error=ANYTHING), *ENDS)


_BAD = 8
"""The number of the sector that fails."""

_EIO, _ENOSPC = 5, 28


def failing(name: str, image: dict[str, Any], *errors: tuple[str, int]) -> dict[str, Any]:
    """A node over an image: a sector fails once for each pair of an operation (read, write) and an errno."""
    injected = [
        {"event": "none", "iotype": kind, "errno": number, "once": True, "sector": _BAD}
        for kind, number in errors
    ]
    debug = {"driver": "blkdebug", "image": image, "inject-error": injected}
    return {"driver": "raw", "node-name": name, "file": debug}


def empty(size: int = SIZE, zeroes: bool = False) -> dict[str, Any]:
    """An image that stores nothing; if it says that it reads as zeroes, a job need not read it."""
    return {"driver": "null-co", "size": size, "read-zeroes": zeroes}


def blockdev(node: dict[str, Any]) -> tuple[str, str]:
    """The option that makes a node; both emulators and the storage daemon have it by this name."""
    return "--blockdev", json.dumps(node)


def _request(disk: Device, write: bool) -> None:
    """Send one request for the sector that fails."""
    header = struct.pack("<IIQ", write, 0, _BAD)  # type, reserved, sector
    if write:
        disk.send(0, header, b"Z" * 512, answer=1)
    else:
        disk.send(0, header, answer=512 + 1)


def _io_error(read: str, write: str, *stops: bool) -> Callable[[Stage], None]:
    """A read fails, then a write for lack of space; `stops` says of each whether it stops the machine."""

    def play(stage: Stage) -> None:
        node = failing("disk0", empty(zeroes=True), ("read", _EIO), ("write", _ENOSPC))
        policy = (f"rerror={read}", f"werror={write}")
        device = stage.device("blk", "drive=disk0", "id=blk0", *policy)
        with stage.guest(*blockdev(node), *device) as (vm, guest):
            disk = Device(guest)
            disk.start(0)
            for write_it, stop in enumerate(stops):
                _request(disk, bool(write_it))
                vm.wait("BLOCK_IO_ERROR")
                if stop:
                    vm.wait("STOP")
                    vm.command("cont")
                    vm.wait("RESUME")
                vm.pause(APART)

    return play


_DEVICE = OneOf("", "/machine/peripheral/blk0/virtio-backend", "/machine/peripheral/blk0")
"""A disk of `-blockdev` has no name; 9.2 sends its path instead, and later releases send both. On microvm the
disk is not part of another device, so its path is shorter."""


def _io_error_scenario(name: str, purpose: str, read: str, write: str) -> Scenario:
    stops = (read == "stop", write in {"stop", "enospc"})
    actions = (read, "stop" if stops[1] else write)
    errors: list[Expected] = []
    for operation, action, stop in zip(("read", "write"), actions, stops, strict=True):
        space = {"nospace": operation == "write"} if any(stops) else {}
        errors.append(
            expected(
                "BLOCK_IO_ERROR",
                device=_DEVICE,
                qom_path=_DEVICE,
                node_name="disk0",
                operation=operation,
                action=action,
                **space,
            )
        )
        errors += [expected("STOP"), expected("RESUME")] if stop else []
    needs = (Ability.VIRTIO, "virtio-blk-{bus}")
    return Scenario(f"io-error-{name}", purpose, (*errors, QUIT), _io_error(read, write, *stops), needs=needs)


def copy(vm: Machine, source: str, target: str) -> None:
    """Copy one node to another, by a job that reads all of it."""
    vm.command("blockdev-backup", device=source, target=target, sync="full", **{"job-id": "job0"})
    vm.wait("JOB_STATUS_CHANGE", id="job0", status="null")


def _threshold(stage: Stage) -> None:
    image = stage.file("source.img", b"\1" * SIZE)
    source = {"driver": "file", "filename": image, "node-name": "source"}
    with stage.bare(*blockdev(source), *blockdev({**empty(), "node-name": "target"})) as vm:
        vm.command("block-set-write-threshold", **{"node-name": "target", "write-threshold": 4096})
        copy(vm, "source", "target")
        vm.wait("BLOCK_WRITE_THRESHOLD")


_CLUSTER = SIZE
_SECTORS = SIZE // 512


def _corrupt_qcow2() -> bytes:
    """A qcow2 image whose only data cluster has an address that is not aligned, so reading it is an error."""
    header = struct.pack(
        ">4sIQIIQIIQQIIQ",
        *(b"QFI\xfb", 2, 0, 0, 16, SIZE, 0),
        *(1, 3 * _CLUSTER, _CLUSTER, 1, 0, 0),
    )
    references = struct.pack(">6H", *(1,) * 6)
    used = 1 << 63
    tables = (struct.pack(">Q", each) for each in (4 * _CLUSTER | used, 5 * _CLUSTER | 0x200 | used))
    clusters = (header, struct.pack(">Q", 2 * _CLUSTER), references, *tables, bytes(_CLUSTER))
    return b"".join(cluster.ljust(_CLUSTER, b"\0") for cluster in clusters)


def _corrupt(stage: Stage) -> None:
    nodes: list[str] = []
    for name, read_only in (("disk0", True), ("disk1", False)):
        file = {"driver": "file", "filename": stage.file(f"{name}.qcow2", _corrupt_qcow2())}
        nodes += blockdev({"driver": "qcow2", "node-name": name, "read-only": read_only, "file": file})
        nodes += blockdev({**empty(), "node-name": f"{name}-target"})
    with stage.bare(*nodes) as vm:
        for name in ("disk0", "disk1"):
            copy(vm, name, f"{name}-target")
            vm.wait("BLOCK_IMAGE_CORRUPTED")


def _quorum_of(stage: Stage, name: str, contents: bytes) -> dict[str, Any]:
    """A quorum over images, each filled with one of the bytes."""
    children = [
        {
            "driver": "file",
            "node-name": f"{name}-{i}",
            "filename": stage.file(f"{name}-{i}.img", bytes([content]) * SIZE),
        }
        for i, content in enumerate(contents)
    ]
    return {"driver": "quorum", "node-name": name, "vote-threshold": 2, "children": children}


def _quorum(stage: Stage) -> None:
    nodes: list[str] = []
    for name, contents in (("disk0", b"aab"), ("disk1", b"abc")):
        nodes += blockdev(_quorum_of(stage, name, contents))
        nodes += blockdev({**empty(), "node-name": f"{name}-target"})
    with stage.bare(*nodes) as vm:
        for name, event in (("disk0", "QUORUM_REPORT_BAD"), ("disk1", "QUORUM_FAILURE")):
            copy(vm, name, f"{name}-target")
            vm.wait(event)


def _export(stage: Stage) -> None:
    with stage.bare(*blockdev({**empty(), "node-name": "disk0"})) as vm:
        vm.command("nbd-server-start", addr={"type": "unix", "data": {"path": "nbd.sock"}})
        for name in ("export0", "export1"):
            vm.command("block-export-add", type="nbd", id=name, name=name, **{"node-name": "disk0"})
        vm.command("block-export-del", id="export0")
        vm.wait("BLOCK_EXPORT_DELETED")
        vm.command("nbd-server-stop")
        vm.wait("BLOCK_EXPORT_DELETED")


SCENARIOS = (
    _io_error_scenario("report", "failed requests are reported to the guest", "report", "report"),
    _io_error_scenario("ignore", "failed requests are ignored", "ignore", "ignore"),
    _io_error_scenario("stop", "failed requests stop the machine", "stop", "stop"),
    _io_error_scenario(
        "enospc", "lack of space stops the machine, another error does not", "report", "enospc"
    ),
    Scenario(
        "write-threshold",
        "a write goes beyond a node's threshold",
        (
            *copied(
                expected(
                    "BLOCK_WRITE_THRESHOLD",
                    node_name="target",
                    write_threshold=4096,
                    amount_exceeded=SIZE - 4096,
                )
            ),
            QUIT,
        ),
        _threshold,
        STORAGE,
    ),
    Scenario(
        "corrupt-image",
        "two corrupt images are read, the first of them read-only",
        (
            *not_copied(expected("BLOCK_IMAGE_CORRUPTED", device="", node_name="disk0", fatal=False)),
            *not_copied(expected("BLOCK_IMAGE_CORRUPTED", device="", node_name="disk1", fatal=True)),
            QUIT,
        ),
        _corrupt,
        STORAGE,
    ),
    Scenario(
        "quorum",
        "two quorums are read: in one, one of three images differs; in the other, all do",
        (
            *copied(
                expected(
                    "QUORUM_REPORT_BAD",
                    type="read",
                    node_name="disk0-2",
                    sector_num=0,
                    sectors_count=_SECTORS,
                )
            ),
            *not_copied(expected("QUORUM_FAILURE", reference="disk1", sector_num=0, sectors_count=_SECTORS)),
            QUIT,
        ),
        _quorum,
        STORAGE,
    ),
    Scenario(
        "nbd-export",
        "one NBD export is deleted, another ends with the server",
        (
            expected("BLOCK_EXPORT_DELETED", id="export0"),
            expected("BLOCK_EXPORT_DELETED", id="export1"),
            QUIT,
        ),
        _export,
        STORAGE,
    ),
)
"""In the order of reports."""
