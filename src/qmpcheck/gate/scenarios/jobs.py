"""Scenarios about block jobs: completed, ready, cancelled, pending, with errors."""

from __future__ import annotations

from typing import Any

from qmpcheck.gate.expectations import QUIT, OneOf, Repeated, expected
from qmpcheck.gate.failure import FAILED, Failure
from qmpcheck.gate.machine import Machine
from qmpcheck.gate.scenario import STORAGE, Scenario, Stage
from qmpcheck.gate.scenarios.blocks import (
    BEGINS,
    ENDS,
    FAILS,
    SIZE,
    SUCCEEDS,
    blockdev,
    copied,
    copy,
    done,
    empty,
    failed,
    failing,
    not_copied,
    statuses,
)

_NODES = (*blockdev({**empty(), "node-name": "source"}), *blockdev({**empty(), "node-name": "target"}))
_BACKUP = {"job-id": "job0", "device": "source", "target": "target", "sync": "full"}

_SLOW = 1 << 30
"""Bytes of an image so large that a job has not copied it when it is cancelled; nothing stores them."""


def _completed(stage: Stage) -> None:
    with stage.bare(*_NODES) as vm:
        copy(vm, "source", "target")
        vm.wait("BLOCK_JOB_COMPLETED")


def _mirror(stage: Stage) -> None:
    with stage.bare(*_NODES) as vm:
        vm.command("blockdev-mirror", **_BACKUP)
        vm.wait("BLOCK_JOB_READY")
        _control(vm, "complete")
        vm.wait("BLOCK_JOB_COMPLETED")
        vm.wait("JOB_STATUS_CHANGE", status="null")


def _cancelled(stage: Stage) -> None:
    nodes = [{**empty(_SLOW), "node-name": name} for name in ("source", "target")]
    with stage.bare(*blockdev(nodes[0]), *blockdev(nodes[1])) as vm:
        # At a byte a second, the job still runs when it is cancelled.
        vm.command("blockdev-backup", **_BACKUP, speed=1)
        for verb in ("pause", "resume", "cancel"):
            _control(vm, verb)
        vm.wait("BLOCK_JOB_CANCELLED")
        vm.wait("JOB_STATUS_CHANGE", status="null")


def _pending(stage: Stage) -> None:
    by_hand = {"auto-finalize": False, "auto-dismiss": False}
    with stage.bare(*_NODES) as vm:
        vm.command("blockdev-backup", **_BACKUP, **by_hand)
        vm.wait("BLOCK_JOB_PENDING")
        vm.command("job-finalize", id="job0")
        vm.wait("BLOCK_JOB_COMPLETED")
        vm.wait("JOB_STATUS_CHANGE", status="concluded")
        vm.command("job-dismiss", id="job0")
        vm.wait("JOB_STATUS_CHANGE", status="null")


def _errors(stage: Stage) -> None:
    policies = ("report", "ignore", "stop")
    nodes = [blockdev(failing(f"source-{policy}", empty(), ("read", 5))) for policy in policies]
    nodes.append(blockdev({**empty(), "node-name": "target"}))
    with stage.bare(*(option for node in nodes for option in node)) as vm:
        for policy in policies:
            which: dict[str, Any] = {"device": f"source-{policy}", "on-source-error": policy}
            vm.command("blockdev-backup", **(_BACKUP | which))
            vm.wait("BLOCK_JOB_ERROR")
            if policy == "stop":
                _control(vm, "resume")
            vm.wait("BLOCK_JOB_COMPLETED")
            vm.wait("JOB_STATUS_CHANGE", status="null")


def _control(vm: Machine, verb: str) -> None:
    """Pause, resume, complete or cancel the job; before 3.0, only block jobs had commands for that."""
    if f"job-{verb}" in vm.commands:
        vm.retry(f"job-{verb}", id="job0")
    else:
        vm.retry(f"block-job-{verb}", device="job0")


def _create(stage: Stage) -> None:
    stage.file("disk.qcow2", b"")
    with stage.bare(*blockdev({"driver": "file", "filename": "disk.qcow2", "node-name": "disk0"})) as vm:
        options = {"driver": "qcow2", "file": "disk0", "size": SIZE}
        vm.command("blockdev-create", options=options, **{"job-id": "job0"})
        vm.wait("JOB_STATUS_CHANGE", status="concluded")
        _check(vm)
        vm.command("job-dismiss", id="job0")
        vm.wait("JOB_STATUS_CHANGE", status="null")


def _check(vm: Machine) -> None:
    """Fail if the job had an error, and say which, as its events do not: the disk may be full."""
    errors = [job["error"] for job in vm.command("query-jobs") if "error" in job]
    if errors:
        raise Failure(FAILED, f"job0: {errors[0]}")


_LENGTH = OneOf(0, SIZE)
"""Newer releases report one or the other, from run to run."""

_MIRRORED: dict[str, Any] = {
    "device": "job0",
    "type": "mirror",
    "len": _LENGTH,
    "offset": _LENGTH,
    "speed": 0,
}

SCENARIOS = (
    Scenario(
        "job-completed",
        "a backup runs to its end",
        (*copied(), QUIT),
        _completed,
        STORAGE,
    ),
    Scenario(
        "job-ready",
        "a mirror becomes ready, and is completed",
        (
            *BEGINS,
            *statuses("ready"),
            expected("BLOCK_JOB_READY", **_MIRRORED),
            Repeated(statuses("standby", "ready")),
            *SUCCEEDS,
            expected("BLOCK_JOB_COMPLETED", **_MIRRORED),
            *ENDS,
            QUIT,
        ),
        _mirror,
        STORAGE,
    ),
    Scenario(
        "job-cancelled",
        "a slow backup is paused, resumed and cancelled",
        (
            *BEGINS,
            *FAILS,
            expected("BLOCK_JOB_CANCELLED", device="job0", type="backup", len=_SLOW, speed=1),
            *ENDS,
            QUIT,
        ),
        _cancelled,
        STORAGE,
    ),
    Scenario(
        "job-pending",
        "a backup waits to be finalized, and to be dismissed",
        (
            *BEGINS,
            *SUCCEEDS,
            expected("BLOCK_JOB_PENDING", id="job0", type="backup"),
            done(offset=SIZE),
            *ENDS,
            QUIT,
        ),
        _pending,
        STORAGE,
    ),
    Scenario(
        "job-error",
        "backups cannot read their image: the error is reported, is ignored, and stops the job",
        (
            *not_copied(),
            *copied(failed("ignore")),
            *copied(failed("stop"), *statuses("paused", "running")),
            QUIT,
        ),
        _errors,
        STORAGE,
    ),
    Scenario(
        "job-create",
        "a job creates an image",
        (*BEGINS, *SUCCEEDS, *ENDS, QUIT),
        _create,
        STORAGE,
    ),
)
"""In the order of reports."""
