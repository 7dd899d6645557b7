"""Write reports/drift.md and reports/drift.svg: the life of every event, release by release.

    python reports/drift.py [--check]

With --check nothing is written; exits 1 if one of them is not what it should be. The rule bases of all
releases are in the catalogue, so this needs no other input.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import chart

from qmpcheck.codes import Impact
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.drift.history import spec_line
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs.catalogue import TEXT_DOCUMENT

os.environ.update(XDG_DATA_HOME=os.devnull, QMPCHECK_RULES="")  # no releases that the user added

PAGE = Path(__file__).parent / "drift.md"
CHART = Path(__file__).parent / "drift.svg"

YEARS = {
    "0.12": 2009, "0.13": 2010, "0.14": 2011, "0.15": 2011, "1.0": 2011, "1.1": 2012, "1.2": 2012,
    "1.3": 2012, "1.4": 2013, "1.5": 2013, "1.6": 2013, "1.7": 2013, "2.0": 2014,
}  # fmt: skip
"""When a release came whose spec is a text: the catalogue dates the text, which is older."""

CAME, WENT = "QMP502", "QMP501"

LEVELS = [Impact.BREAKING, Impact.RISKY, Impact.SAFE]

MOST_CHANGED = 12
"""Rows of the table of the events with most changes."""


class Release(NamedTuple):
    """A release, and the changes from the one before it that an event shows."""

    name: str
    year: int
    source: str
    rule_base: RuleBase
    changes: tuple[Change, ...]

    def count(self, level: Impact) -> int:
        """How many changes are of a level."""
        return sum(change.level() is level for change in self.changes)

    def of(self, code: str) -> int:
        """How many changes are of a code."""
        return sum(change.code == code for change in self.changes)


def releases() -> list[Release]:
    """All releases, oldest first; the first has no changes."""
    stages = [(name, stage) for stage in spec_line() for name in stage.entry.releases]
    found, before = list[Release](), stages[0][1].rule_base
    for name, stage in stages:
        changes = [each for each in compare(before, stage.rule_base) if each.level() is not Impact.DOC]
        year = YEARS.get(name) or int(stage.entry.date[:4])
        source = TEXT_DOCUMENT if stage.entry.source == TEXT_DOCUMENT else "QAPI schema"
        found.append(Release(name, year, source, stage.rule_base, tuple(changes)))
        before = stage.rule_base
    return found


def rows(line: list[Release]) -> list[chart.Row]:
    """The chart's rows: the event that came first stands first."""
    events = dict.fromkeys(event for release in line for event in release.rule_base.events)
    return [row(event, line) for event in events]


def row(event: str, line: list[Release]) -> chart.Row:
    rules = [release.rule_base.events.get(event) for release in line]
    present = [at for at, rule in enumerate(rules) if rule]
    first, end = present[0], present[-1] + 1
    assert len(present) == end - first, "an event that came back: the chart draws one bar an event"
    deprecated = next((at for at, rule in enumerate(rules) if rule and rule.marks.deprecated), len(line))
    return chart.Row(event, first, end, deprecated, tuple(marks(event, line)))


def marks(event: str, line: list[Release]) -> Iterator[chart.Mark]:
    """The changes in an event's life, one mark for those of a look in a release."""
    for at, release in enumerate(line):
        found = defaultdict(list)
        for change in release.changes:
            if change.event == event and change.code not in {CAME, WENT, "QMP516"}:
                found[look(change)].append(f"{change.shown_path} {change.text}".strip())
        for each in chart.LOOKS:
            if each in found:
                yield chart.Mark(at, each, f"{event}, {release.name}: {'; '.join(found[each])}")


def look(change: Change) -> str:
    if change.level() is Impact.BREAKING:
        return "breaking"
    return {"QMP505": "member", "QMP510": "value"}.get(change.code, "other")


def picture(line: list[Release]) -> str:
    drawn = rows(line)
    columns = [chart.Column(each.name, each.year, each.source, len(each.rule_base.events)) for each in line]
    subtitle = (
        f"{len(drawn)} events since {line[0].name}, of which {columns[-1].events} are in {line[-1].name}. "
        "A bar begins in the first release whose spec has the event."
    )
    return chart.draw(f"QMP events, {line[0].year} to {line[-1].year}", subtitle, columns, drawn)


def table(heads: list[str], cells: Iterable[Iterable[object]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *cells]
    return [f"| {' | '.join(map(str, each))} |" for each in lines]


def summary(line: list[Release]) -> list[str]:
    cells = [
        [
            f"[{each.name}](#{anchor(before, each)})" if each.changes else each.name,
            each.year,
            len(each.rule_base.events),
            *(number or "" for number in (each.of(CAME), each.of(WENT))),
            *(each.count(level) or "" for level in LEVELS),
        ]
        for before, each in pairwise((line[0], *line))
    ]
    return table(["release", "year", "events", "came", "went", *map(str, LEVELS)], cells)


def title(before: Release, release: Release) -> str:
    return f"{release.name} after {before.name}"


def anchor(before: Release, release: Release) -> str:
    """What GitHub makes of a title."""
    return title(before, release).replace(".", "").replace(" ", "-")


def details(line: list[Release]) -> Iterator[str]:
    """A table for each release that changed anything."""
    for before, release in pairwise(line):
        if release.changes:
            yield from ["", f"### {title(before, release)}", ""]
            if before.source != release.source:
                yield from [f"Here the spec turns from {before.source} into the {release.source}.", ""]
            yield from table(["level", "events", "what", "change"], grouped(release.changes))


def grouped(changes: tuple[Change, ...]) -> list[list[str]]:
    """The rows of a release's table: the same change of the same member of several events is one row."""
    found = defaultdict(list)
    for change in changes:
        found[-change.level(), change.shown_path, change.text].append(change.event)
    return [
        [str(Impact(-level)), ", ".join(events), f"`{path}`" if path else "the event", text]
        for (level, path, text), events in sorted(
            found.items(), key=lambda each: (each[0][0], each[1], each[0][1])
        )
    ]


def most_changed(line: list[Release]) -> list[str]:
    """The events with most changes in their lives, coming and going left out."""
    counts: dict[str, Counter[Impact]] = defaultdict(Counter)
    for release in line:
        for change in release.changes:
            if change.code not in {CAME, WENT}:
                counts[change.event][change.level()] += 1
    most = sorted(counts, key=lambda event: (-counts[event].total(), event))[:MOST_CHANGED]
    cells = (
        [event, *(counts[event][each] or "" for each in LEVELS), counts[event].total()] for event in most
    )
    return table(["event", *map(str, LEVELS), "all"], cells)


def page(line: list[Release]) -> str:
    return "\n".join(
        [
            f"# QMP events from {line[0].name} to {line[-1].name}",
            "",
            f"![A chart: the life of each event, from {line[0].name} to {line[-1].name}](drift.svg)",
            "",
            f"Up to 2.0 the spec is `{TEXT_DOCUMENT}` as the release shipped it; from 2.1 on it is the QAPI",
            "schema. The levels are those of a client that ignores what it does not know. Left out is where",
            "only the documents differ (QMP517), as they often do from 2.0 to 2.1, where the schema takes",
            "over from the text. `qmpcheck history EVENT` tells each step with its date and its line.",
            "",
            "Made by `reports/drift.py`.",
            "",
            "## Releases",
            "",
            *summary(line),
            "",
            "## Events with most changes",
            "",
            *most_changed(line),
            "",
            "## Changes",
            *details(line),
            "",
        ]
    )


def main() -> int:
    line = releases()
    made = {PAGE: page(line), CHART: picture(line)}
    if sys.argv[1:] == ["--check"]:
        wrong = [path.name for path, text in made.items() if not path.exists() or path.read_text() != text]
        print(f"differs: {', '.join(wrong)} in reports/" if wrong else "reports/drift.* are up to date")
        return 1 if wrong else 0
    for path, text in made.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
