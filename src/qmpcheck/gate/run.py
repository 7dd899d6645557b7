"""Plays scenarios, two at a time, and leaves no process and no file behind."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from qmpcheck.gate.board import Setting
from qmpcheck.gate.boards.choice import bare, choose
from qmpcheck.gate.build import Build
from qmpcheck.gate.expectations import QUIT, events_of
from qmpcheck.gate.failure import CRASHED, FAILED, LACKS, Failure
from qmpcheck.gate.scenario import STORAGE, Scenario, ScenarioOutcome
from qmpcheck.gate.stage import Stage
from qmpcheck.qmp.interrupts import exit_on_signal
from qmpcheck.qmp.process import GroupClosed, NotStarted, ProcessGroup

AT_ONCE = 2
"""Scenarios that are played side by side."""


def run(build: Build, scenarios: Sequence[Scenario]) -> list[ScenarioOutcome]:
    """Play scenarios on a build; their outcomes, in order."""
    with exit_on_signal(), ProcessGroup(_short_folder()) as group, ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return list(pool.map(lambda scenario: _play(build, scenario, group), scenarios))
        finally:
            group.close()
            pool.shutdown(wait=True, cancel_futures=True)


def _play(build: Build, scenario: Scenario, group: ProcessGroup) -> ScenarioOutcome:
    begin = time.monotonic()
    try:
        setting = _setting(build, scenario)
    except Failure as lacks:
        return ScenarioOutcome(scenario, (), lacks, 0.0)
    with tempfile.TemporaryDirectory(prefix="", dir=group.folder, ignore_cleanup_errors=True) as folder:
        stage = Stage(setting, group, folder, scenario.name, scenario.seconds)
        failure = _failure(stage, scenario, group)
        is_disk_full = os.statvfs(folder).f_bavail == 0
    recordings = tuple(sorted(stage.recordings, key=lambda each: each.name))
    return ScenarioOutcome(scenario, recordings, failure, time.monotonic() - begin, is_disk_full)


_LONGEST = 56
"""Bytes of a folder's path with which a socket inside can still be named."""


def _short_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _LONGEST else "/tmp"  # noqa: S108 -- a private folder in it


def _setting(build: Build, scenario: Scenario) -> Setting:
    """What it is played on.

    Raises:
        Failure: the build cannot play it at all.
    """
    if not build.is_system and scenario.on != STORAGE:
        raise Failure(LACKS, "a machine")
    names = [each.event for each in events_of(scenario.expects)]
    about = [name for name in names if name != QUIT.event] or names
    if not any(map(build.has, about)):
        raise Failure(LACKS, f"the event {about[0]}")
    return choose(build, scenario.needs) if scenario.needs else bare(build)


def _failure(stage: Stage, scenario: Scenario, group: ProcessGroup) -> Failure | None:
    try:
        scenario.play(stage)
    except Failure as error:
        return error
    except NotStarted as error:
        return Failure(CRASHED, f"it cannot be started: {error}")
    except GroupClosed:
        return Failure(FAILED, "stopped")
    except Exception as error:  # what a QEMU may do to a client is without end
        return Failure(FAILED, f"{type(error).__name__}: {error}")
    return Failure(FAILED, "stopped") if group.is_closed else None
