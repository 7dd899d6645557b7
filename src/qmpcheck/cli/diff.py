"""Say what changed from one spec to another, for a client that reads events.

A client is tolerant if it ignores the events and members that it does not know, as the protocol asks of it,
and strict if it rejects them. With --used-by, only what that client receives is looked at: a recorded stream
of it, or a file that lists EVENT, EVENT.member or EVENT.member=value, one a line.

Exit status: 0 no change as bad as --fail-on; 1 changes at least that bad; 2 a spec, a stream or a list that
cannot be read.
"""

from __future__ import annotations

import argparse
from typing import IO

from qmpcheck import catalogue
from qmpcheck.catalogue import Spec
from qmpcheck.cli import output, reporting, strictness
from qmpcheck.cli.messages import tell
from qmpcheck.cli.status import CLEAN, FINDINGS
from qmpcheck.drift import uses, usesfile
from qmpcheck.drift.change import Level
from qmpcheck.drift.compare import compare
from qmpcheck.printable import name, safe
from qmpcheck.reports.changes import Changes, Client
from qmpcheck.rulebase import SpecError
from qmpcheck.wording import plural

_LEVELS = ("breaking", "risky", "safe")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "old",
        metavar="OLD",
        help="a spec: a release, latest, a revision, a path, qemu:PATH; see `qmpcheck specs`",
    )
    parser.add_argument("new", metavar="NEW", help="another")
    parser.add_argument("--profile", choices=("tolerant", "strict"), default="tolerant", help="of the client")
    parser.add_argument(
        "--used-by", metavar="PATH", help="a stream (- is standard input) or a list: only what touches these"
    )
    parser.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="breaking",
        help="exit 1 for changes at least this bad (breaking)",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="of the report"
    )
    output.add_output(parser)
    reporting.add_report(parser)
    strictness.add_strict_spec(parser)


def run(options: argparse.Namespace) -> int:
    inputs = [options.old, options.new, *filter(None, [options.used_by])]
    reporting.prepare(options.reports, inputs, (), options.format, options.output)
    old, new = catalogue.find(options.old), catalogue.find(options.new)
    strictness.check(options, old, new)
    client = _client(options.used_by, old, new) if options.used_by else None
    strict = options.profile == "strict"
    found = compare(old.rule_base, new.rule_base)
    if client:
        found = tuple(change for change in found if uses.touches(change, client.uses, strict))
    changes = Changes(old, new, found, strict, client)
    with reporting.opened(options.output, options.reports) as out:
        _report(options.format, changes, out)
    worst = max((change.level(changes.strict) for change in found), default=Level.DOC)
    fail_on = Level[options.fail_on.upper()]
    return max(FINDINGS if worst >= fail_on else CLEAN, _beside(options, changes, fail_on))


def _beside(options: argparse.Namespace, changes: Changes, fail_on: Level) -> int:
    """The reports for CI; the exit status."""
    if not options.reports:
        return CLEAN
    from qmpcheck.reports import changesreport

    return reporting.write(options.reports, changesreport.report(changes, fail_on))


def _client(path: str, old: Spec, new: Spec) -> Client:
    """What the client receives.

    Raises:
        SpecError: nothing that the specs speak of.
    """
    found = usesfile.load(path, [old.rule_base, new.rule_base])
    unknown = [event for event in found if event not in old.rule_base.events | new.rule_base.events]
    if len(unknown) == len(found):
        raise SpecError(f"{safe(path)}: none of its events is in either spec")
    if unknown:
        first = ", ".join(map(name, unknown[:5]))
        tell(f"{safe(path)}: {plural(len(unknown), 'event')} in neither spec: {first}")
    return Client(path, found)


def _report(format: str, changes: Changes, out: IO[str]) -> None:
    if format == "json":
        from qmpcheck.reports import changesjson

        changesjson.write(changes, out)
    else:
        from qmpcheck.reports import changestext

        (changestext.write if format == "text" else changestext.write_markdown)(changes, out)
