"""Parse a definition's comment: its notes, its members and its paragraphs, with their lines."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lark import Token, Transformer

from qmpcheck.specs import grammar
from qmpcheck.specs.documents import note

NOTE, MEMBER, PROSE = "note", "member", "prose"


class Passage(NamedTuple):
    """Text of a comment, with its newlines, and the line of the file that it begins on."""

    kind: str
    line: int
    text: str


def parse(comment: str, line: int) -> tuple[Passage, ...]:
    """Return the notes, the members and the paragraphs of a comment.

    Args:
        comment: its lines, each with its comment sign.
        line: the number of the first line.
    """
    passages: Any = grammar.load("qapi/comment", "comment", _CommentTransformer).parse(_plain(comment))
    return tuple(each._replace(line=each.line + line - 1) for each in passages if each)


# A line of `##` only opens or closes the comment.
_SIGN = re.compile(r"^[ \t]*#(?:#+[ \t]*$)?[ ]?", re.MULTILINE)


def _plain(comment: str) -> str:
    return _SIGN.sub("", comment).replace("\r", "") + "\n"


class _CommentTransformer(Transformer[Token, list[Passage | None]]):
    """The callbacks of `comment.lark`."""

    def comment(self, parts: list[Any]) -> list[Passage | None]:
        return [part for part in parts if isinstance(part, Passage)]

    def note(self, lines: list[Token]) -> Passage:
        return Passage(NOTE, lines[0].line or 1, note.LABEL.sub("", "".join(lines), count=1))

    def prose(self, lines: list[Token]) -> Passage:
        return Passage(PROSE, lines[0].line or 1, "".join(lines))

    tag = prose

    def example(self, _: list[Token]) -> None:
        return None

    def member(self, lines: list[Token]) -> Passage:
        return Passage(MEMBER, lines[0].line or 1, "".join(lines))
