"""How to play a scenario by hand: the command line of each of its processes, and what they are sent."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from qmpcheck.gate.scenario import ScenarioOutcome
from qmpcheck.text import safe, shortened
from qmpcheck.wording import plural

_MOST = 30
"""Commands that are written out; no scenario has as many."""


def steps(outcome: ScenarioOutcome, folder: str) -> Iterator[str]:
    """What to do, in lines that are safe to print; nothing if no process was started.

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
