"""Compile the rule bases of every revision of the event document and of every release's schema.

    python rules/make.py SPECS            writes rules/*.json
    python rules/make.py SPECS --check    writes nothing; exits 1 if a file here is not what it should be

SPECS is a folder with `events-txt/` and `events-txt.json`, which lists revisions and releases, and with
`qapi/` and `qapi.json`, which lists the releases that have a schema.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from qmpcheck import documents, rulebase
from qmpcheck.catalogue import Entry
from qmpcheck.checking.commands import CommandRule
from qmpcheck.documents import qapi
from qmpcheck.documents.qapi import commands as qapi_commands

HERE = Path(__file__).parent

EDITIONS = {
    "51a3bd71b3": "v1",
    "d74c7dfd1b": "v2",
    "6f8c63fbd7": "v3",
    "6f382ed226": "v4",
    "fb6ba0d525": "v5",
    "5db6670347": "v6",
}

LAST_RELEASE_BY_TEXT = (2, 0)
"""From the next release on, the QAPI schema is the spec, and the text goes by a name with `:txt`."""


Compiled = tuple[Entry, rulebase.RuleBase]


def files(specs: Path) -> dict[str, bytes]:
    """Every file that belongs here, by name."""
    compiled = sorted([*texts(specs), *schemas(specs)], key=lambda each: each[0].date)
    made = {f"{entry.id}.json": rulebase.dump(rules) for entry, rules in compiled}
    index = (msgspec.json.encode(entry) for entry, _ in compiled)
    made["commands.json"] = commands(specs)
    return made | {"index.json": b"[\n" + b",\n".join(index) + b"\n]\n"}


def texts(specs: Path) -> Iterator[Compiled]:
    """The revisions of the event document, in their order."""
    listing = json.loads((specs / "events-txt.json").read_text())
    releases = defaultdict(list)
    for shipped in listing["releases"]:
        releases[shipped["file"]].append(release_name(shipped["release"]))
    revisions = defaultdict(list)
    for revision in listing["revisions"]:
        revisions[revision["file"]].append(revision)
    for file, standing_for in sorted(revisions.items()):
        rules = documents.read((specs / file).read_text()).rule_base
        yield index_entry(file, standing_for, releases[file], rules), rules


def schemas(specs: Path) -> Iterator[Compiled]:
    """The schemas of the releases, in their order."""
    for shipped in json.loads((specs / "qapi.json").read_text()):
        rules = qapi.read(str(specs / "qapi" / shipped["release"] / shipped["root"]))
        release = ".".join(shipped["release"].split(".")[:2])
        entry = Entry(
            id=release,
            commits=(shipped["commit"],),
            date=shipped["date"],
            source=Path(shipped["root"]).name,
            events=len(rules.events),
            follow_ups=rules.follow_ups,
            releases=(release,),
        )
        yield entry, rules


def commands(specs: Path) -> bytes:
    """The commands of all releases: the releases that have each, and all arguments that it ever had."""
    found: dict[str, CommandRule] = {}
    shipped = json.loads((specs / "qapi.json").read_text())
    for each in shipped:
        series = release_series(each["release"])
        schema = specs / "qapi" / each["release"] / each["root"]
        for name, arguments in qapi_commands.arguments(str(schema)).items():
            before = found.get(name, CommandRule(series))
            found[name] = CommandRule(before.since, series, merged(before.arguments, arguments))
    newest = release_series(shipped[-1]["release"])
    rows = []
    for name, each in sorted(found.items()):
        command = CommandRule(each.since, None if each.until == newest else each.until, each.arguments)
        rows.append(msgspec.json.encode(name) + b": " + msgspec.json.encode(command))
    return b"{\n" + b",\n".join(rows) + b"\n}\n"


def merged(before: rulebase.Object, now: rulebase.Object) -> rulebase.Object:
    """The arguments of two releases; an enum has the values of both."""
    members = {member.name: member for member in before.members}
    for member in now.members:
        old = members.get(member.name)
        kind = member.type
        if old and isinstance(kind, rulebase.Enum) and isinstance(old.type, rulebase.Enum):
            kind = rulebase.Enum(tuple(dict.fromkeys((*old.type.values, *kind.values))))
        members[member.name] = rulebase.Member(member.name, kind, member.optional)
    return rulebase.Object(tuple(members.values()), before.open or now.open)


def release_series(release: str) -> tuple[int, int]:
    major, minor, *_ = map(int, release.split("."))
    return major, minor


def index_entry(
    file: str, revisions: list[dict[str, str]], releases: list[str], rules: rulebase.RuleBase
) -> Entry:
    identity = Path(file).stem.split("-")[1]
    return Entry(
        id=identity,
        commits=tuple(revision["commit"] for revision in revisions),
        date=revisions[0]["committed"],
        source="qmp-events.txt",
        events=len(rules.events),
        follow_ups=rules.follow_ups,
        edition=EDITIONS.get(identity, ""),
        releases=tuple(releases),
    )


def release_name(release: str) -> str:
    major, minor = release_series(release)
    return f"{major}.{minor}" + (":txt" if (major, minor) > LAST_RELEASE_BY_TEXT else "")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("specs", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made = files(options.specs)
    present = {path.name: path.read_bytes() for path in HERE.glob("*.json") if path.name != "errata.json"}
    differing = sorted(name for name in made.keys() | present.keys() if made.get(name) != present.get(name))
    for name in differing:
        print(f"{'differs' if options.check else 'wrote'}: rules/{name}")
        if not options.check:
            (HERE / name).write_bytes(made[name]) if name in made else (HERE / name).unlink()
    print(f"{len(made)} files, {len(differing)} differing")
    return 1 if options.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
