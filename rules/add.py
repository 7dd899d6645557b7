"""Add a release to the catalogue, and write the pages that tell of the releases anew.

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

import make

from qmpcheck.rulebase import SCHEMA, SpecError
from qmpcheck.specs import catalogue

ROOT = make.HERE.parent

PAGES = ("reports/drift.py", "reports/docs.py")
"""Write what tells of all releases."""


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
        add(options.spec, options.release, options.date, options.commit)
    except SpecError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    for page in PAGES:
        subprocess.run([sys.executable, ROOT / page], check=True)
    return 0


def add(name: str, release: str | None, date: str | None, commit: str | None) -> None:
    """Write the rule base of a release, and list it in the index.

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
    entry = make.schema_entry(release, commit, date, "qapi-schema.json", spec.rule_base)
    make.write(make.files([(entry, spec.rule_base)]))
    print(f"{release}, of {date}: {entry.events} events, {entry.follow_ups} follow-ups")


if __name__ == "__main__":
    sys.exit(main())
