"""Show what changed from one spec to another, for a client that reads events.

Each change is breaking, risky or safe, or concerns only the documents. --used-by shows only what concerns one
client. CLIENT is a recording of what it receives, or a list of what it reads, with one item on a line:

  EVENT               all of the event
  EVENT!              its name only
  EVENT.member        that member
  EVENT.member=value  the client handles this value, so adding it is safe
  # ...               a comment

An item must be in some release, unless a ? follows it. Lists for some clients come with qmpcheck: libvirt is
the newest list for libvirt, libvirt-7.0.0 the one for that version.

Exit status: 0 no change as bad as --fail-on; 1 changes at least that bad; 2 a spec, a recording or a list
cannot be read.

Examples: qmpcheck diff 10.0 11.1
          qmpcheck diff git:master . --used-by libvirt
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import IO

import msgspec

from qmpcheck import text
from qmpcheck.cli import output, report_option, strictness
from qmpcheck.cli.messages import CLEAN, FINDINGS, notify
from qmpcheck.codes import Impact
from qmpcheck.drift import client_usage, client_usage_file
from qmpcheck.drift.compare import compare
from qmpcheck.reports.changes import Changes, NamedClient
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.specs.extra import extended
from qmpcheck.text import quoted, safe
from qmpcheck.wording import first_of, plural

CONFIGURED = ("extra",)
"""The options that a configuration file may set."""

_LEVELS = ("breaking", "risky", "safe")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "old",
        type=_one_spec,
        metavar="OLD",
        help="a spec: a release, latest, a path (such as the source tree .), git:REV, qemu:PATH; see "
        "`qmpcheck specs`",
    )
    parser.add_argument("new", metavar="NEW", help="the spec to compare it with, named the same way")
    parser.add_argument(
        "--profile",
        choices=("tolerant", "strict"),
        default="tolerant",
        help="the kind of client to judge changes for: tolerant ignores what it does not know, strict "
        "rejects it (default: tolerant)",
    )
    parser.add_argument(
        "--used-by",
        metavar="CLIENT",
        help="show only what concerns this client: the name of a list that comes with qmpcheck, such as "
        "libvirt, or the path or URL of a list, a recording or a folder of recordings; - is standard input",
    )
    parser.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="breaking",
        help="exit 1 for changes at least this bad (default: breaking)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="if one spec is a binary, list also the differences that every binary has",
    )
    parser.set_defaults(extra=[])
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="how to print the changes (default: text)",
    )
    output.add_output(parser)
    report_option.add_report(parser)
    strictness.add_strict_spec(parser)


def _one_spec(text: str) -> str:
    """Return the name of a spec; two of them in one word, as git takes them, are an error."""
    old, dots, new = text.rpartition("..")
    # In a path, dots name the folder above.
    if dots and old and new and old[-1] != "/" and new[0] != "/" and not os.path.exists(text):
        where = old[: old.rfind("@") + 1] or "git:" * old.startswith("git:")
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} names two specs; write them apart: {old.rstrip('.')} {where}{new}"
        )
    return text


def run(options: argparse.Namespace) -> int:
    inputs = [options.old, options.new, *filter(None, [options.used_by])]
    report_option.prepare(options.reports, inputs, (), options.format, options.output)
    old, new = (_spec(name, options.extra) for name in (options.old, options.new))
    strictness.check(options, old, new)
    client = _client(options.used_by, old, new) if options.used_by else None
    strict = options.profile == "strict"
    found = compare(old.rule_base, new.rule_base)
    if client:
        found = client_usage.of_client(found, client.uses, strict)
    listed = found if options.all else tuple(change for change in found if not change.of_any_build)
    changes = Changes(old, new, listed, strict, client, len(found) - len(listed))
    with report_option.opened(options.output, options.reports) as out:
        _report(options.format, changes, out)
    # Of all changes, also of those that are not listed: --all must not change the exit status.
    worst = max((change.level(changes.strict) for change in found), default=Impact.DOC)
    fail_on = Impact[options.fail_on.upper()]
    return max(FINDINGS if worst >= fail_on else CLEAN, _write_reports(options, changes, fail_on))


def _spec(name: str, extra: Sequence[str]) -> Spec:
    spec = catalogue.find(name)
    return msgspec.structs.replace(spec, rule_base=extended(spec.rule_base, extra))


def _write_reports(options: argparse.Namespace, changes: Changes, fail_on: Impact) -> int:
    """Write the reports for CI; return the exit status."""
    if not options.reports:
        return CLEAN
    from qmpcheck.reports import changesreport

    return report_option.write(options.reports, changesreport.report(changes, fail_on))


def _client(name: str, old: Spec, new: Spec) -> NamedClient:
    """Return what the client reads.

    Raises:
        SpecError: it reads nothing that the specs have.
    """
    found = client_usage_file.load(name, [old.rule_base, new.rule_base])
    known = old.rule_base.events | new.rule_base.events
    if not found.uses.keys() & known.keys():
        raise SpecError(f"{safe(name)}: none of its events is in either spec")
    missing = [*map(text.name, found.uses.keys() - known.keys()), *found.elsewhere]
    if missing:
        notify(f"{safe(name)}: {plural(len(missing), 'name')} in neither spec: {first_of(missing)}")
    return NamedClient(name, found.uses)


def _report(format: str, changes: Changes, out: IO[str]) -> None:
    if format == "json":
        from qmpcheck.reports import changesreport

        changesreport.write_json(changes, out)
    else:
        from qmpcheck.reports import changestext

        (changestext.write if format == "text" else changestext.write_markdown)(changes, out)
