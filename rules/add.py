"""Add a release to the catalogue, rewrite the pages about all releases, and say what is left to do by hand.

    python rules/add.py SPEC [--as RELEASE] [--date YYYY-MM-DD] [--commit COMMIT]

SPEC is a QEMU source tree of the release, a tarball of one, or a revision in a git repository
(git:v11.2.0, or git:PATH@v11.2.0). Its file VERSION names the release, its commit or the time of that file
the date. Nothing else is needed, and no other release is touched.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable

import make
import msgspec

from qmpcheck import rulebase
from qmpcheck.checking.command_info import CommandInfo
from qmpcheck.checking.session import Series
from qmpcheck.rulebase import SCHEMA, RuleBase, SpecError
from qmpcheck.specs import catalogue, source_tree

ROOT = make.HERE.parent

PAGES = ("reports/drift.py", "reports/docs.py")
"""Scripts that write the pages about all releases."""

NEXT = """
Next ("Add a release", docs/add-a-release.md, says more):

1. Read what the release changes: qmpcheck diff {before} {release}
   New events: {new}. Removed events: {gone}.
2. Look for rules that were not understood, in {lost}: qmpcheck lint {spec}
   The grammar of such sentences is src/qmpcheck/specs/documents/note.lark
3. If QEMU now limits the rate of another event, or of one no longer: src/qmpcheck/rate_limits.py
4. If the schema says which commands cause the new events: rules/commands.toml
5. If a new event can be made to happen, write a scenario: src/qmpcheck/gate/scenarios/
   Then play all of them on a build of the release, and record that in PLAYED, in src/qmpcheck/gate/fault.py:
   qmpcheck gate --qemu qemu-system-x86_64 --save corpora/gate-{release}.0
6. An entry in CHANGELOG.md
7. .venv/bin/pytest -n auto
8. git add rules reports README.md docs corpora src CHANGELOG.md
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spec", metavar="SPEC")
    parser.add_argument("--as", dest="release", metavar="RELEASE", help="such as 11.2")
    parser.add_argument("--date", help="of the release")
    parser.add_argument("--commit", help="the full name of the release's commit")
    options = parser.parse_args()
    try:
        next_steps = add(options.spec, options.release, options.date, options.commit)
    except SpecError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    for page in PAGES:
        subprocess.run([sys.executable, ROOT / page], check=True)
    print(next_steps, end="")
    return 0


def add(name: str, release: str | None, date: str | None, commit: str | None) -> str:
    """Write the rule base of a release, its commands, and its place in the index; return what to do next.

    Raises:
        SpecError: it cannot be read, or is not known well enough.
    """
    spec = catalogue.find(name)
    if spec.rule_base.source != SCHEMA:
        raise SpecError(f"{name}: no QAPI schema, which the spec of a release is")
    version = spec.origin.version
    release = release or (version.release if version and not version.micro else "")
    if not re.fullmatch(r"\d+\.\d+", release):
        stated = f"{version} is no first release of a series" if version else "it does not tell its version"
        raise SpecError(f"{name}: {stated}; name the release with --as, such as --as 11.2")
    date, commit = date or spec.origin.date, commit or spec.origin.commit
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", date):
        raise SpecError("the date of the release is not known; name it with --date YYYY-MM-DD")
    # Only the project's own releases count, not those that the user has installed.
    present = sorted(make.release_series(each.id) for each in make.index() if each.source.endswith(".json"))
    series = make.release_series(release)
    before = max(each for each in present if each < series)
    entry = make.schema_entry(release, commit, date, "qapi-schema.json", spec.rule_base)
    made = make.files([(entry, spec.rule_base)])
    if before == present[-1]:  # otherwise, only all schemas together say what became of its commands
        made["commands.json"] = commands(name, before, series)
    make.write(made)
    print(f"{release}, of {date}: {entry.events} events, {entry.follow_ups} follow-ups")
    return next_steps(name, before, release, spec.rule_base)


def commands(name: str, newest: Series, series: Series) -> bytes:
    """The file of all commands, with those of one more release, which is the newest then."""
    known = msgspec.json.decode((make.HERE / "commands.json").read_bytes(), type=dict[str, CommandInfo])
    with source_tree.opened(name) as tree:
        root = next(root for root in tree.roots() if root.endswith(".json")) if tree else name
        return make.command_file(make.with_release(known, newest, series, root))


def next_steps(name: str, before: Series, release: str, rules: RuleBase) -> str:
    """What is left to do by hand, in words."""
    last = f"{before[0]}.{before[1]}"
    events = rulebase.load((make.HERE / f"{last}.json").read_bytes()).events.keys()
    return NEXT.format(
        before=last,
        release=release,
        spec=name,
        new=listed(each for each in rules.events if each not in events),
        gone=listed(each for each in events if each not in rules.events),
        lost=f"{rules.not_understood} line{'s' * (rules.not_understood != 1)}",
    )


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


if __name__ == "__main__":
    sys.exit(main())
