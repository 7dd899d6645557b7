"""Hold recorded streams against a spec.

The spec, and other defaults, may stand in qmpcheck.toml, or under [tool.qmpcheck] in pyproject.toml.

Exit status: 0 nothing found; 1 findings at least as bad as --fail-on; 2 a stream could not be read to
its end, or held no event; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, Any

from qmpcheck import catalogue
from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.files import check_files, follow_file
from qmpcheck.checking.result import StreamResult
from qmpcheck.checking.temporal_rule import assumed_options
from qmpcheck.cli import arguments, baselines, output, reporting
from qmpcheck.cli.arguments import Several
from qmpcheck.cli.messages import tell
from qmpcheck.cli.status import CLEAN, FINDINGS, INTERRUPTED, UNUSABLE
from qmpcheck.diagnostic import STREAM_CODES, Diagnostic
from qmpcheck.printable import safe
from qmpcheck.reports import verdict
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import source
from qmpcheck.wording import plural

if TYPE_CHECKING:
    from qmpcheck.reports.fingerprint import Baseline
    from qmpcheck.streams.blocks import Advance

CONFIGURED = ("spec", "select", "ignore", "severities", "assume", "rules", "within", "fail-on")
"""What a configuration file may set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "streams", nargs="+", metavar="STREAM", help="JSONL, plain, .gz or .zst; - is standard input"
    )
    parser.add_argument(
        "--spec",
        help="a release, latest, v1 to v6, a revision, a path, qemu:PATH (what that binary says of itself), "
        "or auto (the release that the streams' greetings name, or that fits them); see `qmpcheck specs`",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the report")
    arguments.add_terms(parser, STREAM_CODES)
    parser.add_argument(
        "--max-findings",
        type=_count,
        default=10_000,
        metavar="N",
        help="list the first N of each stream (10000); all count",
    )
    parser.add_argument(
        "--complete", action="store_true", help="the streams' last sessions are over: nothing is pending"
    )
    parser.add_argument(
        "--assume",
        action=Several,
        default=[],
        metavar="OPTION",
        help="QEMU was given it, such as no-shutdown",
    )
    parser.add_argument(
        "--literal", action="store_true", help="hold QEMU to its spec where it is known not to keep it"
    )
    parser.add_argument("--follow", action="store_true", help="tell findings as lines arrive")
    output.add_output(parser)
    reporting.add_report(parser)
    baselines.add_baseline(parser)
    parser.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="check large plain files with N processes"
    )


def run(options: argparse.Namespace) -> int:
    if options.follow and len(options.streams) > 1:
        raise SpecError("--follow takes one stream")
    known = baselines.load(options)
    inputs = [*options.streams, *options.rules, *filter(None, [options.spec])]
    baseline = [*filter(None, [options.baseline])]
    reporting.prepare(options.reports, inputs, baseline, options.format, options.output)
    spec = _spec(options)
    checker = _checker(spec, options)
    if options.follow:
        return _follow(options, checker, spec, known)
    with _progress(options.streams) as advance:
        results = check_files(checker, options.streams, advance, options.jobs, options.complete)
    if all(checked.unreadable and not checked.lines for checked in results):
        options = reporting.sparing_existing(options)
    results = [_with_drift(checked, spec) for checked in results]
    accepted = baselines.accepted(options, results, known)
    with reporting.opened(options.output, options.reports) as out:
        _report(options.format, results, spec, out, accepted)
    return max(_status(results, options, accepted), _beside(options, results, spec, known))


def _beside(
    options: argparse.Namespace,
    results: Sequence[StreamResult],
    spec: catalogue.Spec,
    known: Baseline | None,
) -> int:
    """The reports for CI, and the baseline; the exit status."""
    status = CLEAN
    if options.reports:
        from qmpcheck.reports import streamsreport

        accepted = baselines.accepted(options, results, known)
        report = streamsreport.report(results, spec, options.fail_on, accepted)
        status = reporting.write(options.reports, report)
    return max(status, baselines.close(options, results, known, arguments.selected(options, STREAM_CODES)))


def _with_drift(checked: StreamResult, spec: catalogue.Spec) -> StreamResult:
    """The result with what other releases say of its findings; a clean one needs none of them."""
    return checked._replace(listed=_drifted(checked.listed, spec))


def _drifted(findings: Sequence[Diagnostic], spec: catalogue.Spec) -> tuple[Diagnostic, ...]:
    if not findings:
        return ()
    from qmpcheck.drift import elsewhere

    return elsewhere.of(spec.id).with_drift(findings)


def _spec(options: argparse.Namespace) -> catalogue.Spec:
    if options.spec is None:
        raise SpecError("no spec: name one with --spec, or as `spec` in qmpcheck.toml")
    if options.spec != "auto":
        return catalogue.find(options.spec)
    from qmpcheck.cli import auto

    return auto.spec_of_beginning(*options.streams) if options.follow else auto.spec(options.streams)


def _follow(
    options: argparse.Namespace, checker: Checker, spec: catalogue.Spec, known: Baseline | None
) -> int:
    told: list[Diagnostic] = []
    _expect_readable(options.streams[0])
    with reporting.opened(options.output, options.reports, at_once=True) as out:

        def hear(findings: Sequence[Diagnostic], overdue: Sequence[Diagnostic]) -> None:
            from qmpcheck.reports import style, text

            drifted = _drifted(findings, spec)
            lines = (*drifted, *overdue)
            out.writelines(text.finding_lines(options.streams[0], lines, style.painter(out), known))
            out.flush()
            told.extend(drifted[: options.max_findings - len(told)])

        checked, interrupted = follow_file(
            checker,
            options.streams[0],
            None if options.format == "json" else hear,
            _tell_rotation,
            options.complete,
        )
        checked = _with_drift(checked, spec)
        listed = (*told, *checked.listed)[: options.max_findings]
        results = [checked._replace(listed=listed, taken=Counter())]
        accepted = baselines.accepted(options, results, known)
        _report(options.format, [checked], spec, out, accepted)
    status = max(_status(results, options, accepted), _beside(options, results, spec, known))
    return INTERRUPTED if interrupted else status


def _tell_rotation(path: str, lines: int) -> None:
    tell(f"{safe(path)} was replaced: reading the new file, whose first line counts as line {lines + 1}")


def _expect_readable(path: str) -> None:
    """Raise SpecError if a stream cannot be opened, before anything is written."""
    try:
        source.expect_readable(path)
    except source.Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def _checker(spec: catalogue.Spec, options: argparse.Namespace) -> Checker:
    rule_base, series = spec.rule_base, catalogue.series(spec)
    check_options = CheckOptions(
        codes=arguments.selected(options, STREAM_CODES),
        severities=options.severities,
        most=options.max_findings,
        assumed=assumed_options(rule_base, options.assume),
        within=options.within,
        literal=options.literal,
        rules=tuple(arguments.own_rules(options, rule_base, series)),
        command_rules=options.command_rules,
        selected=arguments.named_rules(options.select),
        ignored=arguments.named_rules(options.ignore),
        series=series,
    )
    return Checker(rule_base, check_options)


def _report(
    format: str, results: Sequence[StreamResult], spec: catalogue.Spec, out: IO[str], known: Baseline | None
) -> None:
    if format == "json":
        from qmpcheck.reports import jsonreport

        jsonreport.write(results, spec, out)
        for checked in results:
            more = checked.unlisted.total()
            if more:  # the report has no place for it
                tell(f"{safe(checked.path)}: {plural(more, 'finding')} more, not listed")
    else:
        from qmpcheck.reports import text

        text.write(results, spec, out, known)


def _status(results: Sequence[StreamResult], options: argparse.Namespace, known: Baseline | None) -> int:
    unchecked = [(checked.path, verdict.unchecked(checked)) for checked in results]
    for path, reason in unchecked:
        if reason:
            tell(f"{safe(path)}: {reason}")
    if any(reason for _, reason in unchecked):
        return UNUSABLE
    return FINDINGS if any(_new(checked, options, known) for checked in results) else CLEAN


def _new(checked: StreamResult, options: argparse.Namespace, known: Baseline | None) -> int:
    """How many findings fail the run."""
    if not known:
        return checked.count(options.fail_on)
    from qmpcheck.reports import baseline

    return baseline.new(checked, known, options.fail_on)


def _progress(paths: Sequence[str]) -> Any:
    """A bar on standard error, where that is a terminal, once the work has taken a second."""
    if sys.stderr is None or not sys.stderr.isatty():
        ignore: Advance = int
        return nullcontext(ignore)
    from qmpcheck.cli.progress import bar

    sizes = [source.size(path) for path in paths]
    return bar(None if None in sizes else sum(filter(None, sizes)))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a count")
    return int(text)


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return int(text)
