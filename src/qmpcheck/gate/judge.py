"""Judge a build: check its events, find those that did not come, and compare the build with the spec."""

from __future__ import annotations

import errno
import functools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from qmpcheck.checking.checker import Checker
from qmpcheck.checking.result import Selection, StreamResult
from qmpcheck.checking.temporal_rule import options_with_follow_ups
from qmpcheck.codes import CODES, RULE_CODES, Severity
from qmpcheck.drift.availability import availability_for
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.finding import Finding
from qmpcheck.gate.build import Build
from qmpcheck.gate.codes import NOT_SEEN, OF_GATE
from qmpcheck.gate.failure import is_full
from qmpcheck.gate.fault import faults
from qmpcheck.gate.profile import Demands
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import one_line
from qmpcheck.validation.recipe import Recipe

NONE = Demands()
"""Nothing is demanded."""

FOR_BUILDS = Recipe(codes=OF_GATE)
"""How a build's events are checked if the user asks for nothing else."""


class Judged(NamedTuple):
    """A scenario that was judged.

    Attributes:
        outcome: the outcome of playing it.
        checked: two results for each recording: by the spec, and by what the build says about itself.
        faults: what else was found: by the gate itself, and by demands that are not met.
        seen: how many events of each name came.
    """

    outcome: ScenarioOutcome
    checked: tuple[StreamResult, ...]
    faults: tuple[Finding, ...]
    seen: Counter[str]

    @property
    def errors(self) -> int:
        """How many findings of the checks are errors."""
        return sum(checked.count(Severity.ERROR) for checked in self.checked)

    @property
    def is_well(self) -> bool:
        """Whether it was skipped, or played to its end without an error."""
        ended = self.outcome.failure is None or self.outcome.skipped
        return ended and not self.errors and all(each.severity < Severity.ERROR for each in self.faults)

    @property
    def full_disk(self) -> str:
        """The message that the disk is full, if something went wrong and one says so; "" otherwise."""
        outcome = self.outcome
        lines = {each.name: each.data.split(b"\n") for each in outcome.recordings}
        raw = [lines[fault.file][fault.line - 1] for fault in self.faults if fault.line]
        said = [
            outcome.failure.text if outcome.failure else "",
            *(line.decode(errors="replace").strip() for line in raw),
        ]
        if outcome.is_disk_full:
            said.append(f"its folder: {os.strerror(errno.ENOSPC)}")
        found = next(filter(is_full, said), "")
        return "" if self.is_well else one_line(found)


class Verdict(NamedTuple):
    """All that is known about a build.

    Attributes:
        build: the build.
        spec: the spec that its events were checked against.
        judged: the scenarios, in the order of reports.
        changes: how its introspection differs from the spec, or from the release `since`.
        recipe: how it was checked.
        since: the last release before a build of no release, from which it may differ; None for other builds.
    """

    build: Build
    spec: Spec
    judged: tuple[Judged, ...]
    changes: tuple[Change, ...]
    recipe: Recipe
    since: Spec | None = None

    @property
    def events(self) -> int:
        """How many events were checked."""
        return sum(each.seen.total() for each in self.judged)


def judge(
    build: Build,
    spec: Spec,
    outcomes: Sequence[ScenarioOutcome],
    recipe: Recipe = FOR_BUILDS,
    demands: Demands = NONE,
) -> Verdict:
    """Check what a build sent, and compare its introspection with the spec.

    Args:
        build: the build.
        spec: the spec that its events are checked against.
        outcomes: the outcomes of playing the scenarios.
        recipe: how to check its events; scenarios add the options that they give to QEMU.
        demands: what must be played and sent.
    """
    # A storage daemon never sends the SHUTDOWN that this rule expects after `quit`.
    ignored = recipe.ignored if build.is_system else recipe.ignored | {"quit-may-shut-down"}
    of_streams = msgspec.structs.replace(recipe, ignored=ignored)
    by_spec = functools.cache(functools.partial(_checker, spec, of_streams))
    by_build = _checker_by_build(build, recipe)
    drift = availability_for(spec.id, spec.newer)

    def checked(recording: MachineRecording, scenario: Scenario) -> Iterator[StreamResult]:
        by_release, beside = _apart(
            by_spec(scenario.assumes).check(recording.data, recording.ended), by_build.check(recording.data)
        )
        if not recording.ended:
            by_release = _without_pending(by_release)
        yield by_release._replace(path=recording.name, listed=drift.with_drift(by_release.listed))
        yield beside._replace(path=recording.name)

    judged = tuple(_judged(build, each, checked, recipe, demands) for each in outcomes)
    since = _release_before(build, spec)
    changes = _changes(build, (since or spec).rule_base, recipe.selection)
    return Verdict(build, spec, judged, changes, recipe, since)


def _without_pending(result: StreamResult) -> StreamResult:
    """The result without what was still to come as the process crashed or was killed, which is a finding."""
    counts = Counter({kind: number for kind, number in result.counts.items() if kind.code != _PENDING})
    listed = tuple(finding for finding in result.listed if finding.code != _PENDING)
    return result._replace(counts=counts, listed=listed)


_PENDING, _MISSING = RULE_CODES["pending"], RULE_CODES["missing"]


def _checker(spec: Spec, recipe: Recipe, given: tuple[str, ...]) -> Checker:
    """A checker for scenarios that give QEMU those options; the spec may know only some of them."""
    known = options_with_follow_ups(spec.rule_base)
    assume = tuple(option for option in given if option in known)
    return msgspec.structs.replace(recipe, assume=assume).checker(spec)


def _judged(
    build: Build,
    outcome: ScenarioOutcome,
    checked: Callable[[MachineRecording, Scenario], Iterable[StreamResult]],
    recipe: Recipe,
    demands: Demands,
) -> Judged:
    results = tuple(
        result for recording in outcome.recordings for result in checked(recording, outcome.scenario)
    )
    seen = Counter(message["event"] for recording in outcome.recordings for message in recording.events())
    found = [*faults(build, outcome, recipe.severities)]
    missed = {each.event for each in found}
    found = [each for each in found if not _is_known(each, results)]
    found += (
        msgspec.structs.replace(each, level=recipe.severities.get(each.code, each.severity))
        for each in demands.unmet(outcome, seen, missed)
    )
    counts = recipe.selection.has
    wanted = tuple(each for each in found if counts(each.code, each.event, each.rule))
    return Judged(outcome, results, wanted, seen)


def _release_before(build: Build, spec: Spec) -> Spec | None:
    """The last release before a build of no release; None for a release, or if the user named a spec."""
    version = build.version
    is_between = version.is_development and not version.is_candidate
    if (spec.newer or is_between) and spec.name == catalogue.of_version(version).name:
        return catalogue.at_or_before(version)
    return None


def _is_known(fault: Finding, results: Iterable[StreamResult]) -> bool:
    """Whether the checker has found why an event was not seen: it has an error, or a rule misses it."""
    if fault.code != NOT_SEEN:
        return False
    findings = (finding for result in results if result.path == fault.file for finding in result.listed)
    return any(
        finding.severity is Severity.ERROR
        and (
            (finding.line == fault.line and finding.code.startswith("QMP2"))
            or (not fault.line and finding.code == _MISSING and fault.event in _NAME.findall(finding.rule))
        )
        for finding in findings
    )


_NAME = re.compile(r"\w+")


def _changes(build: Build, rule_base: RuleBase, selection: Selection) -> tuple[Change, ...]:
    """The changes from the spec to the build, as far as the user selects them."""
    if not build.is_system:
        rule_base = _of_the_same_files(rule_base, build.rule_base)
    changes = compare(rule_base, build.rule_base)
    return tuple(each for each in changes if selection.has(each.code, each.event, ""))


def _of_the_same_files(rule_base: RuleBase, build: RuleBase) -> RuleBase:
    """The spec's rules from the schema files that a storage daemon has events of."""
    files = {rule.file for event, rule in rule_base.events.items() if event in build.events}
    events = {event: rule for event, rule in rule_base.events.items() if rule.file in files}
    return msgspec.structs.replace(rule_base, events=events)


# What a build sends beyond its own introspection
#
# A build is checked by the spec of its release, or by the newest spec if there is none. It must also keep to
# what it says about itself, because clients that send `query-qmp-schema` rely on that. If both checks find
# something in one place, it is one finding.

_DECLARED = frozenset(code for code, each in CODES.items() if each.evidence)
"""What introspection can say: events, members, types and values."""


def _checker_by_build(build: Build, recipe: Recipe) -> Checker:
    """A checker by what a build says about itself; rules over time are left to the spec of the release.

    Args:
        build: the build.
        recipe: how its events are checked by the spec.
    """
    only = msgspec.structs.replace(
        recipe,
        codes=recipe.codes & _DECLARED,
        rules=(),
        command_rules="none",
        selected=frozenset(),
        assume=(),
    )
    name = f"qemu:{build.path}"
    return only.checker(Spec(name, name, build.rule_base))


def _apart(by_spec: StreamResult, by_build: StreamResult) -> tuple[StreamResult, StreamResult]:
    """The two results of one recording, with each place in only one of them: the worse, or else the first.

    What a known erratum excuses is also excused if the introspection says the same as the spec.

    Args:
        by_spec: the result by the spec of the release.
        by_build: the result by the build's own introspection.
    """
    known: dict[_Place, list[Finding]] = {}
    for finding in by_spec.listed:
        known.setdefault(_place(finding), []).append(finding)
    same = {finding for finding in by_build.listed if _place(finding) in known}
    worse = {
        finding
        for finding in same
        if all(each.severity < finding.severity and not each.erratum for each in known[_place(finding)])
    }
    milder = {finding for each in worse for finding in known[_place(each)]}
    left = by_build.without(same - worse)
    explained = (
        msgspec.structs.replace(each, message=f"{each.message} (by its own introspection)")
        for each in left.listed
    )
    return by_spec.without(milder), left._replace(listed=tuple(explained))


_Place = tuple[int, str, KeyPath]


def _place(finding: Finding) -> _Place:
    return finding.line, finding.event, finding.path
