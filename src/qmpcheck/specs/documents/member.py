"""Parse the text about a member of an event's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lark import Token, Transformer
from lark.exceptions import UnexpectedInput

from qmpcheck import rulebase
from qmpcheck.specs import grammar
from qmpcheck.specs.documents import items
from qmpcheck.specs.documents.document import Section
from qmpcheck.specs.documents.items import Split

JSON_TYPES: dict[str, rulebase.Type] = {
    "json-array": rulebase.Array(rulebase.Any()),
    "json-bool": rulebase.Boolean(),
    "json-boolean": rulebase.Boolean(),
    "json-int": rulebase.Integer(),
    "json-null": rulebase.Null(),
    "json-number": rulebase.Number(),
    "json-object": rulebase.Object(open=True),
    "json-string": rulebase.String(),
    "json-value": rulebase.Any(),
}


class Said(NamedTuple):
    """Words of a member: those about one of its values, or those about itself, where `value` is ""."""

    value: str
    text: str
    line: int


class MemberText(NamedTuple):
    """What a member's text says. Lines count in the document.

    Attributes:
        type_names: the JSON types that it names, known or not; several if any of them is allowed.
        item_type: the JSON type of the items, if it names that.
        of: the type that it leaves to another document.
        said: its words, which may be about several events.
        unknown: what was not understood, with its line.
    """

    name: str
    line: int
    lines: int
    indent: int
    quoted: bool
    type_names: tuple[str, ...]
    item_type: str
    optional: bool
    values: tuple[str, ...]
    known: tuple[str, ...]
    of: str
    said: tuple[Said, ...]
    unknown: tuple[tuple[int, str], ...]
    value_lines: frozenset[int]
    type_note_lines: frozenset[int]

    @property
    def prose_lines(self) -> range:
        """The lines below the first, as far as they are prose."""
        return range(self.line + 1, self.line + self.lines)

    @property
    def type(self) -> rulebase.Type:
        """The type, as far as the text defines it."""
        if self.of:
            return rulebase.Any(self.of)
        if not self.type_names:
            return rulebase.Enum(self.values) if self.values else rulebase.Any()
        types = tuple(map(self._type, self.type_names))
        if len(types) == 1:
            return types[0]
        # Where JSON does not distinguish the types, no value can be said to be wrong.
        try:
            rulebase.check(rulebase.Alternate(types))
        except ValueError:
            return rulebase.Any()
        return rulebase.Alternate(types)

    def _type(self, name: str) -> rulebase.Type:
        if name == "json-string":
            return rulebase.Enum(self.values) if self.values else rulebase.String(self.known)
        if name == "json-array" and self.item_type:
            return rulebase.Array(JSON_TYPES.get(self.item_type, rulebase.Any()))
        return JSON_TYPES.get(name, rulebase.Any())

    @property
    def holds_members(self) -> bool:
        """Whether it can contain the members below it: an object, a list of objects, or without a type."""
        typeless = not self.type_names and not self.of and not self.values
        described = self.type.items if isinstance(self.type, rulebase.Array) else self.type
        return (
            typeless or isinstance(described, rulebase.Object) or self.type == rulebase.Array(rulebase.Any())
        )


def parse(section: Section) -> tuple[MemberText, ...]:
    """Parse the section of a member, or of several members of the same type."""
    split = items.split(section.lines)
    try:
        parts: _Parts = grammar.load("documents/member", "member", _MemberTransformer).parse(split.rest)  # type: ignore[assignment]
    except UnexpectedInput as error:
        parts = _broken(split.rest, error)
    text = _text(parts, split, section)
    return tuple(text._replace(name=name, optional=text.optional or star) for name, star in _names(parts))


def _broken(text: str, error: UnexpectedInput) -> _Parts:
    """Return what is known of a text with a broken type note: the name, and where it breaks."""
    name, rest = text[: _start(text).end()], text[error.pos_in_stream :]
    line = text.count("\n", 0, error.pos_in_stream) + 1
    return _Parts((Token("NAMES", name, line=1), Token("UNKNOWN", rest, line=line)))


def _start(text: str) -> re.Match[str]:
    match = _START.match(text)
    assert match, "the grammars' MEMBER and NAMES and this pattern are one"
    return match


_NAME = r"""(?:"[^"\n]+"|'[^'\n]+'|`[^`\n]+`|[*@]?[a-z_][a-zA-Z0-9_-]*)"""
_START = re.compile(rf"([ \t]*)(?:-[ \t]*|\*[ \t]+)({_NAME}(?:[ \t]*,[ \t]*{_NAME})*)")
_QAPI_NAME = re.compile(r"(?:__[a-z0-9.-]+_)?[a-z][a-z0-9_-]*", re.IGNORECASE)
_ELSEWHERE = re.compile(r"(?:See\s+)?(\w+)")
_VALUES_TO_COME = re.compile(r"following|these|values", re.IGNORECASE)


def _names(parts: _Parts) -> Iterator[tuple[str, bool]]:
    """Yield each name, and whether a star before it says that the member is optional."""
    for name in re.findall(_NAME, _start(parts.tokens[0])[2]):
        plain = name.strip("\"'`")
        yield plain.lstrip("*@"), plain.startswith("*")


class _Parts(NamedTuple):
    """The tokens of a member's text, in order."""

    tokens: tuple[Token, ...]

    def all(self, *kinds: str) -> Iterator[Token]:
        return (token for token in self.tokens if token.type in kinds)

    def of(self, *kinds: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(str, self.all(*kinds))))

    def lines(self, above: int, *kinds: str) -> frozenset[int]:
        spans = ((token.line or 0, token.end_line or 0) for token in self.all(*kinds))
        return frozenset(above + line for first, last in spans for line in range(first, last + 1))


def _text(parts: _Parts, split: Split, section: Section) -> MemberText:
    above = section.line - 1
    start = _start(split.rest)
    lost = list(_lost(parts, split, section))
    listed = tuple(item.value for item in split.items)
    hedged = bool(parts.of("SUCH_AS"))
    # Of a text that was not understood in full, the values may be incomplete: then any string is allowed.
    values = () if lost or hedged else tuple(dict.fromkeys((*parts.of("VALUE", "NOTED_VALUE"), *listed)))
    elsewhere = parts.of("ELSEWHERE")
    of = _ELSEWHERE.match(elsewhere[0]) if elsewhere else None
    item_lines = frozenset(section.line + line for item in split.items for line in item.lines)
    return MemberText(
        name="",
        line=section.line,
        lines=len(section.lines),
        indent=len(start[1].expandtabs()),
        quoted=start[2][0] in "\"'`",
        type_names=_types(parts),
        item_type="".join(parts.of("ITEM_TYPE")[:1]),
        optional=_is_optional(parts, split.rest),
        values=values,
        known=tuple(dict.fromkeys((*parts.of("KNOWN"), *(listed if hedged else ())))),
        of=of[1] if of else "",
        said=(
            Said("", split.rest[start.end() :].lstrip(" \t:"), section.line),
            *(Said(item.value, item.text, section.line + item.lines.start) for item in split.items),
        ),
        unknown=tuple((above + line, words) for line, words in lost),
        value_lines=parts.lines(above, "VALUE", "NOTED_VALUE") | item_lines,
        type_note_lines=parts.lines(above, "TYPE_NOTE"),
    )


def _types(parts: _Parts) -> tuple[str, ...]:
    """Return the types in the type note, or if there is no note, those named elsewhere."""
    return parts.of("NOTED_TYPE") or parts.of("JSON_TYPE")


def _is_optional(parts: _Parts, text: str) -> bool:
    return any(_is_read(token, text) for token in parts.all("OPTIONAL", "NOTED_OPTIONAL", "ABSENT"))


def _is_read(token: Token, text: str) -> bool:
    """Whether a word names a type: it is in a type note, or by itself and not part of a sentence."""
    if token.type not in ("OPTIONAL", "JSON_TYPE"):
        return True
    begin, end = token.start_pos or 0, token.end_pos or 0
    # "(json-string, optional)" states a type; in "an optional json-string of the guest" it may mean anything.
    before = text[max(0, begin - _NEAR) : begin].rstrip()[-1:]
    after = text[end : end + _NEAR].lstrip()[:1]
    return token.lower() != "optionally" and before in _APART and after in _APART


_NEAR = 100
"""How many characters are looked at on either side of a word."""

_APART = (*",;.:()[]", "")


def _lost(parts: _Parts, split: Split, section: Section) -> Iterator[tuple[int, str]]:
    """Yield what may be a rule and was not understood: the line, from 1 in the text, and the words."""
    optional = _is_optional(parts, split.rest)
    values = bool(parts.of("VALUE", "NOTED_VALUE") or split.items)
    types = parts.of("NOTED_TYPE")
    for token in parts.tokens:
        lost = (
            token.type in ("UNKNOWN", "LOST_LINE", "LOST_VALUE", "LOST_CHOICE")
            or (token.type == "LOST_ABSENT" and not optional)
            or (token.type in ("OPEN_END", "OR_ELSE") and values)
            or (token.type == "OPTIONAL" and not optional)
            or (token.type == "JSON_TYPE" and (bool(types) or not _is_read(token, split.rest)))
            or (token.type == "ONE_OF" and not values and _VALUES_TO_COME.search(token) is not None)
        )
        if lost:
            words = token.lstrip()
            yield (token.line or 0) + token[: len(token) - len(words)].count("\n"), words.rstrip()
    yield from ((1, f"the name {name}") for name, _ in _names(parts) if not _QAPI_NAME.fullmatch(name))
    yield from ((line + 1, words) for line, words in split.odd)
    yield from _lost_items(parts, split)
    yield from _more_values(parts, split.rest)
    # An odd number of quotes: some value lacks its end, whatever the grammar made of it.
    for mark in '"`':
        if section.text.count(mark) % 2:
            odd = next(at for at, line in enumerate(section.lines, 1) if line.count(mark) % 2)
            yield odd, f"{mark} without another"


def _lost_items(parts: _Parts, split: Split) -> Iterator[tuple[int, str]]:
    """Yield the values that are ignored: nothing announces them, they are no strings, or there are others."""
    types = _types(parts) or ("json-string",)
    announced = parts.of("ONE_OF") or parts.of("SUCH_AS")
    strings = types == ("json-string",)
    for token in parts.all("VALUE", "NOTED_VALUE", "KNOWN"):
        if not strings:
            yield token.line or 0, f"the value {token}, as its type is {types[0]}"
    for item in split.items:
        booleans = types in _BOOLEAN and item.value in ("true", "false")
        if (
            not announced
            or parts.of("VALUE", "NOTED_VALUE")
            or not (strings or booleans)
            or "json-" in item.text
        ):
            above = item.text[: max(item.text.find("json-"), 0)].count("\n")
            yield item.lines.start + above + 1, f"{item.value}: {item.text.strip()}"


def _more_values(parts: _Parts, text: str) -> Iterator[tuple[int, str]]:
    """Yield quoted words after the end of a list, in the same sentence: they may be more values."""
    last: Token | None = None
    for token in parts.all("VALUE", "QUOTED"):
        if token.type == "VALUE":
            last = token
        elif last and not _SENTENCE_ENDS.search(text, last.end_pos or 0, token.start_pos or 0):
            yield token.line or 0, str(token)


_SENTENCE_ENDS = re.compile(r"[.;]\s")

_BOOLEAN = (("json-bool",), ("json-boolean",))


class _MemberTransformer(Transformer[Token, _Parts]):
    """The callbacks of `member.lark`: flatten its tree into tokens whose types say what they mean."""

    def member(self, parts: list[Token | list[Token]]) -> _Parts:
        return _Parts(tuple(_of_one_note(_flat(parts))))

    def type_note(self, parts: list[Token | list[Token]]) -> list[Token]:
        opening, *inside, closing = _flat(parts)
        span = Token("TYPE_NOTE", "", line=opening.line, end_line=closing.line)
        noted = {"JSON_TYPE": "NOTED_TYPE", "OPTIONAL": "NOTED_OPTIONAL", "VALUE": "NOTED_VALUE"}
        return [span, *(token.update(noted.get(token.type, token.type)) for token in inside)]

    def array(self, tokens: list[Token]) -> list[Token]:
        return [tokens[0], tokens[1].update("ITEM_TYPE" if tokens[0] == "json-array" else "UNKNOWN")]

    def one_of(self, parts: list[Token | list[Token]]) -> list[Token]:
        tokens = list(_flat(parts))
        known = {"VALUE": "KNOWN", "NOTED_VALUE": "KNOWN"} if tokens[0].type == "SUCH_AS" else {}
        return [token.update(known.get(token.type, token.type)) for token in tokens]

    def one_of_note(self, _: list[Token]) -> list[Token]:
        return []

    def value(self, tokens: list[Token]) -> Token:
        return tokens[0].update("VALUE", tokens[0].strip("\"'`"))

    always = value

    def known(self, tokens: list[Token]) -> Token:
        return tokens[0].update("KNOWN", tokens[0].strip("\"'`"))


def _flat(parts: list[Token | list[Token]]) -> Iterator[Token]:
    for part in parts:
        yield from [part] if isinstance(part, Token) else part


def _of_one_note(tokens: Iterable[Token]) -> Iterator[Token]:
    """Return the tokens; a type in a second type note is not understood."""
    note = first = None
    for token in tokens:
        if token.type == "TYPE_NOTE":
            note = token
        elif token.type == "NOTED_TYPE":
            first = note if first is None else first
        # One member cannot have two types, so at least one of the notes is about something else.
        second = token.type == "NOTED_TYPE" and note is not first
        yield token.update("UNKNOWN") if second else token
