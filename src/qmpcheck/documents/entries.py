"""Entries read: a structure's sections with their small languages understood."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from qmpcheck.documents import data, document, items, member, note
from qmpcheck.documents.data import DataText
from qmpcheck.documents.document import Entry, Section, Structure
from qmpcheck.documents.member import MemberText, Said
from qmpcheck.documents.note import Context, Sentence
from qmpcheck.rulebase import FollowUp, RateLimit


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
    described = frozenset(name for entry in structure.entries for name in _names(entry))
    return tuple(_entry(entry, described) for entry in structure.entries)


_HEADING = re.compile(r"(?:(\d+)[.)]?\s+)?([^(]*)")
_DESCRIPTION = re.compile(r"\A[ \t]*Description:", re.IGNORECASE)
_NO_DESCRIPTION = re.compile(r"""^[ \t]*[-*][ \t]*["'`@*]|\bjson-[a-z]+\b|^[ \t]*[-=~]{2,}[ \t]*$""")
"""What a description has no use for: a member, a type, the underline of a heading."""


def _entry(entry: Entry, described: Collection[str]) -> EventEntry:
    heading = _HEADING.match(entry.heading.text.strip())
    assert heading, "the pattern matches any text"
    names = _names(entry)
    sections = list(_with_their_values(entry.sections))
    members = tuple(text for section in _of_kind(sections, document.MEMBER) for text in member.parse(section))
    context = Context(names, described, {text.name for text in members})
    return EventEntry(
        line=entry.heading.line,
        number=heading[1],
        names=names,
        data=tuple(map(data.parse, _of_kind(sections, document.DATA))),
        members=members,
        sentences=tuple(_sentences(sections, members, context)),
        examples=tuple(_examples(entry, names)),
    )


def _names(entry: Entry) -> tuple[str, ...]:
    heading = _HEADING.match(entry.heading.text.strip())
    assert heading, "the pattern matches any text"
    return tuple(name.strip() for name in heading[2].split(","))


def _with_their_values(sections: Iterable[Section]) -> Iterator[Section]:
    """The sections; what looks like members below a list that is announced is the values of that list."""
    before: Section | None = None
    for section in sections:
        if before and _are_values(before, section):
            before = before._replace(lines=(*before.lines, *section.lines))
            continue
        if before:
            yield before
        before = section
    if before:
        yield before


def _are_values(before: Section, section: Section) -> bool:
    return (
        before.kind == section.kind == document.MEMBER
        and items.announced(items.split(before.lines).rest)
        and _indent(section) > _indent(before)
        and "json-" not in section.text
    )


def _indent(section: Section) -> int:
    line = section.lines[0].expandtabs()
    return len(line) - len(line.lstrip())


def _sentences(
    sections: Iterable[Section], members: Iterable[MemberText], context: Context
) -> Iterator[Sentence]:
    """What the notes say, and what the description and the members say of events over time."""
    for section in sections:
        if section.kind == document.NOTE:
            yield from note.sentences(note.LABEL.sub("", section.text, count=1), section.line, context)
        elif section.kind == document.PROSE:
            yield from _misplaced(section)
            for sentence in note.sentences(_DESCRIPTION.sub("", section.text), section.line, context):
                if sentence.rules or note.bears_on_rules(sentence.unknown, context):
                    yield sentence
    for each in members:
        for said in each.said:
            yield from _of_member(each.name, said, context)


def _misplaced(section: Section) -> Iterator[Sentence]:
    """The lines of a description that look like parts of what comes after it."""
    for number, line in enumerate(section.lines, section.line):
        if _NO_DESCRIPTION.search(line):
            yield Sentence(unknown=line.strip(), lines=range(number, number + 1))


def _of_member(name: str, said: Said, context: Context) -> Iterator[Sentence]:
    """What the words of a member say of events over time; those about a value hold where it has that."""
    for sentence in note.sentences(said.text, said.line, context):
        if said.value and sentence.rules:
            yield sentence._replace(rules=tuple(_where(name, said.value, rule) for rule in sentence.rules))
        elif sentence.rules and not any(isinstance(rule, FollowUp) and rule.when for rule in sentence.rules):
            yield sentence._replace(rules=(), unknown=said.text)
        elif sentence.rules or note.bears_on_rules(sentence.unknown, context):
            yield sentence


def _where(name: str, value: str, rule: FollowUp | RateLimit) -> FollowUp | RateLimit:
    if isinstance(rule, RateLimit):
        return rule
    return msgspec.structs.replace(rule, when={name: (value,), **rule.when})


def _of_kind(sections: Iterable[Section], kind: str) -> list[Section]:
    return [section for section in sections if section.kind == kind]


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
