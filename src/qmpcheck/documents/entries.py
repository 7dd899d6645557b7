"""Entries read: a structure's sections with their small languages understood."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from qmpcheck.documents import data, document, member, note
from qmpcheck.documents.data import DataText
from qmpcheck.documents.document import Entry, Section, Structure
from qmpcheck.documents.member import MemberText
from qmpcheck.documents.note import Sentence


class Example(NamedTuple):
    """An example as it stands, and the events of the heading it stands under."""

    line: int
    text: str
    events: tuple[str, ...]
    labelled: bool


class EventEntry(NamedTuple):
    """All that stands under one heading. Lines are those of the document."""

    line: int
    number: str | None
    names: tuple[str, ...]
    data: tuple[DataText, ...]
    members: tuple[MemberText, ...]
    sentences: tuple[Sentence, ...]
    examples: tuple[Example, ...]


def read(structure: Structure) -> tuple[EventEntry, ...]:
    """The entries of a document, in its order."""
    return tuple(map(_entry, structure.entries))


_HEADING = re.compile(r"(?:(\d+) )?(.*)")


def _entry(entry: Entry) -> EventEntry:
    heading = _HEADING.match(entry.heading.text.strip())
    assert heading, "the pattern matches any text"
    names = tuple(name.strip() for name in heading[2].split(","))
    return EventEntry(
        line=entry.heading.line,
        number=heading[1],
        names=names,
        data=tuple(map(data.parse, _of_kind(entry, document.DATA))),
        members=tuple(map(member.parse, _of_kind(entry, document.MEMBER))),
        sentences=tuple(
            sentence for section in _of_kind(entry, document.NOTE) for sentence in note.parse(section)
        ),
        examples=tuple(_examples(entry, names)),
    )


def _of_kind(entry: Entry, kind: str) -> list[Section]:
    return [section for section in entry.sections if section.kind == kind]


def _examples(entry: Entry, names: tuple[str, ...]) -> Iterator[Example]:
    labelled = False
    for section in entry.sections:
        if section.kind == document.EXAMPLE:
            yield Example(section.line, section.text, names, labelled)
        if section.kind == document.LABEL:
            labelled = True


def example_data(entry: EventEntry) -> dict[str, Any]:
    """The `data` of the entry's first example that can be read; empty where there is none."""
    for example in entry.examples:
        try:
            value = json.loads(example.text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("data"), dict):
            return dict(value["data"])
    return {}
