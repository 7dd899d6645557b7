"""Play scenarios, two at a time, and leave no process and no file."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

from qmpcheck.gate.board import Setting
from qmpcheck.gate.boards import bare, choose
from qmpcheck.gate.build import Build
from qmpcheck.gate.expectations import events_of
from qmpcheck.gate.failure import CRASHED, FAILED, LACKS, STOPPED, Failure
from qmpcheck.gate.scenario import STORAGE, Scenario, ScenarioOutcome, Stage
from qmpcheck.interrupts import exit_on_signal
from qmpcheck.qmp.process import GroupClosed, NotStarted, ProcessGroup

AT_ONCE = 2
"""How many scenarios are played at a time: they mostly wait, and CI machines have two CPUs at least."""


class Played(NamedTuple):
    """The outcomes of playing scenarios.

    Attributes:
        outcomes: one for each scenario, in their order; after a signal, some were not played.
        stop: the exit status that a signal asks for; 0 if none came.
    """

    outcomes: list[ScenarioOutcome]
    stop: int = 0


class Progress(Protocol):
    """What is called while scenarios are played, from several threads."""

    def begins(self, scenario: Scenario) -> None:
        """Note that a scenario begins."""

    def ends(self, outcome: ScenarioOutcome) -> None:
        """Note that a scenario has ended."""


def run(build: Build, scenarios: Sequence[Scenario], progress: Progress | None = None) -> Played:
    """Play scenarios on a build. After a signal that asks to end, return what is known by then."""

    def play(scenario: Scenario) -> ScenarioOutcome:
        if progress:
            progress.begins(scenario)
        outcome = _play(build, scenario, group)
        if progress:
            progress.ends(outcome)
        return outcome

    stop = 0
    with exit_on_signal(), ProcessGroup(_short_folder()) as group, ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(play, scenario) for scenario in scenarios]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            stop = 128 + signal.SIGINT
        except SystemExit as asked:
            stop = int(asked.code or 0)
        finally:
            # This ends every process, so that the threads that wait for one go on, and end.
            group.close()
            pool.shutdown(wait=True, cancel_futures=True)
    stopped = Failure(STOPPED, "not played")
    ended = (None if future.cancelled() else future.result() for future in futures)
    outcomes = [
        outcome or ScenarioOutcome(scenario, (), stopped, 0.0)
        for scenario, outcome in zip(scenarios, ended, strict=True)
    ]
    return Played(outcomes, stop)


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
    if failure and failure.kind == STOPPED:
        recordings = ()  # their processes were killed at some moment, so they say nothing
    seconds = time.monotonic() - begin
    return ScenarioOutcome(scenario, recordings, failure, seconds, is_disk_full, stage.files)


_LONGEST = 56
"""The most bytes of a folder's path: the path of a socket in it must fit into 108 bytes."""


def _short_folder() -> str:
    """The folder for temporary files, or /tmp if its path is too long."""
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _LONGEST else "/tmp"  # noqa: S108 -- a private folder in it


def _setting(build: Build, scenario: Scenario) -> Setting:
    """The build and the board on which a scenario is played.

    Raises:
        Failure: the build lacks something that the scenario needs.
    """
    if not build.is_system and scenario.on != STORAGE:
        raise Failure(LACKS, "machines, as it is a storage daemon")
    # Any one of its own events will do: builds that lack some of them send the rest.
    names = [each.event for each in events_of(scenario.expects)]
    about = [name for name in names if name not in _COMMON] or names
    if not any(map(build.has, about)):
        raise Failure(LACKS, f"the event {about[0]}")
    return choose(build, scenario.needs) if scenario.needs else bare(build)


_COMMON = frozenset({"STOP", "RESUME", "RESET", "POWERDOWN", "SHUTDOWN"})
"""Events that every emulator has: they say nothing about what else a scenario needs, such as SPICE."""


def _failure(stage: Stage, scenario: Scenario, group: ProcessGroup) -> Failure | None:
    try:
        scenario.play(stage)
    except Failure as error:
        return Failure(STOPPED, "not played to its end") if group.is_closed else error
    except NotStarted as error:
        return Failure(CRASHED, f"it could not be started: {error}")
    except GroupClosed:
        return Failure(STOPPED, "not played")
    except Exception as error:  # a broken QEMU can do anything to its client
        return Failure(STOPPED if group.is_closed else FAILED, f"{type(error).__name__}: {error}")
    return Failure(STOPPED, "not played to its end") if group.is_closed else None
