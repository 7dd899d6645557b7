"""The sentences of a note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lark import Token, Transformer
from lark.exceptions import UnexpectedInput

from qmpcheck.documents import grammar
from qmpcheck.documents.document import Section
from qmpcheck.rulebase import FollowUp, RateLimit


class Sentence(NamedTuple):
    """What one sentence says.

    `rules` are the rules it states, none for a remark; `event` is the event that it says they hold for,
    "" where it does not name one; `unknown` is a sentence that the grammar does not know.
    """

    rules: tuple[FollowUp | RateLimit, ...] = ()
    event: str = ""
    unknown: str = ""
    lines: range = range(0)


def parse(section: Section) -> tuple[Sentence, ...]:
    """Read one note section."""
    return sentences(section.text.split(":", 1)[1], section.line)


def sentences(text: str, line: int) -> tuple[Sentence, ...]:
    """Read the sentences of a text that begins on that line."""
    return tuple(_sentence(each, lines) for each, lines in _sentences(text, line))


_BETWEEN = re.compile(r"(?<=\.)(\s+)")


def _sentences(text: str, line: int) -> Iterator[tuple[str, range]]:
    """Each sentence with the lines of the document that it stands on."""
    for sentence in _BETWEEN.split(text.rstrip()):
        first = line + len(sentence) - len(sentence.lstrip("\n"))
        line += sentence.count("\n")
        if sentence.strip():
            yield sentence, range(first, line + 1)


def _sentence(text: str, lines: range) -> Sentence:
    try:
        said: Sentence = grammar.load("note", "sentence", _Shape).parse(text)  # type: ignore[assignment]
    except UnexpectedInput:
        return Sentence(unknown=" ".join(text.split()), lines=lines)
    return said._replace(lines=lines)


_ROLE = re.compile(r"^:[a-z:-]+:(?=`)")


class _Condition(NamedTuple):
    when: dict[str, tuple[str, ...]]
    option: str


class _Shape(Transformer[Token, Sentence]):
    """The callbacks of `note.lark`."""

    def follow_up(self, parts: list[Any]) -> Sentence:
        *conditions, then, trigger = parts
        condition = conditions[0] if conditions else _Condition({}, "")
        return Sentence((FollowUp(then, condition.when, condition.option),), str(trigger))

    def respectively(self, parts: list[Any]) -> Sentence:
        condition, triggers, then = parts
        pairs = [(name, value) for name, values in condition.when.items() for value in values]
        if condition.option or len(triggers) != 1 or len(pairs) != len(then):
            return Sentence(unknown="a list that does not pair values with events")
        rules = (
            FollowUp((event,), {name: (value,)}) for (name, value), event in zip(pairs, then, strict=True)
        )
        return Sentence(tuple(rules), triggers[0])

    def rate_limit(self, parts: list[Any]) -> Sentence:
        names = tuple(part for part in parts if isinstance(part, str))
        unless = next((part.when for part in parts if isinstance(part, _Condition)), {})
        return Sentence((RateLimit(names, unless=unless),))

    def remark(self, _: list[Token]) -> Sentence:
        return Sentence()

    def member_is(self, parts: list[Any]) -> _Condition:
        name, values = parts
        return _Condition({str(name): values}, "")

    unless = member_is

    def option_given(self, options: list[str]) -> _Condition:
        return _Condition({}, options[0].lstrip("-"))

    def events(self, tokens: list[Token]) -> tuple[str, ...]:
        return tuple(map(str, tokens))

    def values(self, texts: list[str]) -> tuple[str, ...]:
        return tuple(texts)

    def EVENT(self, token: Token) -> str:
        return _ROLE.sub("", token).strip("@`")

    def QUOTED(self, token: Token) -> str:
        return _ROLE.sub("", token)[1:-1].strip("`")

    def NAME(self, token: Token) -> str:
        return token.removeprefix("@")
