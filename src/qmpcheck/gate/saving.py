"""What is needed to repeat a scenario: its recordings in files, and the commands to enter by hand."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping

from qmpcheck import atomicfile
from qmpcheck.gate.build import Build
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome
from qmpcheck.text import safe, shortened
from qmpcheck.wording import plural


def save(folder: str, build: Build, outcomes: Iterable[ScenarioOutcome], failed: Collection[str]) -> None:
    """Write `NAME.jsonl`, `NAME.toml` and `NAME.qtest` for each recording of a process that sent anything.

    Args:
        folder: where they go.
        build: what was played on.
        outcomes: the scenarios, as they were played.
        failed: the names of those that failed; the files that their processes had go to `SCENARIO.files`.

    Raises:
        OSError: they cannot be written.
    """
    for outcome in outcomes:
        if outcome.scenario.name in failed and outcome.files:
            _write_files(os.path.join(folder, f"{outcome.scenario.name}.files"), outcome.files)
        for recording in outcome.recordings:
            # A process that sent nothing leaves nothing to look at.
            if not recording.data:
                continue
            path = os.path.join(folder, recording.name)
            with atomicfile.replacing(f"{path}.jsonl") as file:
                file.write(recording.data)
            with atomicfile.replacing(f"{path}.toml") as file:
                file.write("".join(_note(build, outcome.scenario, recording)).encode())
            if recording.qtest:
                with atomicfile.replacing(f"{path}.qtest") as file:
                    file.write("".join(f"{command}\n" for command in recording.qtest).encode())


def _write_files(folder: str, files: Mapping[str, bytes]) -> None:
    os.makedirs(folder, exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


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
    if recording.last_words:
        yield f"stderr = [{', '.join(map(_text, recording.last_words))}]\n"


def _text(text: str) -> str:
    """A string as JSON writes it, which is valid TOML, too."""
    return json.dumps(safe(text), ensure_ascii=False)


_MOST = 30
"""How many commands are written out; no scenario has as many."""


def by_hand(outcome: ScenarioOutcome, folder: str) -> Iterator[str]:
    """How to play a scenario by hand, in lines that are safe to print; none if no process was started.

    Args:
        outcome: what playing it gave.
        folder: where its recordings are kept; "" if they are not.
    """
    scenario = outcome.scenario.name
    if outcome.recordings and outcome.files:
        files = os.path.join(folder, f"{scenario}.files") if folder else "a folder of its own"
        yield f"in {safe(files)}, with {', '.join(map(safe, outcome.files))}:"
    for recording in outcome.recordings:
        yield safe(shlex.join(recording.command))
        for command in recording.commands[:_MOST]:
            yield f"    {safe(command)}"
        if recording.qtest:
            count, last = plural(len(recording.qtest), "command"), shortened(recording.qtest[-1])
            where = f" ({os.path.join(folder, recording.name)}.qtest)" if folder else ""
            yield safe(f"    and over qtest {count}{where}, the last: {last}")
