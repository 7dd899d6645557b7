"""One member of an event's data, out of its text."""

from __future__ import annotations

import re
from typing import NamedTuple

from lark import Token, Transformer
from lark.exceptions import UnexpectedInput

from qmpcheck import rulebase
from qmpcheck.documents import grammar
from qmpcheck.documents.document import Section

JSON_TYPES: dict[str, rulebase.Type] = {
    "json-array": rulebase.Array(rulebase.Any()),
    "json-bool": rulebase.Boolean(),
    "json-int": rulebase.Integer(),
    "json-null": rulebase.Null(),
    "json-number": rulebase.Number(),
    "json-object": rulebase.Object(open=True),
    "json-string": rulebase.String(),
    "json-value": rulebase.Any(),
}


class MemberText(NamedTuple):
    """What a member's text says. Lines are those of the document.

    `type_names` are the JSON types it names, known or not; `of` the type it leaves to another document.
    """

    name: str
    line: int
    lines: int
    indent: int
    quoted: bool
    type_names: tuple[str, ...]
    optional: bool
    values: tuple[str, ...]
    known: tuple[str, ...]
    of: str
    unknown: tuple[tuple[int, str], ...]
    value_lines: frozenset[int]
    type_note_lines: frozenset[int]

    @property
    def prose_lines(self) -> range:
        """The lines below the first; what else stands on them is named beside."""
        return range(self.line + 1, self.line + self.lines)

    @property
    def type(self) -> rulebase.Type:
        """The type, as far as the text settles it."""
        if self.of or len(self.type_names) > 1:
            return rulebase.Any(self.of)
        if self.type_names and self.type_names[0] != "json-string":
            return JSON_TYPES.get(self.type_names[0], rulebase.Any())
        if self.values:
            return rulebase.Enum(self.values)
        return rulebase.String(self.known) if self.type_names else rulebase.Any()


def parse(section: Section) -> MemberText:
    """Read one member section."""
    try:
        parts: _Parts = grammar.load("member", "member", _Shape).parse(section.text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        parts = _broken(section.text, error)
    return parts.text(section.line - 1, len(section.lines))


def _broken(text: str, error: UnexpectedInput) -> _Parts:
    """A text whose type note does not end where its parenthesis does: its name, and where it breaks."""
    name, rest = text[: _name(text).end()], text[error.pos_in_stream :]
    line = text.count("\n", 0, error.pos_in_stream) + 1
    return _Parts((Token("NAME", name, line=1), Token("UNKNOWN", rest, line=line)))


def _name(text: str) -> re.Match[str]:
    match = _NAME.match(text)
    assert match, "the grammars' MEMBER and NAME and this pattern are one"
    return match


_NAME = re.compile(r"""([ \t]*)-[ \t]*(["']?)(.*?)\2[ \t]*:""")
_ELSEWHERE = re.compile(r"(?:See\s+)?(\w+)")


class _Parts(NamedTuple):
    """The pieces of a member's text, in order."""

    tokens: tuple[Token, ...]

    def of(self, kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(token) for token in self.tokens if token.type == kind))

    def lines(self, kind: str, above: int) -> frozenset[int]:
        spans = ((token.line or 0, token.end_line or 0) for token in self.tokens if token.type == kind)
        return frozenset(above + line for first, last in spans for line in range(first, last + 1))

    def text(self, above: int, lines: int) -> MemberText:
        """What the pieces say, `above` lines down the document and `lines` long."""
        match = _name(self.tokens[0])
        elsewhere = self.of("ELSEWHERE")
        of = _ELSEWHERE.match(elsewhere[0]) if elsewhere else None
        return MemberText(
            name=match[3],
            line=above + 1,
            lines=lines,
            indent=len(match[1].expandtabs()),
            quoted=bool(match[2]),
            type_names=self.of("JSON_TYPE"),
            optional=bool(self.of("OPTIONAL")),
            values=() if self.of("UNKNOWN") else self.of("VALUE"),
            known=self.of("KNOWN"),
            of=of[1] if of else "",
            unknown=tuple((above + (t.line or 0), str(t)) for t in self.tokens if t.type == "UNKNOWN"),
            value_lines=self.lines("VALUE", above) | self.lines("DESCRIBED", above),
            type_note_lines=self.lines("TYPE_NOTE", above),
        )


class _Shape(Transformer[Token, _Parts]):
    """The callbacks of `member.lark`: flatten its tree into tokens whose types say what they mean."""

    def member(self, parts: list[Token | list[Token]]) -> _Parts:
        return _Parts(tuple(_flat(parts)))

    def type_note(self, parts: list[Token | list[Token]]) -> list[Token]:
        opening, *inside, closing = _flat(parts)
        span = Token("TYPE_NOTE", "", line=opening.line, end_line=closing.line)
        return [span, *inside]

    def one_of(self, parts: list[Token | list[Token]]) -> list[Token]:
        return list(_flat(parts))

    def value(self, tokens: list[Token]) -> Token:
        return tokens[0].update("VALUE", tokens[0][1:-1])

    always = value

    def known(self, tokens: list[Token]) -> Token:
        return tokens[0].update("KNOWN", tokens[0][1:-1])

    def described(self, tokens: list[Token]) -> list[Token]:
        [token] = tokens
        first = (token.line or 0) + 1
        quote = token.lstrip()[0]
        value = token.split(quote, 2)[1]
        span = Token("DESCRIBED", "", line=first, end_line=token.end_line)
        return [span, Token("VALUE", value, line=first, end_line=first)]


def _flat(parts: list[Token | list[Token]]) -> list[Token]:
    """All tokens. A described value that is still by itself stands outside a list of values."""
    tokens: list[Token] = []
    for part in parts:
        if not isinstance(part, Token):
            tokens.extend(part)
        elif part.type == "DESCRIBED":
            tokens.append(Token("UNKNOWN", part.strip(), line=(part.line or 0) + 1))
        else:
            tokens.append(part)
    return tokens
