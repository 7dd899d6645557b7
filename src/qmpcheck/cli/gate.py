"""Make a QEMU send events, without a guest system and without KVM, and check them against a spec.

It reports what is wrong with the events, events that did not come, crashes and hangs, and differences from
the release that break clients (risky ones are warnings).

Exit status: 0 the build is as expected; 1 findings at least as bad as --fail-on; 2 the QEMU cannot be run, or
nothing could be checked; 130 interrupted.

Defaults can be set in qmpcheck.toml, or under [tool.qmpcheck] in pyproject.toml; assume is ignored there,
because each scenario knows the options of its QEMU.

Example: qmpcheck gate --qemu ./build/qemu-system-x86_64 --report junit=gate.xml
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from qmpcheck.cli import arguments, baseline_option, output, report_option, strictness
from qmpcheck.cli.messages import CLEAN, FINDINGS, UNUSABLE, notify
from qmpcheck.gate import build as builds
from qmpcheck.gate import profile as profiles
from qmpcheck.gate import saving
from qmpcheck.gate.build import Build
from qmpcheck.gate.codes import OF_GATE
from qmpcheck.gate.judge import Verdict, judge
from qmpcheck.gate.profile import Demands
from qmpcheck.gate.run import Played
from qmpcheck.gate.run import run as play
from qmpcheck.gate.scenario import Scenario
from qmpcheck.gate.scenarios import ALL
from qmpcheck.qmp.introspect import Unanswered
from qmpcheck.reports import gatereport, gatetext
from qmpcheck.reports.fingerprint import Baseline
from qmpcheck.reports.report import Report
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.specs.extra import extended
from qmpcheck.text import quoted, safe
from qmpcheck.wording import did_you_mean

CONFIGURED = ("spec", "select", "ignore", "severities", "rules", "within", "fail-on", "extra")
"""What `qmpcheck.toml` may set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--qemu", metavar="PATH", help="the QEMU to test: a system emulator, or a storage daemon"
    )
    parser.add_argument(
        "--spec",
        default="auto",
        help="the spec to check events by, as for `qmpcheck validate`; auto (the default) is the release of "
        "the binary's version. With any spec, what the binary sends beyond its own introspection is an error",
    )
    metavar = "NAME[,NAME...]"
    parser.add_argument(
        "--only",
        type=_names,
        action="extend",
        metavar=metavar,
        help="play only these scenarios; * matches any characters",
    )
    parser.add_argument(
        "--skip",
        type=_names,
        action="extend",
        default=[],
        metavar=metavar,
        help="do not play these scenarios",
    )
    parser.add_argument(
        "--require",
        type=_required,
        action="extend",
        default=[],
        metavar="NAME[,NAME...]|all",
        help="report an error (QMP410) if one of these scenarios is skipped",
    )
    parser.add_argument("--fail-on-skipped", action="store_true", help="the same as --require all")
    parser.add_argument(
        "--profile",
        metavar="FILE",
        help="report an error (QMP410, QMP411) for each scenario and event of this profile that is missing",
    )
    parser.add_argument(
        "--save-profile",
        metavar="FILE",
        help="if nothing failed, write a profile: what was played, and which events came",
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios instead")
    parser.add_argument(
        "--save",
        metavar="DIR",
        help="keep all recordings in this folder, and replace those of the same names (default: keep only "
        "those of scenarios that failed, in a folder that the report names)",
    )
    arguments.add_terms(parser, OF_GATE)
    report_option.add_report(parser)
    baseline_option.add_baseline(parser)
    strictness.add_strict_spec(parser)


def run(options: argparse.Namespace) -> int:
    scenarios = tuple(_chosen(options.only, options.skip))
    if options.list:
        gatetext.write_list(scenarios, sys.stdout)
        return CLEAN
    if not options.qemu:
        raise SpecError("--qemu PATH is missing: the QEMU to run")
    if options.update_baseline and (options.only is not None or options.skip):
        raise SpecError("--update-baseline needs all scenarios: it does not go with --only or --skip")
    codes = arguments.selected(options, OF_GATE)
    known = baseline_option.load(options)
    demands = _demands(options, scenarios)
    inputs = [builds.located(options.qemu), options.spec, *options.rules, *filter(None, [options.profile])]
    outputs = [*filter(None, [options.baseline, options.save_profile])]
    report_option.prepare(options.reports, inputs, outputs)
    output.expect_writable(options.save_profile, "--save-profile ")
    # A run takes minutes, so whatever can be wrong with the command line is checked before it.
    verdict, stop = _verdict(options, scenarios, codes, demands)
    report = gatereport.report(verdict, options.fail_on, known)
    kept, folder = _save_recordings(options, verdict, gatereport.failed(report))
    saved = _save_profile(options, verdict, report)
    reported = _report(options, verdict, known, folder)
    return stop or max(kept, saved, reported)  # an interrupted run is never a clean one


def _demands(options: argparse.Namespace, scenarios: Sequence[Scenario]) -> Demands:
    """Return the scenarios and events that the options demand.

    Raises:
        SpecError: the profile cannot be read, or --only or --skip leave out what is required.
    """
    names = [each.name for each in scenarios]
    required = [name for name in options.require if name != ALL_CHOSEN]
    left_out = [name for name in required if name not in names]
    if left_out:
        raise SpecError(f"--require {left_out[0]}: --only or --skip leave it out")
    if options.fail_on_skipped or ALL_CHOSEN in options.require:
        required = names
    profile = profiles.load(options.profile) if options.profile else None
    for name in profile.scenarios if profile else ():
        if name not in [each.name for each in ALL]:
            reason = f"{safe(options.profile)}: no scenario is called {quoted(name)}; save the profile anew"
            raise SpecError(reason)
        if name not in names:
            raise SpecError(f"--profile: --only or --skip leave out {name}, which the profile demands")
    return profiles.demands(profile, required)


def _verdict(
    options: argparse.Namespace, scenarios: Sequence[Scenario], codes: frozenset[str], demands: Demands
) -> tuple[Verdict, int]:
    """Play the scenarios, and judge what the build sent.

    Returns:
        The verdict, and the exit status of the signal that stopped the run; 0 if none did.

    Raises:
        SpecError: they cannot be played, there is no spec to judge them by, or no folder for the recordings.
    """
    with _reporting_failure(options):
        build = _identified(options.qemu)
    spec = _choose_spec(options.spec, build)
    strictness.check(options, spec)
    arguments.expect_events(options, spec.rule_base)
    spec = msgspec.structs.replace(spec, rule_base=extended(spec.rule_base, options.extra))
    recipe = msgspec.structs.replace(arguments.recipe(options, codes), extra=tuple(options.extra))
    recipe.checker(spec)  # a mistake in an option is found before anything runs
    if options.save is not None:
        _make_folder(options.save)
    with _reporting_failure(options):
        played = _play(build, scenarios)
        verdict = judge(build, spec, played.outcomes, recipe, demands)
        _check_disk(verdict)
    return verdict, played.stop


@contextmanager
def _reporting_failure(options: argparse.Namespace) -> Iterator[None]:
    """Write to all reports why a build cannot be judged, if the block raises that."""
    try:
        yield
    except SpecError as error:
        report_option.write(options.reports, gatereport.unplayed(options.qemu, options.spec, str(error)))
        raise


def _report(options: argparse.Namespace, verdict: Verdict, known: Baseline | None, folder: str) -> int:
    """Report what was found, and return the exit status."""
    report = gatereport.report(verdict, options.fail_on, known, folder)
    updates = options.update_baseline and not report.unchecked
    if updates:
        report = gatereport.report(verdict, options.fail_on, baseline_option.of_report(report), folder)
    with report_option.opened(None, options.reports) as out:
        gatetext.write(verdict, report, out)
    status = report_option.write(options.reports, report)
    if updates:
        baseline_option.update(options, report, known or frozenset())
    elif known and options.only is None and not options.skip and not report.unchecked:
        baseline_option.notify_of_gone(known, baseline_option.of_report(report), verdict.recipe.codes)
    if gatereport.failed(report):
        return max(status, FINDINGS)
    if report.unchecked:
        if not verdict.events:
            notify("nothing was checked: no scenario could be played")
        return UNUSABLE
    return status


def _identified(path: str) -> Build:
    try:
        return builds.ask(path)
    except Unanswered as error:
        reason = str(error)
        if os.path.isdir(path):
            reason = "it is a folder"
        elif os.path.basename(path) == path and not shutil.which(path):
            reason = "it is not on PATH"
        raise SpecError(f"cannot run {safe(path)}: {reason}") from None


def _choose_spec(name: str, build: Build) -> Spec:
    """Return the spec to check events by; of `auto`, that of the build's version."""
    if name != "auto":
        return catalogue.find(name)
    spec = catalogue.of_version(build.version)
    if spec.note:
        notify(spec.note)
    return spec


def _play(build: Build, scenarios: Sequence[Scenario]) -> Played:
    from qmpcheck.cli.gateprogress import shown

    try:
        with shown(len(scenarios)) as progress:
            played = play(build, scenarios, progress)
    except OSError as error:
        raise SpecError(f"cannot make a folder for the scenarios: {error.strerror}") from None
    if played.stop:
        notify(
            f"interrupted: {sum(each.was_stopped for each in played.outcomes)} of {len(scenarios)} not played"
        )
    return played


def _check_disk(verdict: Verdict) -> None:
    """Refuse to judge if a scenario failed because the disk was full, which is no fault of the build.

    Raises:
        SpecError: one did.
    """
    for judged in verdict.judged:
        if reason := judged.full_disk:
            name = judged.outcome.scenario.name
            raise SpecError(f"the disk is full, so nothing can be said about the build; {name}: {reason}")


ALL_CHOSEN = "all"


def _required(text: str) -> list[str]:
    return [ALL_CHOSEN] if text == ALL_CHOSEN else _names(text)


def _names(text: str) -> list[str]:
    """Return the scenarios that a list of names and patterns means, by name."""
    known = [scenario.name for scenario in ALL]
    matching: list[str] = []
    for pattern in text.split(","):
        found = fnmatch.filter(known, pattern)
        if not found:
            hint = did_you_mean(pattern, known)
            raise argparse.ArgumentTypeError(f"no scenario is called {quoted(pattern)}{hint}; see --list")
        matching += found
    return matching


def _chosen(only: Sequence[str] | None, skip: Sequence[str]) -> list[Scenario]:
    chosen = [each for each in ALL if (only is None or each.name in only) and each.name not in skip]
    if not chosen:
        raise SpecError("--only and --skip leave no scenario")
    return chosen


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise SpecError(f"--save {safe(folder)}: {error.strerror}") from None


def _save_recordings(options: argparse.Namespace, verdict: Verdict, failed: Sequence[str]) -> tuple[int, str]:
    """Keep all recordings, or those of what failed; return the exit status and the folder."""
    folder = options.save
    # A rare failure may not happen again: without its recording, nobody could look into it.
    outcomes = [judged.outcome for judged in verdict.judged]
    if folder is None:
        outcomes = [each for each in outcomes if each.scenario.name in failed and each.recordings]
        if not outcomes:
            return CLEAN, ""
    try:
        if folder is None:
            folder = tempfile.mkdtemp(prefix=KEPT)
        saving.save(folder, verdict.build, outcomes, failed)
    except OSError as error:
        if options.save is None:
            notify(f"the recordings of what failed are not kept: {error.strerror}")
            return CLEAN, ""
        notify(f"--save {safe(folder)}: {error.strerror}")
        return UNUSABLE, ""
    return CLEAN, folder


KEPT = "qmpcheck-gate-failed-"
"""The prefix of the folder in which the recordings of what failed are kept."""


def _save_profile(options: argparse.Namespace, verdict: Verdict, report: Report) -> int:
    """Save what the build played and sent, if the user asked for that, and return the exit status."""
    if not options.save_profile:
        return CLEAN
    # Later builds would have to send no more than this one.
    if report.unchecked or gatereport.failed(report):
        notify(f"--save-profile {safe(options.save_profile)}: not written, as the build failed")
        return CLEAN
    to_their_end = [each for each in verdict.judged if each.outcome.failure is None]
    played = {each.outcome.scenario.name: each.seen for each in to_their_end}
    try:
        profiles.save(options.save_profile, str(verdict.build.version), played)
    except OSError as error:
        notify(f"--save-profile {safe(options.save_profile)}: {error.strerror}")
        return UNUSABLE
    return CLEAN
