"""Check recorded streams against a spec.

Each message is checked: JSON, timestamps, names, types, values, and which events must follow. Logs, such as
libvirt's, are read as they are; each VM in a log is a stream of its own. To check only one of them, let
`qmpcheck convert` write it.

Defaults for options, such as the spec, can be set in qmpcheck.toml, or under [tool.qmpcheck] in
pyproject.toml.

Exit status: 0 nothing found; 1 findings at least as bad as --fail-on; 2 a stream could not be read to
its end, or has no event; 130 interrupted.

Examples: qmpcheck validate stream.jsonl
          qmpcheck validate /var/log/libvirt/ --spec 10.0 --complete
          qmpcheck convert libvirtd.log --vm web01 | qmpcheck validate -
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Collection, Sequence
from typing import IO, TYPE_CHECKING

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.cli import arguments, baseline_option, notes, output, report_option, running, strictness
from qmpcheck.cli.arguments import AppendOverDefault
from qmpcheck.cli.messages import CLEAN, FINDINGS, INTERRUPTED, UNUSABLE, notify
from qmpcheck.codes import STREAM_CODES
from qmpcheck.finding import Finding
from qmpcheck.reports.formats import FOR_CI, PAGES
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.streams import formats, source
from qmpcheck.text import name, quoted, reason_of, safe
from qmpcheck.validation.file_streams import with_drift
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.spec_choice import AUTO
from qmpcheck.version import of_name
from qmpcheck.wording import alternatives, did_you_mean, plural

if TYPE_CHECKING:
    from qmpcheck.reports.fingerprint import Baseline
    from qmpcheck.specs.catalogue import Spec
    from qmpcheck.validation.spec_choice import Choice

CONFIGURED = ("spec", "select", "ignore", "severities", "assume", "rules", "within", "fail-on", "extra")
"""The options that a configuration file may set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "streams",
        nargs="+",
        metavar="STREAM",
        help="a recording or a log (compressed by gzip or Zstandard, or not), a folder of them, a URL such "
        "as 's3://bucket/2026/**/*.jsonl.zst', or - for standard input",
    )
    parser.add_argument(
        "--spec",
        default=AUTO,
        help="the spec to check by: a release, latest, v1 to v6, a revision, a path, or qemu:PATH (what that "
        "binary says about itself); see `qmpcheck specs`. The default is auto: for each stream the release "
        "that its greeting names, or without a greeting the newest one that fits",
    )
    formats.add_input(parser)
    parser.add_argument(
        "--format",
        choices=("text", "grouped", "full", "concise", "json"),
        default="text",
        help="how to print the report: text (the default) shows findings that repeat once, and of many "
        "streams only a summary; grouped shows every stream; full shows each finding with an excerpt of its "
        "line; concise prints one line for each; json is for programs",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print only the findings")
    arguments.add_terms(parser, STREAM_CODES)
    parser.add_argument(
        "--max-findings",
        type=arguments.whole_number,
        default=10_000,
        metavar="N",
        help="list at most N findings of each stream (default: 10000); the others are only counted",
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="the last session of each stream is over: report follow-ups that have not come as missing, not "
        "as pending",
    )
    parser.add_argument(
        "--assume",
        type=_option_name,
        action=AppendOverDefault,
        default=[],
        metavar="OPTION",
        help="an option that QEMU was started with, such as no-shutdown, on which follow-ups depend",
    )
    parser.add_argument(
        "--literal", action="store_true", help="report known errata of QEMU as errors, not as warnings"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="read a growing file, and report findings as lines arrive, until an interrupt",
    )
    output.add_output(parser)
    report_option.add_report(parser, (*FOR_CI, *PAGES, report_option.TABLES))
    baseline_option.add_baseline(parser)
    strictness.add_strict_spec(parser)
    running.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    if options.follow and len(options.streams) > 1:
        raise SpecError("--follow takes one stream")
    if options.follow and (options.join or options.state or options.cluster):
        raise SpecError("--follow reads one file as it grows: it takes no --join, --state or --cluster")
    if any(each.format == report_option.TABLES for each in options.reports):
        from qmpcheck.reports import parquet

        parquet.expect_installed()
    # First everything that can be wrong with the command line; nothing is written before that.
    known = baseline_option.load(options)
    read = [*options.streams, *options.rules, *filter(None, [options.spec])]
    baseline = [*filter(None, [options.baseline])]
    report_option.prepare(options.reports, read, baseline, options.format, options.output)
    spec = None if options.spec == AUTO else catalogue.find(options.spec)
    strictness.check(options, *([spec] if spec else []))
    _check_options(options)
    arguments.expect_events(options, *([spec.rule_base] if spec else []))
    checker = FileChecker(_recipe(options), spec, options.input, running.keeps_excerpts(options))
    if options.follow:
        return _follow(options, checker, known, spec)
    results = running.results(options, checker)
    # A mistyped path must not replace yesterday's report by an empty one.
    if all(result.unreadable and not result.lines for result in results):
        options = report_option.sparing_existing(options)
    accepted = baseline_option.accepted(options, results, known)
    with report_option.opened(options.output, options.reports) as out:
        _tell(options, notes.of(results, spec))
        _report(options, results, out, accepted)
    return max(_status(results, options, accepted), _reports(options, results, known))


def _check_options(options: argparse.Namespace) -> None:
    """Refuse what fits no spec, before each stream says that it does not fit its own.

    Raises:
        SpecError: a file of rules cannot be read, or no follow-up of any spec depends on an assumed option.
    """
    from qmpcheck.checking.temporal_rule import options_with_follow_ups

    if options.rules:
        from qmpcheck.checking import user_rules

        for path in options.rules:
            user_rules.names(path)
    # With a named spec, the recipe checks the option by that spec; with `auto`, no spec is known yet.
    for option in options.assume if options.spec == AUTO else ():
        if option not in options_with_follow_ups(catalogue.find("latest").rule_base):
            known = {
                each
                for entry in catalogue.entries()
                for each in options_with_follow_ups(catalogue.find(entry.id).rule_base)
            }
            if option not in known:
                hint = did_you_mean(option, sorted(known))
                expected = alternatives(sorted(map(name, known)))
                raise SpecError(
                    f"--assume: no follow-up depends on {quoted(option)}{hint}; expected {expected}"
                )


def _recipe(options: argparse.Namespace) -> Recipe:
    return msgspec.structs.replace(
        arguments.recipe(options, arguments.selected(options, STREAM_CODES)),
        max_findings=options.max_findings,
        assume=tuple(options.assume),
        literal=options.literal,
        extra=tuple(options.extra),
        complete=options.complete,
    )


def _reports(options: argparse.Namespace, results: Collection[StreamResult], known: Baseline | None) -> int:
    """Write the reports for CI and the baseline, and return the exit status."""
    status = _tables(options, results)
    if any(each.format != report_option.TABLES for each in options.reports):
        from qmpcheck.reports import streamsreport

        accepted = baseline_option.accepted(options, results, known)
        report = streamsreport.report(results, options.fail_on, accepted)
        status = max(status, report_option.write(options.reports, report))
    return max(
        status, baseline_option.close(options, results, known, arguments.selected(options, STREAM_CODES))
    )


def _tables(options: argparse.Namespace, results: Collection[StreamResult]) -> int:
    """Write the tables that `--report parquet=...` asks for, and return the exit status."""
    status = CLEAN
    for each in options.reports:
        if each.format == report_option.TABLES:
            from qmpcheck.reports import parquet

            try:
                parquet.write(results, each.path)
            except OSError as error:
                notify(f"{safe(each.path)}: {reason_of(error)}")
                status = UNUSABLE
    return status


def _follow(
    options: argparse.Namespace, checker: FileChecker, known: Baseline | None, spec: Spec | None
) -> int:
    from qmpcheck.validation.following import follow_file

    [path] = options.streams
    _expect_readable(path)
    printed: list[Finding] = []
    chosen: set[str] = set()
    with report_option.opened(options.output, options.reports, at_once=True) as out:

        def print_findings(
            choice: Choice, vm: str, findings: Sequence[Finding], overdue: Sequence[Finding]
        ) -> None:
            from qmpcheck.reports import streamstext, terminal

            for note in (f"{notes.label(path, vm)}: {choice.why}" if choice.why else "", choice.spec.note):
                if note and note not in chosen:
                    chosen.add(note)
                    notify(note)
            known_since = with_drift(findings, choice.spec)
            for finding in streamstext.new_findings((*known_since, *overdue), known):
                out.write(streamstext.finding_line(path, finding, terminal.painter(out), vm))
            out.flush()
            printed.extend(known_since[: options.max_findings - len(printed)])

        # JSON is one document, which is complete only at the end.
        at_once = None if options.format == "json" else print_findings
        results, interrupted = follow_file(checker, path, at_once, _notify_of_rotation)
        # What was printed at once is not in the list any more, but counts for the baseline and other reports.
        whole = [results[0]._replace(listed=(*printed, *results[0].listed), taken=Counter()), *results[1:]]
        accepted = baseline_option.accepted(options, whole, known)
        _tell(options, [note for note in notes.of(results, spec) if note not in chosen])
        _report(options, results, out, accepted)
    status = max(_status(whole, options, accepted), _reports(options, whole, known))
    return INTERRUPTED if interrupted else status


def _notify_of_rotation(path: str, lines: int) -> None:
    notify(f"{safe(path)} was replaced or emptied: its first line now counts as line {lines + 1}")


def _expect_readable(path: str) -> None:
    """Raise SpecError if a stream cannot be opened, before anything is written."""
    try:
        source.expect_readable(path)
    except source.Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def _report(
    options: argparse.Namespace,
    results: Collection[StreamResult],
    out: IO[str],
    known: Baseline | None,
) -> None:
    if options.format == "json":
        from qmpcheck.reports import jsonreport

        jsonreport.write(results, out)
        for result in results:
            more = result.unlisted.total()
            if more:  # the report has no place for it
                notify(f"{notes.label(result.path, result.vm)}: {plural(more, 'more finding')} not listed")
    else:
        if len(results) > _MANY and options.format == "text":
            from qmpcheck.reports import summary

            summary.write(results, out, known)
            return
        from qmpcheck.reports import streamstext

        layout = streamstext.GROUPED if options.format == "text" else options.format
        streamstext.write(results, out, known, layout, options.quiet)


def _tell(options: argparse.Namespace, about: Sequence[str]) -> None:
    for note in () if options.quiet else about:
        notify(note)


def _status(results: Collection[StreamResult], options: argparse.Namespace, known: Baseline | None) -> int:
    unchecked = 0
    for checked in results:
        if reason := checked.unchecked:
            unchecked += 1
            if unchecked <= _MOST_NAMED_UNCHECKED:
                notify(f"{notes.label(checked.path, checked.vm)}: {reason}{_if_spec(checked.path)}")
    if unchecked > _MOST_NAMED_UNCHECKED:
        notify(f"{plural(unchecked - _MOST_NAMED_UNCHECKED, 'stream')} more could not be checked")
    if unchecked:
        return UNUSABLE  # worse than findings: nobody knows what else there is
    return FINDINGS if any(_new(checked, options, known) for checked in results) else CLEAN


def _if_spec(path: str) -> str:
    """Return a hint for a stream that is the name of a release; "" for any other."""
    return f"; for the spec, write --spec {path}" if of_name(path) and not os.path.exists(path) else ""


_MANY = 100
"""With more streams than this, the report is a summary."""

_MOST_NAMED_UNCHECKED = 100
"""How many streams that could not be checked are named on standard error."""


def _new(checked: StreamResult, options: argparse.Namespace, known: Baseline | None) -> int:
    """Return how many findings fail the run."""
    if not known:
        return checked.count(options.fail_on)
    from qmpcheck.reports import baseline

    return baseline.new(checked, known, options.fail_on)


def _option_name(text: str) -> str:
    return text.lstrip("-")
