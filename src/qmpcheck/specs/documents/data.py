"""Read the text after `Data:`."""

from __future__ import annotations

from typing import NamedTuple

from lark import Token, Transformer
from lark.exceptions import UnexpectedInput

from qmpcheck import rulebase
from qmpcheck.specs import grammar
from qmpcheck.specs.documents.document import Section


class DataText(NamedTuple):
    """What a data section says.

    `none`: whether it says that there are no members. `members`: those that it names itself, as it does where
    it refers to the keys of a query. `unknown`: text that the grammar does not know.
    """

    line: int
    none: bool = False
    members: tuple[rulebase.Member, ...] = ()
    unknown: str = ""


def parse(section: Section) -> DataText:
    """Read one data section."""
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
