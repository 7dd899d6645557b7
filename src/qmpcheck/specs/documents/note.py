"""Parse the sentences of a document that are about several events, or about how often one comes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec
from lark import Token, Transformer
from lark.exceptions import UnexpectedInput

from qmpcheck.rulebase import FollowUp, RateLimit
from qmpcheck.specs import grammar


class Sentence(NamedTuple):
    """What a sentence says.

    Attributes:
        rules: the rules that it states; none for a remark.
        event: the event that it names for them; "" if it names none, so that they are about its own.
        unknown: the sentence, if the grammar does not know it.
        lines: its lines in the document.
    """

    rules: tuple[FollowUp | RateLimit, ...] = ()
    event: str = ""
    unknown: str = ""
    lines: range = range(0)


class Context(NamedTuple):
    """What a sentence may refer to.

    Attributes:
        names: the events that the text is about.
        events: all events that the document describes.
        members: the names of the members of these events.
    """

    names: tuple[str, ...]
    events: Collection[str]
    members: Collection[str]


LABEL = re.compile(r"\A[ \t]*(?:Notes?:|\.\.[ \t]+(?:admonition::[^\n]*|[a-z]+::))", re.IGNORECASE)
"""The label of a note, which is no part of its text; an admonition has its title on the same line."""


def sentences(text: str, line: int, context: Context) -> Iterator[Sentence]:
    """Parse the sentences of a text that begins on this line of the document."""
    for each, lines in _sentences(text, line):
        yield _sentence(each, lines, context)


def about_member(text: str, line: int, context: Context, member: str, value: str = "") -> Iterator[Sentence]:
    """Parse the words about a member, as far as they are about several events.

    Args:
        text: the words.
        line: the line of the document on which they begin.
        context: what they may refer to.
        member: its name.
        value: the value that they are about, which becomes a condition; "" for the member itself.
    """
    for sentence in sentences(text, line, context):
        rules = tuple(_where(member, value, rule) for rule in sentence.rules)
        # It does not say whether the rule always holds, or only if the member is there.
        if any(isinstance(rule, FollowUp) and not (rule.when or rule.option) for rule in rules):
            yield Sentence(unknown=" ".join(text.split()), lines=sentence.lines)
        elif rules or bears_on_rules(sentence.unknown, context):
            yield sentence._replace(rules=rules)


def _where(member: str, value: str, rule: FollowUp | RateLimit) -> FollowUp | RateLimit:
    if isinstance(rule, RateLimit) or not value:
        return rule
    return msgspec.structs.replace(rule, when={member: (value,), **rule.when})


def bears_on_rules(sentence: str, context: Context) -> bool:
    """Whether a sentence mentions what rules consist of: another event, a rate, a condition, a member.

    If it does and is not understood, a rule may be missing.
    """
    # Any of these may be a rule: another event, this one twice, a word about rates.
    events = [word for word in _WORD.findall(sentence) if word in context.events]
    others = {*events, *_NAMED.findall(sentence)}.difference(context.names)
    if others or len(events) + len(_THIS.findall(sentence)) > 1 or _SIGNAL.search(sentence):
        return True
    conditions = _CONDITION.finditer(sentence)
    return any(each["quote"] or (each["name"] in context.members and each["value"]) for each in conditions)


def says_absent(sentence: str, context: Context) -> bool:
    """Whether a sentence says that a member may be absent: if it is not understood, a rule may be missing."""
    members = set(_OF_MEMBER.findall(sentence))
    return _ABSENT.search(sentence) is not None and not members.isdisjoint(context.members)


_OF_MEMBER = re.compile(
    r"(?<=[@`\"'])[\w-]+|(?:(?<=\bmember )|(?<=\bkey )|(?<=\bfield ))[\w-]+"
    r"|[\w-]+(?=\s+(?:member|key|field)\b)"
)
_ABSENT = re.compile(
    r"\b(?:optional|absent|omitted|left\s+out|(?:only|not)\s+(?:present|included|given|set|sent))\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_THIS = re.compile(r"\b[Tt]his\s+event\b")
_NAMED = re.compile(r"\b([A-Z][A-Z0-9_]+)[`\"']*\s+events?\b")
_SIGNAL = re.compile(
    r"\brate(?:-|\s+)limited\b|\bevents?\b[^.]*\bthrottled\b"
    r"|\b(?:at\s+most|not?\s+more\s+than)\s+(?:once|one\s+event)\b"
    r"|\b(?:once|twice|times|events?)\s+(?:per|an?|each|every|in)\s+(?:\d+\s+)?(?:milli)?seconds?\b"
    r"|(?<!\bas\s)\bfollow(?:s|ed)?\b|\boption\s+[\"'`-]"
)
"""Words that may state how often an event comes, or what follows what."""

_CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless)\s+(?:the\s+)?(?P<quote>[@`\"'])?(?P<name>[\w-]+)[`\"']*\s+"
    r"(?:(?:member|field|key)\s+)?(?:is|was|equals|=)\s+(?:not\s+|either\s+)?(?P<value>[`\"'])?",
    re.IGNORECASE,
)

_BETWEEN = re.compile(r"((?<=[.!;])\s+|\n(?:[ \t]*\n)+|\n(?=[ \t]*[-*][ \t]))")
"""What is between two sentences: the end of the first one, blank lines, or a bullet."""

_BULLET = re.compile(r"\s*[-*][ \t]+")


def _sentences(text: str, line: int) -> Iterator[tuple[str, range]]:
    """Yield each sentence with its lines in the document."""
    # What is between two sentences is kept among them, so that its lines are counted.
    for sentence in _BETWEEN.split(text.rstrip()):
        first = line + len(sentence) - len(sentence.lstrip("\n"))
        line += sentence.count("\n")
        if sentence.strip():
            yield sentence, range(first, line + 1)


def _sentence(text: str, lines: range, context: Context) -> Sentence:
    not_understood = Sentence(unknown=" ".join(text.split()), lines=lines)
    try:
        said: Any = grammar.load("documents/note", "sentence", _SentenceTransformer).parse(
            _BULLET.sub("", text, count=1)
        )
    except UnexpectedInput:
        return not_understood
    match said:
        case Sentence():
            return said._replace(lines=lines)
        case _Remark(rest) if not bears_on_rules(rest, context):
            return Sentence(lines=lines)
        case _:
            return not_understood


_ROLE = re.compile(r"^:[a-z:-]+:(?=`)")


class _StatedCondition(NamedTuple):
    when: dict[str, tuple[str, ...]]
    option: str = ""


_ALWAYS = _StatedCondition({})


class _Remark(NamedTuple):
    """A sentence that states no rule, unless the rest of it does."""

    rest: str


_Events = tuple[str, ...]
"""The events that a sentence names in one place; none for "this event"."""


class _SentenceTransformer(Transformer[Token, Any]):
    """The callbacks of `note.lark`. A callback returns None if its parts make no sense."""

    def follow_up(self, parts: list[Any]) -> Sentence | None:
        (then, *trigger), condition = _parts(parts)
        return _follow_up(then, trigger[0] if trigger else (), condition)

    def followed_by(self, parts: list[Any]) -> Sentence | None:
        (trigger, then), condition = _parts(parts)
        return _follow_up(then, trigger, condition)

    def respectively(self, parts: list[Any]) -> Sentence | None:
        (triggers, then), condition = _parts(parts)
        if condition is None or condition.option or len(triggers) > 1:
            return None
        pairs = [(name, value) for name, values in condition.when.items() for value in values]
        if len(pairs) != len(then):
            return None
        rules = (
            FollowUp((event,), {name: (value,)}) for (name, value), event in zip(pairs, then, strict=True)
        )
        return Sentence(tuple(rules), "".join(triggers))

    def rate_limit(self, parts: list[Any]) -> Sentence | None:
        (events,), condition = _parts(parts)
        names = tuple(part for part in parts if isinstance(part, str))
        if condition is None or len(events) > 1:
            return None
        return Sentence((RateLimit(names, unless=condition.when),), "".join(events))

    def remark(self, parts: list[Any]) -> _Remark:
        return _Remark(next((str(part) for part in parts if getattr(part, "type", "") == "REST"), ""))

    def member_is(self, parts: list[Any]) -> _StatedCondition:
        name, values = parts
        return _StatedCondition({str(name): tuple(values)})

    unless = member_is

    def option_given(self, options: list[str]) -> _StatedCondition:
        return _StatedCondition({}, options[0].lstrip("-"))

    def this(self, _: list[Token]) -> _Events:
        return ()

    def events(self, tokens: list[Token]) -> _Events:
        return tuple(map(str, tokens))

    def values(self, texts: list[str]) -> list[str]:
        return texts

    def EVENT(self, token: Token) -> str:
        return _ROLE.sub("", token.strip("\"'")).strip("@`")

    def QUOTED(self, token: Token) -> str:
        return _ROLE.sub("", token)[1:-1].strip("`")

    def NAME(self, token: Token) -> str:
        return token.removeprefix("@")


def _parts(parts: list[Any]) -> tuple[list[_Events], _StatedCondition | None]:
    """Return the events that a sentence names, place by place, and its condition; None if it has two."""
    conditions = [part for part in parts if isinstance(part, _StatedCondition)]
    events = [part for part in parts if isinstance(part, tuple) and not isinstance(part, _StatedCondition)]
    return events, _ALWAYS if not conditions else conditions[0] if len(conditions) == 1 else None


def _follow_up(then: _Events, triggers: _Events, condition: _StatedCondition | None) -> Sentence | None:
    if condition is None or not then or len(triggers) > 1:
        return None
    return Sentence((FollowUp(then, condition.when, condition.option),), "".join(triggers))
