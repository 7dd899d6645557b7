"""Parse a definition's comment, compare it with what it describes, and find the examples in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lark import Token, Transformer

from qmpcheck.finding import Finding
from qmpcheck.specs import grammar
from qmpcheck.specs.documents import note
from qmpcheck.specs.documents.entries import Example
from qmpcheck.specs.qapi import definitions
from qmpcheck.specs.qapi.definitions import Definition
from qmpcheck.specs.qapi.expressions import ListNode, Node, ObjectNode, StringNode
from qmpcheck.text import name, quoted
from qmpcheck.wording import did_you_mean

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


def member_defects(definition: Definition) -> Iterator[Finding]:
    """Yield how the names that a comment describes differ from those that the definition has.

    Of an event, the comment must begin with its name and describe all members. Other comments may leave out
    what speaks for itself, but must not describe what is not there.
    """
    if not definition.comment:
        return
    is_event = definition.kind == definitions.EVENT
    event = name(definition.name) if is_event else ""
    passages = parse(definition.comment, definition.comment_line)
    heading = passages[0].text.strip().removeprefix("@").removesuffix(":") if passages else ""
    if heading != definition.name:
        line = passages[0].line if passages else definition.comment_line
        if is_event:
            yield Finding(
                "QMP921", line, f"the comment must begin with @{event}: on a line of its own", event
            )
        else:
            return  # up to 2.7, such comments have another form
    described = {found[1]: each.line for each in passages[1:] if (found := _DESCRIBES.match(each.text))}
    has = _names(definition.table.get("data", ObjectNode()))
    # The data of a union lists its branches, and no members.
    if has is None or definition.kind == definitions.UNION:
        return  # the comment of another type describes the members, or some of them
    features = _features(definition)
    for each, line in described.items():
        if each not in has and each not in features:
            what = "the event" if is_event else f"the {definition.kind} {quoted(definition.name)}"
            message = (
                f"the comment describes {quoted(each)}, which {what} does not have{did_you_mean(each, has)}"
            )
            path = ("data", each) if is_event else ()
            yield Finding("QMP921", line, message, event, path, kind=f"{definition.name}.{each}")
    for each, line in has.items() if is_event else ():
        if each not in described:
            yield Finding("QMP920", line, "the comment does not describe this member", event, ("data", each))


_DESCRIBES = re.compile(r"[ \t]*@([^\s:]+)[ \t]*:")
"""The beginning of what a comment says about a member, a value or a feature."""


def _names(data: Node) -> dict[str, int] | None:
    """Return the members or the values that a definition lists, with their lines; None if it names a type."""
    if isinstance(data, ObjectNode):
        return {str(member).removeprefix("*"): member.line for member, _ in data.pairs()}
    if not isinstance(data, ListNode):
        return None
    names = [each.get("name") if isinstance(each, ObjectNode) else each for each in data]
    return {str(each): each.line for each in names if isinstance(each, StringNode)}


def _features(definition: Definition) -> set[str]:
    """Return the features of a definition and of its members and values."""
    data = definition.table.get("data")
    inside = data.values() if isinstance(data, ObjectNode) else data if isinstance(data, ListNode) else ()
    tables = [definition.table, *(each for each in inside if isinstance(each, ObjectNode))]
    lists = (_names(each["features"]) for each in tables if "features" in each)
    return {feature for each in lists for feature in each or ()}


def examples(event: Definition) -> Iterator[Example]:
    """Yield the events that are sent in the examples of a comment."""
    text = _ONE_SIGN.sub(r"\1 ", event.comment) + "\n"  # columns stay the same
    for found in _SENT.finditer(text):
        indent = " " * (found.start("sent") - found.start())
        # "..." leaves something out.
        if re.search(r"""["']event["']""", found["sent"]) and "..." not in found["sent"]:
            line = event.comment_line + text.count("\n", 0, found.start())
            yield Example(line, indent + found["sent"], (event.name,), True)


_ONE_SIGN = re.compile(r"^([ \t]*)#", re.MULTILINE)
_SENT = re.compile(r"^(?P<margin>[ \t]*)<-[ \t]*(?P<sent>\{.*\n(?:(?P=margin)[ \t]+\S.*\n)*)", re.MULTILINE)
"""What QEMU sends in an example: an arrow and an object, whose further lines are indented more."""
