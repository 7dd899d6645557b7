"""What a build must play and send: as the user demands, or as an earlier build did.

A profile is a JSON file: for each scenario that was played, the kinds of events that it sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from qmpcheck import atomicfile
from qmpcheck.finding import Finding
from qmpcheck.gate.codes import EVENT_LOST, SCENARIO_LOST
from qmpcheck.gate.scenario import ScenarioOutcome
from qmpcheck.rulebase import SpecError
from qmpcheck.text import name, safe


class Profile(msgspec.Struct, frozen=True):
    """What one build played and sent.

    Attributes:
        qemu: its version.
        scenarios: the kinds of events of each scenario that it played, by name.
    """

    qemu: str
    scenarios: dict[str, tuple[str, ...]]


class Demands(msgspec.Struct, frozen=True):
    """What must be played and sent.

    Attributes:
        scenarios: those that must be played, each with who demands it, in words.
        events: for each scenario, the kinds of events that must come.
        since: the version of the build that sent them.
    """

    scenarios: Mapping[str, str] = {}
    events: Mapping[str, tuple[str, ...]] = {}
    since: str = ""

    def unmet(self, outcome: ScenarioOutcome, seen: Counter[str], missed: Iterable[str]) -> Iterator[Finding]:
        """What a scenario does not meet.

        Args:
            outcome: what playing it gave.
            seen: counts the events that came by name.
            missed: the names of those that are known to be missing.
        """
        scenario = outcome.scenario.name
        who = self.scenarios.get(scenario)
        if outcome.skipped and who and outcome.failure:
            message = f"lost: lacks {outcome.failure.text}; {who}"
            yield Finding(SCENARIO_LOST, 0, message, file=scenario, kind=scenario)
        if outcome.failure is None:
            for event in self.events.get(scenario, ()):
                if event not in seen and event not in missed:
                    message = f"not sent any more: QEMU {safe(self.since)} sent it"
                    yield Finding(EVENT_LOST, 0, message, name(event), file=scenario, kind=scenario)


def demands(profile: Profile | None, required: Iterable[str]) -> Demands:
    """The demands of a profile, and of a user who names scenarios."""
    named = dict.fromkeys(required, "it is required")
    if profile is None:
        return Demands(named)
    played = dict.fromkeys(profile.scenarios, f"QEMU {safe(profile.qemu)} played it")
    return Demands({**played, **named}, profile.scenarios, profile.qemu)


def load(path: str) -> Profile:
    """The profile in a file.

    Raises:
        SpecError: it cannot be read, or is none.
    """
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Profile)
    except OSError as error:
        raise SpecError(f"--profile {safe(path)}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"--profile {safe(path)} is no profile: {safe(str(error))}") from None


def save(path: str, qemu: str, played: Mapping[str, Iterable[str]]) -> None:
    """Write what a build played: for each scenario, the kinds of events that it sent.

    Raises:
        OSError: it cannot be written.
    """
    profile = Profile(qemu, {scenario: tuple(sorted(events)) for scenario, events in played.items()})
    with atomicfile.replacing(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(profile), indent=1) + b"\n")
