"""Parse the expressions of a schema file, each with the comment that documents it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from lark import Token, Transformer, UnexpectedToken
from lark.exceptions import UnexpectedInput

from qmpcheck.specs import grammar
from qmpcheck.text import quoted


class SchemaError(ValueError):
    """A schema cannot be read: where and why.

    Attributes:
        file: the file, by the name that it was opened with.
        line, column: the place, from 1.
        reason: what is wrong there.
    """

    def __init__(self, file: str, line: int, column: int, reason: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {reason}")
        self.file, self.line, self.column, self.reason = file, line, column, reason


class StringNode(str):
    """A string and its position."""

    line = column = 0

    @classmethod
    def of(cls, token: Token) -> StringNode:
        """Return the text between the quotes of a token, with its position."""
        text = cls(re.sub(r"\\(.)", r"\1", token[1:-1]))
        text.line, text.column = token.line or 0, token.column or 0
        return text


class ObjectNode(dict[str, "Node"]):
    """A table, the position where it begins, and how many levels it has."""

    line = column = depth = 0

    def pairs(self) -> Iterator[tuple[StringNode, Node]]:
        """Return its keys, with their positions, each with its value."""
        return cast("Iterator[tuple[StringNode, Node]]", iter(self.items()))


class ListNode(list["Node"]):
    """A list, the position where it begins, and how many levels it has."""

    line = column = depth = 0


Node = StringNode | bool | ObjectNode | ListNode


class Expression(NamedTuple):
    """An expression, and the comment right before it."""

    table: ObjectNode
    comment: str
    comment_line: int


def parse(text: str, file: str) -> tuple[Expression, ...]:
    """Return the expressions of a file.

    Args:
        text: all of it.
        file: its name, for errors.

    Raises:
        SchemaError: the text is not valid in the schema language.
    """
    try:
        parsed: Any = grammar.load("qapi/schema", "schema", _SchemaTransformer).parse(text)
    except _Misplaced as error:
        raise SchemaError(file, error.line, error.column, error.reason) from None
    except UnexpectedInput as error:
        line, column = max(error.line, 1), max(error.column, 1)
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            # lark has no place for the end of the file: it is after the last thing that is written.
            lines = text.rstrip().split("\n")
            line, column = len(lines), len(lines[-1]) + 1
        raise SchemaError(file, line, column, _unexpected(error, text)) from None
    return tuple(parsed)


class _Misplaced(Exception):
    """An error that the grammar alone does not catch."""

    def __init__(self, where: StringNode | Token, reason: str) -> None:
        super().__init__(reason)
        self.line, self.column, self.reason = where.line or 1, where.column or 1, reason


_SIGNS = {
    "LBRACE": quoted("{"),
    "RBRACE": quoted("}"),
    "LSQB": quoted("["),
    "RSQB": quoted("]"),
    "COLON": quoted(":"),
    "COMMA": quoted(","),
    "STRING": "a string in single quotes",
    "TRUE": "true",
    "FALSE": "false",
}


def _unexpected(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        got = "the file ends"
    elif isinstance(error, UnexpectedToken):
        got = f"unexpected {quoted(str(error.token))}"
    else:
        got = f"unexpected {quoted(text[error.pos_in_stream or 0][:1])}"
    # Each class of lark's errors has the terminals that it expected under another name.
    names = (
        getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", ())
    )
    wanted = sorted(_SIGNS[name] for name in names or () if name in _SIGNS)
    return f"{got}, expected {' or '.join(wanted)}" if wanted else got


_DEEPEST = 20
"""How many levels of tables and lists there may be; QEMU's own schemas have four."""


class _SchemaTransformer(Transformer[Token, list[Expression]]):
    """The callbacks of `schema.lark`."""

    def schema(self, parts: list[Any]) -> list[Expression]:
        expressions: list[Expression] = []
        comment = Token("COMMENTS", "", line=1)
        for part in parts:
            if isinstance(part, Token):
                comment = part
            else:
                expressions.append(Expression(part, str(comment), comment.line or 0))
                comment = Token("COMMENTS", "", line=1)  # the next expression may have none
        return expressions

    def expression(self, parts: list[Any]) -> ObjectNode:
        begin, *rest = parts
        table = ObjectNode()
        table.line, table.column = begin.line, begin.column
        for key, value in zip(rest[::2], rest[1::2], strict=True):
            if key in table:
                raise _Misplaced(key, f"the key {quoted(key)} exists already")
            table[key] = value
        table.depth = 1 + max(map(_depth, table.values()), default=0)
        if table.depth > _DEEPEST:
            raise _Misplaced(begin, f"more than {_DEEPEST} levels of tables and lists")
        return table

    table = expression

    def list(self, parts: list[Any]) -> ListNode:
        begin, *rest = parts
        items = ListNode(rest)
        items.line, items.column = begin.line, begin.column
        items.depth = 1 + max(map(_depth, items), default=0)
        return items

    def STRING(self, token: Token) -> StringNode:
        return StringNode.of(token)

    def TRUE(self, _: Token) -> bool:
        return True

    def FALSE(self, _: Token) -> bool:
        return False


def _depth(value: Node) -> int:
    return getattr(value, "depth", 0)
