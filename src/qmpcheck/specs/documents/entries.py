"""Read the entries of a document: parse the data, the members and the notes in its sections."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lark import Token, Transformer
from lark.exceptions import UnexpectedInput

from qmpcheck import rulebase
from qmpcheck.specs import grammar
from qmpcheck.specs.documents import document, items, member, note
from qmpcheck.specs.documents.document import EventText, Section, Structure
from qmpcheck.specs.documents.member import MemberText
from qmpcheck.specs.documents.note import Context, Sentence


class Example(NamedTuple):
    """The text of an example, and the events in the heading above it."""

    line: int
    text: str
    events: tuple[str, ...]
    labelled: bool


class DataText(NamedTuple):
    """What a data section says.

    `none`: whether it says that there are no members. `members`: those that it names itself, as it does where
    it refers to the keys of a query. `unknown`: text that the grammar does not know.
    """

    line: int
    none: bool = False
    members: tuple[rulebase.Member, ...] = ()
    unknown: str = ""


class EventEntry(NamedTuple):
    """Everything below one heading. Lines count in the document."""

    line: int
    number: str | None
    names: tuple[str, ...]
    data: tuple[DataText, ...]
    members: tuple[MemberText, ...]
    sentences: tuple[Sentence, ...]
    examples: tuple[Example, ...]


def read(structure: Structure) -> tuple[EventEntry, ...]:
    """Return the entries of a document, in their order."""
    # A note may name an event whose entry comes later.
    described = frozenset(name for entry in structure.entries for name in _names(entry))
    return tuple(_entry(entry, described) for entry in structure.entries)


_HEADING = re.compile(r"(?:(\d+)[.)]?\s+)?([^(]*)")
_DESCRIPTION = re.compile(r"\A[ \t]*Description:", re.IGNORECASE)
_NO_DESCRIPTION = re.compile(r"""^[ \t]*[-*][ \t]*["'`@*]|\bjson-[a-z]+\b|^[ \t]*[-=~]{2,}[ \t]*$|^#+[ \t]""")
"""What no description has: a member, a type, the underline of a heading."""


def _entry(entry: EventText, described: Collection[str]) -> EventEntry:
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
        data=tuple(map(_data, _of_kind(sections, document.DATA))),
        members=members,
        sentences=tuple(_sentences(sections, members, context)),
        examples=tuple(_examples(entry, names)),
    )


def _names(entry: EventText) -> tuple[str, ...]:
    heading = _HEADING.match(entry.heading.text.strip())
    assert heading, "the pattern matches any text"
    return tuple(name.strip() for name in heading[2].split(","))


def _data(section: Section) -> DataText:
    """Read the text after `Data:`."""
    text = section.text.split(":", 1)[1]
    try:
        said: DataText = grammar.load("documents/data", "data", _DataTransformer).parse(text)  # type: ignore[assignment]
    except UnexpectedInput:
        return DataText(section.line, unknown=text.strip())
    members = (rulebase.Member(member.name, member.type, line=section.line) for member in said.members)
    return said._replace(line=section.line, members=tuple(members))


class _DataTransformer(Transformer[Token, DataText]):
    """The callbacks of `data.lark`."""

    def listed(self, _: list[Token]) -> DataText:
        return DataText(0)

    def none(self, _: list[Token]) -> DataText:
        return DataText(0, none=True)

    def names(self, tokens: list[Token]) -> list[str]:
        return [token[1:-1] for token in tokens]

    def same_keys(self, parts: list[list[str] | Token]) -> DataText:
        names, query, *_ = parts
        keys = rulebase.Object(open=True, of=str(query)[1:-1])
        return DataText(0, members=tuple(rulebase.Member(name, keys) for name in names))


def _with_their_values(sections: Sequence[Section]) -> Iterator[Section]:
    """Return the sections; after the announcement of a list, what looks like members is its values."""
    at = 0
    while at < len(sections):
        section, end = sections[at], at + 1
        if section.kind == document.MEMBER and items.announced(items.split(section.lines).rest):
            # A value in a list looks like a member, but has no type of its own.
            while (
                end < len(sections)
                and sections[end].kind == document.MEMBER
                and _indent(sections[end]) > _indent(section)
                and "json-" not in sections[end].text
            ):
                end += 1
        lines = (line for each in sections[at:end] for line in each.lines)
        yield section._replace(lines=tuple(lines))
        at = end


def _indent(section: Section) -> int:
    line = section.lines[0].expandtabs()  # some revisions indent with tabs
    return len(line) - len(line.lstrip())


def _sentences(
    sections: Iterable[Section], members: Iterable[MemberText], context: Context
) -> Iterator[Sentence]:
    """Return the sentences of the notes, and those in descriptions and members about several events."""
    for section in sections:
        if section.kind == document.NOTE:
            yield from note.sentences(note.LABEL.sub("", section.text, count=1), section.line, context)
        elif section.kind == document.PROSE:
            yield from _misplaced(section)
            for sentence in note.sentences(_DESCRIPTION.sub("", section.text), section.line, context):
                said = sentence.unknown
                if sentence.rules or note.bears_on_rules(said, context) or note.says_absent(said, context):
                    yield sentence
    for each in members:
        for words in each.said:
            yield from note.about_member(words.text, words.line, context, each.name, words.value)


def _misplaced(section: Section) -> Iterator[Sentence]:
    """Yield the lines of a description that look like parts of the sections after it."""
    for number, line in enumerate(section.lines, section.line):
        if _NO_DESCRIPTION.search(line):
            yield Sentence(unknown=line.strip(), lines=range(number, number + 1))


def _of_kind(sections: Iterable[Section], kind: str) -> list[Section]:
    return [section for section in sections if section.kind == kind]


def _examples(entry: EventText, names: tuple[str, ...]) -> Iterator[Example]:
    labelled = False
    for section in entry.sections:
        if section.kind == document.EXAMPLE:
            yield Example(section.line, section.text, names, labelled)
        if section.kind == document.LABEL:
            labelled = True


def example_data(entry: EventEntry) -> dict[str, Any]:
    """Return the `data` of the entry's first valid example; {} if there is none."""
    for example in entry.examples:
        try:
            value = json.loads(example.text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("data"), dict):
            return dict(value["data"])
    return {}
