"""Write reports/text-and-schema.md: where a release's event document and its QAPI schema disagree.

    python reports/agreement.py [--check]

With --check nothing is written; exits 1 if the page is not what it should be. The rule bases of both are
in the catalogue, so this needs no other input.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from qmpcheck.codes import Impact
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.specs import catalogue
from qmpcheck.text import quoted

PAGE = Path(__file__).parent / "text-and-schema.md"

SAYS = {
    "QMP501": "only the text has the event",
    "QMP502": "only the schema has the event",
    "QMP503": "only the text has it, as mandatory",
    "QMP504": "only the text has it, as optional",
    "QMP505": "only the schema has it",
    "QMP506": "mandatory in the text, optional in the schema",
    "QMP507": "optional in the text, mandatory in the schema",
    "QMP510": "values that only the schema has",
    "QMP511": "values that only the text has",
    "QMP512": "a follow-up that only the text states",
    "QMP513": "a follow-up that only the schema states",
}
"""What a change from the text to the schema of one release means."""


class Difference(NamedTuple):
    """One difference, whatever the release."""

    event: str
    path: str
    says: str
    level: Impact


def releases() -> list[str]:
    """The releases that have both."""
    names = [name for entry in catalogue.entries() for name in entry.releases]
    return [name.removesuffix(":txt") for name in names if name.endswith(":txt")]


def differences(release: str) -> dict[Difference, list[Change]]:
    """How text and schema of a release differ."""
    text, schema = (catalogue.find(name).rule_base for name in (f"{release}:txt", release))
    found = defaultdict(list)
    for change in compare(text, schema):
        says = SAYS.get(change.code) or in_words(change)
        found[Difference(change.event, change.shown_path, says, change.level())].append(change)
    return found


def in_words(change: Change) -> str:
    """A change without a code of its own here."""
    if change.path:
        text = change.text.removeprefix("described as ")
        return text.replace(", now as ", " in the text, ") + " in the schema"
    return "a rate limit that only one of them states"


def span(chosen: Iterable[str]) -> str:
    """Releases that stand in a row, as `2.2 to 2.8`."""
    known, rows = releases(), list[list[str]]()
    for release in chosen:
        if rows and known.index(release) == known.index(rows[-1][-1]) + 1:
            rows[-1].append(release)
        else:
            rows.append([release])
    return ", ".join(row[0] if len(row) == 1 else f"{row[0]} to {row[-1]}" for row in rows)


def rows(level_is_doc: bool) -> list[str]:
    """The table's rows: differences on the wire, or such in precision."""
    seen: dict[Difference, dict[str, list[Change]]] = defaultdict(dict)
    for release in releases():
        for difference, changes in differences(release).items():
            if (difference.level is Impact.DOC) is level_is_doc:
                seen[difference][release] = changes
    return [row(difference, by_release) for difference, by_release in sorted(seen.items())]


def row(difference: Difference, by_release: dict[str, list[Change]]) -> str:
    newest = list(by_release)[-1]
    changes = by_release[newest]
    values = ", ".join(quoted(change.value) for change in changes if change.value)
    says = f"{difference.says}: {values}" if values else difference.says
    places = f"{changes[0].old} | {changes[0].new}"
    subject = f"`{difference.path}`" if difference.path else "the event"
    return f"| {difference.event} | {subject} | {says} | {span(by_release)} | {places} |"


def page() -> str:
    head = "| event | what | text and schema | releases | line of the text | line of the schema |"
    rule = "| --- | --- | --- | --- | --- | --- |"
    both = releases()
    wire, precision = rows(level_is_doc=False), rows(level_is_doc=True)
    return "\n".join(
        [
            "# Where text and schema disagree",
            "",
            f"From {both[0]} to {both[-1]} a release described its events twice: in `qmp-events.txt` and in",
            "the QAPI schema. These are all the places where the two do not say the same, found by comparing",
            "their rule bases. Lines and values are those of the last release named.",
            "",
            "Made by `reports/agreement.py`.",
            "",
            f"## {len(wire)} contradictions and omissions",
            "",
            head,
            rule,
            *wire,
            "",
            f"## {len(precision)} places where only one of them is precise",
            "",
            head,
            rule,
            *precision,
            "",
        ]
    )


def main() -> int:
    made = page()
    if sys.argv[1:] == ["--check"]:
        same = PAGE.exists() and PAGE.read_text() == made
        print("reports/text-and-schema.md is up to date" if same else "differs: reports/text-and-schema.md")
        return 0 if same else 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
