"""Find what is wrong in a document's text: the QMP9xx findings, except those about examples."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from qmpcheck import rulebase
from qmpcheck.finding import Finding
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import FollowUp, Object, RateLimit
from qmpcheck.specs.documents import compile, document, nesting
from qmpcheck.specs.documents.document import Structure
from qmpcheck.specs.documents.entries import EventEntry
from qmpcheck.specs.documents.member import JSON_TYPES, MemberText
from qmpcheck.specs.documents.note import Sentence
from qmpcheck.text import name, quoted, shortened
from qmpcheck.wording import did_you_mean


def find(structure: Structure, entries: Sequence[EventEntry]) -> Iterator[Finding]:
    """Yield every defect, in no particular order. `checking.examples` finds those of examples."""
    yield from _unknown_lines(structure)
    yield from _underlines(structure)
    yield from _duplicate_numbers(entries)
    yield from _duplicate_events(entries)
    described = {event for entry in entries for event in entry.names}
    for entry in entries:
        event, payload = _names(entry), compile.data(entry)
        yield from _data(entry, event)
        yield from _members(entry, event, payload)
        yield from notes(entry.sentences, entry.names, payload, described)
        yield from _labels(entry, event)


def _names(entry: EventEntry) -> str:
    return name(", ".join(entry.names))


def _words(text: str) -> str:
    return name(" ".join(shortened(text, 400).split()))


def _unknown_lines(structure: Structure) -> Iterator[Finding]:
    sections = [*structure.preamble, *(part for entry in structure.entries for part in entry.sections)]
    for section in sections:
        if section.kind == document.UNKNOWN:
            words = _words(section.text)
            yield Finding("QMP901", section.line, f"a line with no place here: {words}", kind=words)


def _underlines(structure: Structure) -> Iterator[Finding]:
    for entry in structure.entries:
        heading, underline = entry.heading.text.strip(), entry.underline.text.strip()
        if not underline:
            yield Finding("QMP918", entry.heading.line, "a heading without an underline", name(heading))
        elif len(heading) != len(underline):
            lengths = f"underline of {len(underline)} characters under a heading of {len(heading)}"
            yield Finding("QMP907", entry.underline.line, lengths, name(heading))


def _duplicate_numbers(entries: Sequence[EventEntry]) -> Iterator[Finding]:
    first: dict[str, EventEntry] = {}
    for entry in entries:
        if entry.number is not None and first.setdefault(entry.number, entry) is not entry:
            earlier = first[entry.number]
            message = (
                f"heading number {name(entry.number)} again: line {earlier.line} has it for {_names(earlier)}"
            )
            yield Finding("QMP906", entry.line, message, _names(entry), kind=_names(earlier))


def _duplicate_events(entries: Sequence[EventEntry]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for entry in entries:
        for event in entry.names:
            if first.setdefault(event, entry.line) != entry.line:
                message = f"second entry for this event; the one at line {first[event]} counts"
                yield Finding("QMP912", entry.line, message, name(event))


def _data(entry: EventEntry, event: str) -> Iterator[Finding]:
    for said in entry.data:
        if said.unknown:
            words = _words(said.unknown)
            yield Finding("QMP901", said.line, f"unknown words after Data: {words}", event, kind=words)
        if said.none and entry.members:
            message = f"says there is no data, yet line {entry.members[0].line} describes a member"
            yield Finding("QMP905", said.line, message, event)
    if not compile.describes_data(entry):
        yield Finding("QMP916", entry.line, "says nothing of the event's data; any is accepted", event)


def _members(entry: EventEntry, event: str, payload: Object) -> Iterator[Finding]:
    paths = {each.place.line: each.path for each in rulebase.walk(payload, ("data",)) if each.is_member}
    for inner, above in nesting.misplaced(entry.members):
        message = (
            f"below {quoted(above.name)}, which holds no members; it counts as the next member beside it"
        )
        path = paths.get(inner.line, ("data", inner.name))
        yield Finding("QMP919", inner.line, message, event, path, kind=name(above.name))
    for text in entry.members:
        # The second member of a name is not among the rules, and has no path there.
        path = paths.get(text.line, ("data", text.name))
        yield from _member(text, event, path)
        if text.line not in paths and not compile.is_whole_data(text):
            yield Finding("QMP913", text.line, "a member of that name is above; that one counts", event, path)


def _member(text: MemberText, event: str, path: KeyPath) -> Iterator[Finding]:
    for line, word in text.unknown:
        words = _words(word)
        yield Finding("QMP901", line, f"not understood: {words}", event, path, kind=words)
    for type_name in filter(None, (*text.type_names, text.item_type)):
        if type_name not in JSON_TYPES:
            message = f"unknown type {name(type_name)}; any value is accepted"
            yield Finding("QMP914", text.line, message, event, path, kind=name(type_name))
    if len(text.type_names) > 1 and JSON_TYPES.keys() >= set(text.type_names) and text.type == rulebase.Any():
        message = "types that JSON does not distinguish; any value is accepted"
        yield Finding("QMP914", text.line, message, event, path)
    if not text.type_names and not text.of:
        accepted = "a string is assumed from its values" if text.values else "any value is accepted"
        yield Finding("QMP908", text.line, f"member without a type; {accepted}", event, path)


def notes(
    sentences: Iterable[Sentence], names: Sequence[str], payload: Object, described: Collection[str]
) -> Iterator[Finding]:
    """Find what is wrong in the notes of an event.

    Args:
        sentences: those of the notes.
        names: the event or the events that the notes are about.
        payload: what these carry.
        described: all events that the document describes.
    """
    # The rules of one sentence may lack the same thing.
    yield from dict.fromkeys(_notes(sentences, names, payload, described))


def _notes(
    sentences: Iterable[Sentence], names: Sequence[str], payload: Object, described: Collection[str]
) -> Iterator[Finding]:
    event = name(", ".join(names))
    missing = compile.UnknownReferences(payload)
    for sentence in sentences:
        line = sentence.lines[0]
        if sentence.unknown:
            words = _words(sentence.unknown)
            yield Finding("QMP901", line, f"unknown sentence: {words}", event, kind=words)
        if sentence.event and sentence.event not in names:
            message = f"a note about {name(sentence.event)}; no rule is made from it"
            yield Finding("QMP910", line, message, event, kind=name(sentence.event))
        for rule in sentence.rules:
            yield from _rule(rule, line, event, payload, missing)
            for follower in rule.then if isinstance(rule, FollowUp) else ():
                if follower not in described:
                    hint = did_you_mean(follower, described)
                    message = f"a note about {name(follower)}, which the document does not describe{hint}"
                    yield Finding("QMP911", line, message, event, kind=name(follower))


def _rule(
    rule: FollowUp | RateLimit, line: int, event: str, payload: Object, missing: compile.UnknownReferences
) -> Iterator[Finding]:
    for member in missing.members(rule):
        hint = did_you_mean(member, [each.name for each in payload.members])
        message = f"a note about a member that the event does not have{hint}; no rule is made from it"
        yield Finding("QMP909", line, message, event, ("data", member))
    for value in missing.values(rule):
        message = (
            f"a note about the value {quoted(value)}, which its member cannot take; no rule is made from it"
        )
        yield Finding("QMP917", line, message, event, kind=quoted(value))


def _labels(entry: EventEntry, event: str) -> Iterator[Finding]:
    for example in entry.examples:
        if not example.labelled:
            yield Finding("QMP915", example.line, "an example without a label", event)
