"""Compile the rule bases of the revisions of the event document and of the releases' schemas.

    python rules/make.py SPECS            writes rules/*.json
    python rules/make.py SPECS --check    writes nothing; exits 1 if a file here is not what it should be

SPECS is a folder with `events-txt/` and `events-txt.json`, which lists revisions and releases, or with
`qapi/` and `qapi.json`, which lists the releases that have a schema, or with both. What it does not list is
left as it is: no rule base is ever deleted. To add one release, use rules/add.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import schema_commands

from qmpcheck import rulebase
from qmpcheck.checking import lint
from qmpcheck.checking.command_info import CommandInfo
from qmpcheck.checking.session import Series
from qmpcheck.reports import baseline, fingerprint
from qmpcheck.specs import documents, qapi
from qmpcheck.specs.catalogue import SpecEntry

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


Compiled = tuple[SpecEntry, rulebase.RuleBase]


def files(compiled: Iterable[Compiled]) -> dict[str, bytes]:
    """The rule bases by the names of their files, and the index, in which they take their places."""
    rules = {entry.id: (entry, rulebase.dump(rule_base)) for entry, rule_base in compiled}
    listed = {entry.id: entry for entry in index()} | {id: entry for id, (entry, _) in rules.items()}
    rows = map(msgspec.json.encode, sorted(listed.values(), key=lambda entry: entry.date))
    made = {f"{id}.json": text for id, (_, text) in rules.items()}
    return made | {"index.json": b"[\n" + b",\n".join(rows) + b"\n]\n"}


def index() -> tuple[SpecEntry, ...]:
    """What the index lists now."""
    path = HERE / "index.json"
    return msgspec.json.decode(path.read_bytes(), type=tuple[SpecEntry, ...]) if path.exists() else ()


def write(made: dict[str, bytes], check: bool = False) -> int:
    """Write the files that differ, or with `check` only tell which do; how many differ."""
    present = {name: (HERE / name).read_bytes() for name in made if (HERE / name).exists()}
    differing = sorted(name for name, text in made.items() if present.get(name) != text)
    for name in differing:
        print(f"{'differs' if check else 'wrote'}: rules/{name}")
        if not check:
            (HERE / name).write_bytes(made[name])
    return len(differing)


KNOWN = "lint-baseline.json"


def known_defects(specs: Path) -> bytes | None:
    """The baseline of the defects that QEMU's own documents have; None where some of them are not there."""
    listing = specs / "qapi.json"
    paths = sorted((specs / "events-txt").glob("*.txt"))
    if not paths or not listing.exists():
        return None
    shipped = json.loads(listing.read_text())
    paths += [specs / "qapi" / each["release"] / each["root"] for each in shipped]
    found = (defect for path in paths for defect in lint.lint(str(path)).defects)
    return baseline.dump(frozenset(map(fingerprint.of_finding, found))).encode()


def strays() -> list[str]:
    """The names of files that are here and not in the index, or in the index and not here."""
    others = {"index.json", "errata.json", "commands.json", KNOWN}
    rule_bases = {path.name for path in HERE.glob("*.json")} - others
    return sorted(rule_bases ^ {f"{entry.id}.json" for entry in index()})


def texts(specs: Path) -> Iterator[Compiled]:
    """The revisions of the event document, in their order."""
    if not (specs / "events-txt.json").exists():
        return
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
    if not (specs / "qapi.json").exists():
        return
    for shipped in json.loads((specs / "qapi.json").read_text()):
        rules = qapi.read(str(specs / "qapi" / shipped["release"] / shipped["root"]))
        release = ".".join(shipped["release"].split(".")[:2])
        yield (
            schema_entry(release, shipped["commit"], shipped["date"], Path(shipped["root"]).name, rules),
            rules,
        )


def schema_entry(release: str, commit: str, date: str, source: str, rules: rulebase.RuleBase) -> SpecEntry:
    return SpecEntry(
        id=release,
        commits=(commit,) if commit else (),
        date=date,
        source=source,
        events=len(rules.events),
        follow_ups=rules.follow_ups,
        releases=(release,),
    )


def has_all_schemas(specs: Path) -> bool:
    """Whether the folder has the schema of each release that the index lists: commands are of all of them."""
    listing = specs / "qapi.json"
    shipped = json.loads(listing.read_text()) if listing.exists() else []
    listed = {entry.id for entry in index() if entry.source.endswith(".json")}
    return bool(listed) and listed <= {".".join(each["release"].split(".")[:2]) for each in shipped}


def commands(specs: Path) -> bytes:
    """The commands of all releases: the releases that have each, and all arguments that it ever had."""
    known: dict[str, CommandInfo] = {}
    newest = None
    for release in json.loads((specs / "qapi.json").read_text()):
        schema = specs / "qapi" / release["release"] / release["root"]
        series = release_series(release["release"])
        known, newest = with_release(known, newest, series, str(schema)), series
    return command_file(known)


def with_release(
    known: Mapping[str, CommandInfo], newest: Series | None, release: Series, schema: str
) -> dict[str, CommandInfo]:
    """The commands of all releases so far, and of the next one.

    Args:
        known: the commands so far.
        newest: the newest release so far; None if there is none.
        release: the next one.
        schema: the root file of its schema.
    """
    found = schema_commands.commands(schema)
    gone = {
        name: msgspec.structs.replace(each, until=newest)
        for name, each in known.items()
        if each.until is None and name not in found
    }
    there = {
        name: CommandInfo(
            known[name].since if name in known else release,
            None,
            merged(known[name].arguments, each.arguments) if name in known else each.arguments,
            each.returns,
            each.allows_oob,
        )
        for name, each in found.items()
    }
    return {**known, **gone, **there}


def command_file(known: Mapping[str, CommandInfo]) -> bytes:
    """What `commands.json` holds."""
    rows = (
        msgspec.json.encode(name) + b": " + msgspec.json.encode(each) for name, each in sorted(known.items())
    )
    return b"{\n" + b",\n".join(rows) + b"\n}\n"


def merged(before: rulebase.Object, now: rulebase.Object) -> rulebase.Object:
    """The arguments of two releases: an enum has the values of both; what one does without is optional."""
    members = {member.name: msgspec.structs.replace(member, optional=True) for member in before.members}
    for member in now.members:
        old = before.member(member.name)
        kind = member.type
        if old and isinstance(kind, rulebase.Enum) and isinstance(old.type, rulebase.Enum):
            kind = rulebase.Enum(tuple(dict.fromkeys((*old.type.values, *kind.values))))
        optional = member.optional or old is None or old.optional
        members[member.name] = rulebase.Member(member.name, kind, optional)
    return rulebase.Object(tuple(members.values()), before.open or now.open)


def release_series(release: str) -> Series:
    major, minor, *_ = map(int, release.split("."))
    return major, minor


def index_entry(
    file: str, revisions: list[dict[str, str]], releases: list[str], rules: rulebase.RuleBase
) -> SpecEntry:
    identity = Path(file).stem.split("-")[1]
    return SpecEntry(
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
    compiled = [*texts(options.specs), *schemas(options.specs)]
    if not compiled:
        print(f"{options.specs}: neither events-txt.json nor qapi.json is in it", file=sys.stderr)
        return 2
    made = files(compiled)
    if has_all_schemas(options.specs):
        made["commands.json"] = commands(options.specs)
    defects = known_defects(options.specs)
    if defects is not None:
        made[KNOWN] = defects
    differing = write(made, options.check)
    for name in strays():
        print(f"the index and the files here do not agree: rules/{name}")
    print(f"{len(made)} files, {differing} differing")
    return 1 if strays() or (options.check and differing) else 0


if __name__ == "__main__":
    sys.exit(main())
