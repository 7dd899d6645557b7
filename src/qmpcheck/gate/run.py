"""Playing scenarios, two at a time, so that nothing of them remains."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from qmpcheck.binary import ending_in_order
from qmpcheck.gate.build import Build
from qmpcheck.gate.machine import matches
from qmpcheck.gate.processes import Processes
from qmpcheck.gate.scenario import STORAGE, Expected, Outcome, Scenario
from qmpcheck.gate.stage import Stage
from qmpcheck.gate.trouble import FAILED, LACKS, Stopped, Trouble

AT_ONCE = 2
"""Scenarios that are played side by side."""


def run(build: Build, scenarios: Sequence[Scenario]) -> list[Outcome]:
    """Play scenarios on a build; their outcomes, in order."""
    processes = Processes()
    with ending_in_order(), ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return list(pool.map(lambda scenario: _play(build, scenario, processes), scenarios))
        finally:
            processes.close()
            pool.shutdown(wait=True, cancel_futures=True)


def _play(build: Build, scenario: Scenario, processes: Processes) -> Outcome:
    begin = time.monotonic()
    expects = tuple(_known(build, scenario.expects))
    trouble = _unplayable(build, scenario, expects)
    if trouble:
        return Outcome(scenario, (), (), trouble, 0.0)
    with tempfile.TemporaryDirectory(
        prefix="qmpcheck-", dir=_short_folder(), ignore_cleanup_errors=True
    ) as folder:
        stage = Stage(build, scenario, processes, folder)
        trouble = _trouble(stage, scenario, processes)
    recordings = tuple(sorted(stage.recordings, key=lambda each: each.name))
    seen = [event for recording in recordings for event in recording.events()]
    return Outcome(scenario, recordings, tuple(_missing(expects, seen)), trouble, time.monotonic() - begin)


_LONGEST = 64
"""Bytes of a folder's path with which a socket inside can still be named."""


def _short_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _LONGEST else "/tmp"  # noqa: S108 -- a private folder in it


def _unplayable(build: Build, scenario: Scenario, expects: Sequence[Expected]) -> Trouble | None:
    """Why the build cannot play it at all."""
    if not build.is_system and scenario.on != STORAGE:
        return Trouble(LACKS, "a machine")
    about = [each for each in scenario.expects if each.event != "SHUTDOWN"] or scenario.expects
    if not any(each.event == known.event for each in about for known in expects):
        return Trouble(LACKS, f"the event {about[0].event}")
    return None


def _known(build: Build, expects: Sequence[Expected]) -> Iterator[Expected]:
    """What is expected of a build: neither events nor members that it does not know."""
    for each in expects:
        if build.has(each.event):
            known = {member: value for member, value in each.where.items() if build.has(each.event, member)}
            yield msgspec.structs.replace(each, where=known)


def _trouble(stage: Stage, scenario: Scenario, processes: Processes) -> Trouble | None:
    try:
        scenario.play(stage)
    except Trouble as error:
        return error
    except Stopped:
        return Trouble(FAILED, "stopped")
    except Exception as error:  # what a QEMU may do to a client is without end
        return Trouble(FAILED, f"{type(error).__name__}: {error}")
    return Trouble(FAILED, "stopped") if processes.closed else None


def _missing(expects: Sequence[Expected], seen: list[dict[str, Any]]) -> Iterator[Expected]:
    """The expected events for which none is left of those seen."""
    left = list(seen)
    for each in expects:
        for message in left:
            if message["event"] == each.event and matches(message.get("data"), each.where):
                left.remove(message)
                break
        else:
            yield each
