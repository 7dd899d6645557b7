"""Recordings kept in files, each with a note of where it came from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from qmpcheck import atomicfile
from qmpcheck.gate.build import Build
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome
from qmpcheck.text import safe


def save(folder: str, build: Build, outcomes: Iterable[ScenarioOutcome]) -> None:
    """Write `NAME.jsonl` and `NAME.toml` for each recording of a process that sent anything."""
    for outcome in outcomes:
        for recording in outcome.recordings:
            if not recording.data:
                continue
            path = os.path.join(folder, recording.name)
            with atomicfile.replacing(f"{path}.jsonl") as file:
                file.write(recording.data)
            with atomicfile.replacing(f"{path}.toml") as file:
                file.write("".join(_note(build, outcome.scenario, recording)).encode())


def _note(build: Build, scenario: Scenario, recording: MachineRecording) -> Iterator[str]:
    yield f"qemu = {_text(str(build.version))}\n"
    yield "command = [\n"
    for option in (os.path.basename(recording.command[0]), *recording.command[1:]):
        yield f"  {_text(option)},\n"
    yield "]\n"
    yield f"scenario = {_text(scenario.purpose)}\n"
    kinds = dict.fromkeys(message["event"] for message in recording.events())
    yield f"events = [{', '.join(map(_text, kinds))}]\n"
    yield f"ended = {str(recording.ended).lower()}\n"


def _text(text: str) -> str:
    """A string as both JSON and TOML write it."""
    return json.dumps(safe(text), ensure_ascii=False)
