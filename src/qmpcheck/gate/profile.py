"""What a build must play and send, because the user demands it or an earlier build did it.

A profile is a JSON file that lists, for each scenario that a build played, the kinds of events that came.
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
    """What one build played, and which events came.

    Attributes:
        qemu: the version of the build.
        scenarios: the names of the scenarios that it played, each with the kinds of events that came.
    """

    qemu: str
    scenarios: dict[str, tuple[str, ...]]


class Demands(msgspec.Struct, frozen=True):
    """What must be played and sent.

    Attributes:
        scenarios: those that must be played, each with the reason in words.
        events: for each scenario, the kinds of events that must come.
        since: the version of the build that sent those events.
    """

    scenarios: Mapping[str, str] = {}
    events: Mapping[str, tuple[str, ...]] = {}
    since: str = ""

    def unmet(self, outcome: ScenarioOutcome, seen: Counter[str], missed: Iterable[str]) -> Iterator[Finding]:
        """The findings about demands that a scenario does not meet.

        Args:
            outcome: what playing it gave.
            seen: how many events of each name came.
            missed: the names of events that other findings already miss.
        """
        scenario = outcome.scenario.name
        who = self.scenarios.get(scenario)
        if outcome.skipped and who and outcome.failure:
            message = f"lost: lacks {outcome.failure.text}; {who}"
            yield Finding(SCENARIO_LOST, 0, message, file=scenario, kind=scenario)
        if outcome.failure is None:
            for event in self.events.get(scenario, ()):
                # An event that another finding misses already would be reported twice.
                if event not in seen and event not in missed:
                    message = f"not sent any more: QEMU {safe(self.since)} sent it"
                    yield Finding(EVENT_LOST, 0, message, name(event), file=scenario, kind=scenario)


def demands(profile: Profile | None, required: Iterable[str]) -> Demands:
    """The demands of a profile, if there is one, and those of a user who names scenarios."""
    named = dict.fromkeys(required, "it is required")
    if profile is None:
        return Demands(named)
    played = dict.fromkeys(profile.scenarios, f"QEMU {safe(profile.qemu)} played it")
    return Demands({**played, **named}, profile.scenarios, profile.qemu)


def load(path: str) -> Profile:
    """Read a profile from a file.

    Raises:
        SpecError: it cannot be read, or is no profile.
    """
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Profile)
    except OSError as error:
        raise SpecError(f"--profile {safe(path)}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"--profile {safe(path)} is no profile: {safe(str(error))}") from None


def save(path: str, qemu: str, played: Mapping[str, Iterable[str]]) -> None:
    """Write a profile of what a build of a version played: for each scenario, the kinds of events that came.

    Raises:
        OSError: it cannot be written.
    """
    profile = Profile(qemu, {scenario: tuple(sorted(events)) for scenario, events in played.items()})
    with atomicfile.replacing(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(profile), indent=1) + b"\n")
