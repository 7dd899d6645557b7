"""Parse a document's structure: its events, their sections, and what each line is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from lark import Token, Transformer

from qmpcheck.specs import grammar

TITLE, HEADING, UNDERLINE, PROSE, BLANK = "title", "heading", "underline", "prose", "blank"
DATA, MEMBER, VALUE, TYPE_NOTE = "data", "member", "value", "type note"
NOTE, LABEL, EXAMPLE, UNKNOWN = "note", "label", "example", "unknown"


class Section(NamedTuple):
    """Lines that belong together; `kind` is that of the first one."""

    kind: str
    line: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines, unchanged, each with its newline."""
        return "".join(self.lines)


class EventText(NamedTuple):
    """A heading and the text below it. A heading may name several events, and may lack its underline."""

    heading: Section
    underline: Section
    sections: tuple[Section, ...]


class Structure(NamedTuple):
    """A whole document: sections before the first heading, then the entries."""

    preamble: tuple[Section, ...]
    entries: tuple[EventText, ...]


def parse(text: str) -> Structure:
    """Parse a plain document; every text has a structure."""
    # In the grammar, each line ends with a newline.
    ended = text if text.endswith("\n") else text + "\n"
    structure: Structure = grammar.load("documents/document", "document", _DocumentTransformer).parse(ended)  # type: ignore[assignment]
    return structure


_LINE = re.compile(r"[^\n]*\n")


def _section(kind: str, tokens: list[Token]) -> Section:
    lines = _LINE.findall("".join(tokens))
    return Section(kind, tokens[0].line or 0, tuple(lines))


def _sections(kind: str) -> Callable[[_DocumentTransformer, list[Token]], Section]:
    """Return a callback that makes sections of a kind."""
    return lambda _, tokens: _section(kind, tokens)


class _DocumentTransformer(Transformer[Token, Structure]):
    """The callbacks of `document.lark`, by the names of its rules and terminals."""

    def document(self, parts: list[Section | EventText]) -> Structure:
        preamble = tuple(part for part in parts if isinstance(part, Section))
        return Structure(preamble, tuple(part for part in parts if isinstance(part, EventText)))

    def event(self, parts: list[Section]) -> EventText:
        heading, *sections = parts
        # A heading without an underline gets an empty one, so that every entry has the same parts.
        bare = not sections or sections[0].kind != UNDERLINE
        underline = Section(UNDERLINE, heading.line, ()) if bare else sections.pop(0)
        return EventText(heading, underline, tuple(sections))

    def BLANK(self, token: Token) -> Section:
        return Section(BLANK, token.line or 0, tuple(token.splitlines(keepends=True)))

    def UNDERLINE(self, token: Token) -> Section:
        return _section(UNDERLINE, [token])

    def HEADING(self, token: Token) -> Section:
        return _section(HEADING, [token])

    BARE_HEADING = HEADING
    title, prose, data, member = map(_sections, (TITLE, PROSE, DATA, MEMBER))
    note, label, example = map(_sections, (NOTE, LABEL, EXAMPLE))
    stray = lost = _sections(UNKNOWN)
