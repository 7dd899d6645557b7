"""Write reports/drift.md and reports/drift.svg: the life of every event, release by release.

    python reports/drift.py [--check]

With --check nothing is written; exits 1 if one of them is not what it should be. The rule bases of all
releases are in the catalogue, so this needs no other input.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from qmpcheck.codes import Impact
from qmpcheck.drift.change import Change
from qmpcheck.drift.lifelines import CAME, WENT, Lifeline, ReleaseDrift, lifelines, releases
from qmpcheck.specs.catalogue import TEXT_DOCUMENT

os.environ.update(XDG_DATA_HOME=os.devnull, QMPCHECK_RULES="")  # no releases that the user added

HERE = Path(__file__).parent
PAGE, CHART = HERE / "drift.md", HERE / "drift.svg"

LEVELS = [Impact.BREAKING, Impact.RISKY, Impact.SAFE]

MOST_CHANGED = 12
"""Rows of the table of the events with most changes."""


class ChartMark(NamedTuple):
    """Changes of one event in one release: how they look, and what changed."""

    look: str
    text: str


LOOKS = ("breaking", "value", "member", "other")
"""What marks look like, the gravest first; the template draws them."""


def marks(life: Lifeline, line: Sequence[ReleaseDrift]) -> dict[int, list[ChartMark]]:
    """The marks in an event's life by release: one for all changes of a look."""
    made: dict[int, list[ChartMark]] = {}
    for at, changes in life.changes.items():
        found = defaultdict(list)
        for change in changes:
            if change.code not in {CAME, WENT, "QMP516"}:
                found[look(change)].append(f"{change.shown_path} {change.text}".strip())
        where = f"{life.event}, {line[at].name}"
        made[at] = [ChartMark(each, f"{where}: {'; '.join(found[each])}") for each in LOOKS if each in found]
    return made


def look(change: Change) -> str:
    if change.level() is Impact.BREAKING:
        return "breaking"
    return {"QMP505": "member", "QMP510": "value"}.get(change.code, "other")


class Stretch(NamedTuple):
    """ReleaseDrifts in a row that have something in common: the first, and the one after the last."""

    key: str
    first: int
    end: int


def stretches(keys: Iterable[object]) -> Iterator[Stretch]:
    """The stretches of equal keys."""
    for key, run in groupby(enumerate(keys), lambda each: each[1]):
        places = [place for place, _ in run]
        yield Stretch(str(key), places[0], places[-1] + 1)


def picture(line: Sequence[ReleaseDrift]) -> str:
    drawn = lifelines(line)
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("drift.svg.j2").render(
        title=f"QMP events, {line[0].year} to {line[-1].year}",
        subtitle=f"{len(drawn)} events since {line[0].name}, of which {line[-1].name} has "
        f"{len(line[-1].rule_base.events)}. A bar begins in the first release whose spec has the event.",
        columns=line,
        rows=[(life, marks(life, line)) for life in drawn],
        years=[*stretches(column.year for column in line)],
        sources=[*stretches(column.source for column in line)],
    )


def table(heads: list[str], cells: Iterable[Iterable[object]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *cells]
    return [f"| {' | '.join(map(str, each))} |" for each in lines]


def summary(line: Sequence[ReleaseDrift]) -> list[str]:
    cells = [
        [
            f"[{each.name}](#{anchor(before, each)})" if each.changes else each.name,
            each.year,
            len(each.rule_base.events),
            *(number or "" for number in (each.number(CAME), each.number(WENT))),
            *(each.levels()[level] or "" for level in LEVELS),
        ]
        for before, each in pairwise((line[0], *line))
    ]
    return table(["release", "year", "events", "came", "went", *map(str, LEVELS)], cells)


def title(before: ReleaseDrift, release: ReleaseDrift) -> str:
    return f"{release.name} after {before.name}"


def anchor(before: ReleaseDrift, release: ReleaseDrift) -> str:
    """What GitHub makes of a title."""
    return title(before, release).replace(".", "").replace(" ", "-")


def details(line: Sequence[ReleaseDrift]) -> Iterator[str]:
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


def most_changed(line: Sequence[ReleaseDrift]) -> list[str]:
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


def page(line: Sequence[ReleaseDrift]) -> str:
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
